import { expect, test } from 'vitest';
import { infoTable, parseInfoLine } from './info-line.ts';

const lineOf = (board: string): string =>
  [
    'received',
    'transmitted',
    'overruns',
    'framing_errors',
    'discarded',
    'stale',
    'stale_bytes',
    'untransmitted',
  ]
    .map((key, index) => `${key}_${board}=${index + (board === 'a' ? 10 : 20)}`)
    .join(' ');
const whole =
  'understudy firmware=1.0.0 stream=1 term=7 port=a session=12 attached=- safe=1 hold_ms=1000 malformed=0 ' +
  'last_reset=brown-out resets_power=1 resets_external=2 resets_brown_out=3 resets_watchdog=4 ' +
  `${lineOf('a')} ${lineOf('b')} stack_unused=2000`;

test('every key becomes a value', () => {
  expect(parseInfoLine(whole)).toMatchObject({
    firmware: '1.0.0',
    term: 7,
    port: 'a',
    session: 12,
    attached: null,
    safe: true,
    last_reset: 'brown-out',
    resets_watchdog: 4,
    lines: { a: { received: 10, untransmitted: 17 }, b: { received: 20, stale_bytes: 26 } },
    stack_unused: 2000,
    other: {},
  });
});

test('noise before it does not hide it, and what a later firmware says is kept', () => {
  expect(parseInfoLine(`\u0000\u00ff${whole} colour=red`)).toMatchObject({
    term: 7,
    other: { colour: 'red' },
  });
});

test.each([
  ['its end is missing', whole.slice(0, -30)],
  ['a piece in the middle is missing', whole.replace(' term=7', '')],
  ['two answers ran together', `${whole} term=8`],
  ['a number is none', whole.replace('session=12', 'session=1x')],
  ['a port is none', whole.replace('port=a', 'port=c')],
  ['it says something else', 'error: ? or safe <2..15|20..69> <low|high|released|keep>'],
])('it is no info line when %s', (_what, line) => {
  expect(parseInfoLine(line)).toBeNull();
});

test('the table says who holds the term and shows the boards side by side', () => {
  const table = infoTable(parseInfoLine(whole)!);
  expect(table).toMatch(/^term +7, granted to board a$/m);
  expect(table).toMatch(/^attached +nobody$/m);
  expect(table).toMatch(/^stale bytes +16 +26$/m);
});
