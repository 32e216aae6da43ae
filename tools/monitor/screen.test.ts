import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalLine } from '../../firmware-host/console/console-schema.ts';
import { event, link, status, told } from './console-items.fake.ts';
import { type Mode, pages } from './keyboard.ts';
import type { MonitorModel } from './model.ts';
import { drawMonitor, type MonitorView } from './screen.ts';
import { WatchedPair, zero } from './watched-pair.fake.ts';

// Times of day are those of the user's zone.
process.env.TZ = 'UTC';

const goldenFolder = new URL('./golden/', import.meta.url);
const plain = { color: false, unicode: true };
// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with one.
const visible = (line: string): string => line.replace(/\u001b\[[0-9;]*m/g, '');

const view: MonitorView = {
  ...{ page: 'pins', isHex: false, noise: [], mode: { kind: 'watching' }, notice: '', scrolledEvents: 0 },
  ...{ isTimeOfDay: true, logFile: null },
};

const turns = (count: number): JournalLine[] =>
  Array.from({ length: count }, (_, index) => ({
    turn: 14_990 + index,
    kind: 'record',
    text: `timer, ${index} B out`,
  }));

function protectedPair(): WatchedPair {
  const pair = new WatchedPair().run(3000);
  const common = { schema: 1, kind: 'journal' } as const;
  pair.say(0, { ...common, board: 'a', monotonicMs: 0, lines: turns(30) });
  pair.say(1, { ...common, board: 'b', monotonicMs: 0, lines: turns(28) });
  return pair;
}

/** Board A's console is gone with its board; B has taken over, and a cable is silent. */
function afterTakeover(): WatchedPair {
  const pair = protectedPair();
  pair.watch.phase(pair.now, 0, 'waiting', 'the port went away');
  pair.now = 3120;
  const tell = (index: number, afterMs: number, code: string, text: string, level?: 'alarm'): void =>
    pair.say(1, told('b', event(index, zero.b + 3100 + afterMs, code, text, level, { silentForMs: 201 })));
  tell(10, 0, 'PEER_RED', 'silence on every link', 'alarm');
  tell(11, 1, 'PAIR_CLAIM', 'takeover: asking the device for term 4 (takeover)');
  tell(12, 14, 'PAIR_PRIMARY', 'primary of term 4 (takeover)');
  tell(13, 15, 'PAIR_SOLO', 'no backup: the next failure stops the program');
  const links = [link('ethernet', { silentForMs: 1500, up: false, discarded: { UNSEALED: 4, REPLAYED: 1 } })];
  const b = { role: 'primary', term: 4, protected: false, verdict: 'red', silentForMs: 1500, links } as const;
  return pair.run(4500, { a: null, b });
}

describe('the monitor’s picture', () => {
  it.each([
    ['protected', protectedPair, 80, 24],
    ['protected', protectedPair, 200, 60],
    ['takeover', afterTakeover, 80, 24],
    ['takeover', afterTakeover, 200, 60],
  ])('of a pair that is in the state %s is the golden one', async (name, make, columns, rows) => {
    const text = drawMonitor(make().model, view, { columns, rows, ...plain }).join('\n');
    await expect(`${text}\n`).toMatchFileSnapshot(
      new URL(`${name}-${columns}x${rows}.txt`, goldenFolder).pathname,
    );
  });

  it('is the golden one in ASCII', async () => {
    const text = drawMonitor(afterTakeover().model, view, {
      columns: 80,
      rows: 24,
      color: false,
      unicode: false,
    });
    expect(text.join('\n')).toMatch(/^[\n -~]*$/);
    await expect(`${text.join('\n')}\n`).toMatchFileSnapshot(
      new URL('takeover-80x24-ascii.txt', goldenFolder).pathname,
    );
  });

  it('says in words what is wrong', () => {
    const head = (model: MonitorModel): string =>
      drawMonitor(model, view, { columns: 160, rows: 40, ...plain })
        .slice(0, 3)
        .join('\n');
    expect(head(protectedPair().model)).toContain('PROTECTED: if board A fails now, board B goes on');
    expect(head(protectedPair().model)).toMatch(
      /TWO failures away\. +If A died now, B would take over in 2\d\d ms/,
    );
    const after = head(afterTakeover().model);
    expect(after).toContain('NOT PROTECTED: board A is silent, board B works alone');
    expect(after).toContain('ONE failure away. If B died now, control would be lost.');
    expect(after).toContain('ethernet is silent.');
    const silent = protectedPair();
    silent.now += 9000;
    expect(head(silent.model)).toContain('NO CONSOLE ANSWERS');
  });

  it('has the same pin of both boards on one row', () => {
    const text = drawMonitor(protectedPair().model, view, { columns: 80, rows: 24, ...plain }).join('\n');
    expect(text).toMatch(/D9 +pwm +146 +146/);
    expect(text).toMatch(/A0 +analog +512 +512/);
  });

  it('marks a pin only where both boards have run the same turn and differ all the same', () => {
    const [device] = status('b', 0).devices;
    const devices = [{ ...device!, pins: [{ name: 'D9', mode: 'PWM', value: 7 }] }];
    const row = (executedTurns: number): string => {
      const pair = new WatchedPair().run(1000, { b: { devices, executedTurns } });
      const lines = drawMonitor(pair.model, view, { columns: 80, rows: 24, color: true, unicode: true });
      return lines.find((line) => line.includes('D9'))!;
    };
    expect(row(13_000)).toContain('\u001b[0;33m');
    expect(row(12_990)).not.toContain('\u001b[0;33m');
  });

  it('has the same turn of both boards on one row, and shows what one of them does not have', () => {
    const lines = drawMonitor(
      protectedPair().model,
      { ...view, page: 'turns' },
      { columns: 100, rows: 30, ...plain },
    );
    expect(lines.find((line) => line.includes('15,017'))).toMatch(/timer, 27 B out +the same/);
    expect(lines.find((line) => line.includes('15,019'))).toMatch(/timer, 29 B o.* · /);
  });

  it.each<[Mode, string]>([
    [
      { kind: 'prompt', purpose: 'reason', text: 'pump' },
      'reason for the switchover (it is journalled): pump_',
    ],
    [{ kind: 'prompt', purpose: 'password', text: 'sesam' }, 'password of the console: *****_'],
    [
      { kind: 'question', text: 'Switch over now?', board: 'a', request: { command: 'yes' } },
      'Switch over now?  (y/n)',
    ],
    [{ kind: 'help' }, 'Ctrl-T, then:'],
    [{ kind: 'menu' }, 'q quit  l clear'],
  ])('shows what is typed or asked: %j', (mode, wanted) => {
    const text = drawMonitor(
      protectedPair().model,
      { ...view, mode },
      { columns: 80, rows: 24, ...plain },
    ).join('\n');
    expect(text).toContain(wanted);
    expect(text).not.toContain('sesam');
  });

  it('scrolls the events', () => {
    const text = (scrolledEvents: number): string =>
      drawMonitor(
        protectedPair().model,
        { ...view, scrolledEvents },
        { columns: 80, rows: 24, ...plain },
      ).join('\n');
    expect(text(0)).toContain('/dev/ttyUSB1: attached');
    expect(text(1)).not.toContain('/dev/ttyUSB1: attached');
  });

  it('fits into any terminal, on every page', () => {
    const model = afterTakeover().model;
    const noise = [{ wallTimeMs: 0, label: 'x', text: 'kernel: usb 1-1: new device' }];
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 220 }),
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom(...pages),
        fc.boolean(),
        fc.boolean(),
        (columns, rows, page, isHex, color) => {
          const lines = drawMonitor(
            model,
            { ...view, page, isHex, noise },
            { columns, rows, color, unicode: true },
          );
          expect(lines).toHaveLength(rows);
          for (const line of lines) expect([...visible(line)].length).toBeLessThanOrEqual(columns);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('lets no text of a board command the terminal', () => {
    const pair = protectedPair();
    pair.say(0, told('a', event(50, zero.a + 3000, 'ODD', 'title\u001b]0;x\u0007\u001b[2J漢')));
    const noise = [{ wallTimeMs: 0, label: 'x', text: '\u001b[31mred' }];
    for (const page of pages) {
      const text = drawMonitor(
        pair.model,
        { ...view, page, noise },
        { columns: 120, rows: 40, ...plain },
      ).join('');
      for (const wrong of ['\u001b', '\u0007', '漢']) expect(text).not.toContain(wrong);
    }
  });
});
