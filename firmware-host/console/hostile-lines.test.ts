/** Ten thousand lines that nobody would type: no crash, no order without its confirmation, nothing that grows without bound. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commands } from './command-line.ts';
import { FakeConsoleBoard, type FakeOrder } from './console-board.fake.ts';
import { lineBytesMax } from './console-schema.ts';
import { ConsoleSession } from './console-session.ts';
import { LoginGate } from './login-gate.ts';

const seed = 20_261_123;
const linesPerRun = 50;
const runs = 100;

const names = commands.map((entry) => entry.name);
const words = [
  '--reason',
  '--yes',
  '--board',
  '--every',
  '--status',
  'yes',
  'no',
  'on',
  'off',
  'tail',
  '1',
  '-1',
  '1e99',
  'takeover',
];

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Near to a command, so that the parser gets as far as it can. */
const almostCommand = fc
  .array(fc.oneof(fc.constantFrom(...names), fc.constantFrom(...words), fc.string({ maxLength: 12 })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => bytes(parts.join(' ')));
const request = fc
  .record(
    {
      command: fc.oneof(fc.constantFrom(...names, 'yes', 'no'), fc.string({ maxLength: 30 }), fc.integer()),
      reason: fc.oneof(fc.string({ maxLength: 20 }), fc.integer()),
      yes: fc.oneof(fc.boolean(), fc.string({ maxLength: 4 })),
      id: fc.oneof(fc.integer(), fc.string({ maxLength: 80 }), fc.constant(null)),
    },
    { requiredKeys: [] },
  )
  .map((value) => bytes(JSON.stringify(value)));
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => bytes(JSON.stringify(value)));
const garbage = fc.uint8Array({ maxLength: 200 });
const long = fc
  .integer({ min: 1, max: 6000 })
  .map((length) => bytes('safe --yes --reason '.padEnd(length, 'x')));
const sequences = fc
  .array(
    fc.constantFrom(
      '\u001b[A',
      '\u001b[200~',
      '\u001b]0;',
      '\u001bP',
      '\t',
      '\u007f',
      '\u0003',
      '\u0015',
      '\u0012',
      'safe',
      ' ',
      '\u0000',
    ),
    {
      maxLength: 30,
    },
  )
  .map((parts) => bytes(parts.join('')));
const kernel = fc
  .tuple(fc.nat(), fc.string({ maxLength: 60 }))
  .map(([time, text]) => bytes(`[${time}.000000] ${text}`));
const end = fc.constantFrom(bytes('\r'), bytes('\n'), bytes('\r\n'));
const line = fc.oneof(
  { weight: 4, arbitrary: almostCommand },
  { weight: 2, arbitrary: request },
  { weight: 1, arbitrary: json },
  { weight: 2, arbitrary: garbage },
  { weight: 1, arbitrary: long },
  { weight: 2, arbitrary: sequences },
  { weight: 1, arbitrary: kernel },
);
const life = fc.record({
  lines: fc.array(fc.tuple(line, end, fc.nat({ max: 40_000 })), {
    minLength: linesPerRun,
    maxLength: linesPerRun,
  }),
  mode: fc.constantFrom('text' as const, 'json' as const),
  /** Into how many bytes the line is cut on its way. */
  pieceBytes: fc.constantFrom(1, 7, 64, 100_000),
});

interface Told {
  confirmations: number;
  orders: FakeOrder[];
  answersLengthMax: number;
}

function live(
  { lines, mode, pieceBytes }: typeof life extends fc.Arbitrary<infer Life> ? Life : never,
  locked: boolean,
): Told {
  const board = new FakeConsoleBoard();
  let now = 0;
  let answerLength = 0;
  const told: Told = { confirmations: 0, orders: board.orders, answersLengthMax: 0 };
  const session = new ConsoleSession({
    name: 'test',
    board,
    mode,
    statusIntervalMs: 0,
    password: locked ? { gate: new LoginGate(), check: (_text, done) => done(false) } : null,
    write: (text) => {
      answerLength += text.length;
      if (text.includes('Type yes to go on') || text.includes('"kind":"confirm"')) told.confirmations += 1;
      return true;
    },
  });
  session.open(now);
  for (const [content, lineEnd, pauseMs] of lines) {
    answerLength = 0;
    const all = new Uint8Array([...content, ...lineEnd]);
    for (let from = 0; from < all.length; from += pieceBytes) {
      session.bytes(now, all.subarray(from, from + pieceBytes));
    }
    told.answersLengthMax = Math.max(told.answersLengthMax, answerLength / (1 + all.length));
    now += pauseMs;
    session.tick(now);
    for (const done of board.writing.splice(0)) done({ fault: 'no disk' });
  }
  return told;
}

/** What asks for no confirmation: the answer came with it, in a line that has both words. */
function mayOrder(content: Uint8Array): boolean {
  const text = new TextDecoder().decode(content);
  return text.includes('--yes') || /"yes":true/.test(text) || /\byes\b/.test(text);
}

describe('hostile lines', () => {
  test(`${2 * runs * linesPerRun} lines, on an open line and a locked one`, { timeout: 120_000 }, () => {
    const lines = { sent: 0, orders: 0 };
    const check = (locked: boolean): void =>
      fc.assert(
        fc.property(life, (each) => {
          lines.sent += each.lines.length;
          const told = live(each, locked);
          lines.orders += told.orders.length;
          if (locked) expect(told.orders).toEqual([]);
          if (!each.lines.some(([content]) => mayOrder(content))) expect(told.orders).toEqual([]);
          for (const order of told.orders) expect(order.reason).not.toBe('');
          // A line's answer is bounded, whatever the line was.
          expect(told.answersLengthMax).toBeLessThan(20_000);
        }),
        { seed: locked ? seed + 1 : seed, numRuns: runs },
      );
    check(false);
    // It has got as far as that: orders that were confirmed are carried out.
    expect(lines.orders).toBeGreaterThan(0);
    check(true);
    expect(lines.sent).toBe(2 * runs * linesPerRun);
  });

  test('a line that never ends takes no memory', () => {
    const board = new FakeConsoleBoard();
    let written = 0;
    const session = new ConsoleSession({
      name: 'test',
      board,
      mode: 'json',
      statusIntervalMs: 0,
      password: null,
      write: (text) => {
        written += text.length;
        return true;
      },
    });
    session.open(0);
    written = 0;
    const chunk = new Uint8Array(64 * 1024).fill(0x61);
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 64; count++) session.bytes(count, chunk);
    const grownBytes = process.memoryUsage().heapUsed - before;
    expect(grownBytes).toBeLessThan(32 * 1024 * 1024);
    expect(written).toBe(0);
    session.bytes(100, Uint8Array.of(0x0a));
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(lineBytesMax);
  });
});
