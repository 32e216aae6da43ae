import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BoardCondition, ScreenModel } from './model.ts';
import { drawScreen } from './screen.ts';

const goldenFolder = new URL('./golden/', import.meta.url);

function board(condition: BoardCondition, isProtected: boolean): ScreenModel['boards']['a'] {
  if (condition === 'off') return { condition, facts: null };
  return {
    condition,
    facts: {
      term: 3,
      protected: isProtected,
      turns: 12_345,
      executedTurns: 12_344,
      lagTurns: condition === 'backup' ? 1 : 0,
      divergences: 0,
      silentForMs: 5,
      deviceOpen: true,
    },
  };
}

const arrivals = [10, 10, 9, 10, 10, 0, 0, 3, 10, 11];

function protectedPair(): ScreenModel {
  return {
    program: 'examples/tank.js',
    plantName: 'tank',
    elapsedMs: 12_340,
    isProtected: true,
    boards: { a: board('primary', true), b: board('backup', true) },
    cables: {
      serial: { state: 'up', roundTripMs: 12.4, arrivals, beats: 2 },
      ethernet: { state: 'up', roundTripMs: 1.13, arrivals, beats: 5 },
    },
    device: {
      attachedBoard: 'a',
      term: 3,
      session: 1,
      safe: false,
      acceptedBytes: 900,
      rejectedStaleBytes: 0,
    },
    plant: {
      levelShare: 0.54,
      valveOpenShare: 1,
      inflowLitresPerSecond: 1,
      pumpSpeedShare: 0,
      pumpLitresPerSecond: 0,
      floatSwitchClosed: false,
      consumedLitres: 2.2,
      overflowLitres: 0,
    },
    pins: { 9: 146, 13: 1 },
    events: [
      { atMs: 2300, text: 'board A is in control', style: 'plain' },
      { atMs: 2350, text: 'board A is protected', style: 'good' },
    ],
    lastFault: null,
    programSays: '2026-01-01T00:00:00.000Z  54.0 %  valve on, pump off',
    script: { step: 1, steps: 5, text: 'board A is killed: the other must take over' },
    notice: '',
    isHelpShown: false,
  };
}

/** After board B was killed and A took over, with the Ethernet cable cut. */
function brokenPair(): ScreenModel {
  const model = protectedPair();
  return {
    ...model,
    isProtected: false,
    boards: { a: board('primary', false), b: board('off', false) },
    cables: {
      ...model.cables,
      serial: { state: 'up', roundTripMs: null, arrivals: [...arrivals, 0, 0], beats: 2 },
      ethernet: { state: 'cut', roundTripMs: null, arrivals: [], beats: 0 },
    },
    plant: {
      ...model.plant,
      valveOpenShare: 0,
      pumpSpeedShare: 1,
      pumpLitresPerSecond: 0.8,
      floatSwitchClosed: true,
    },
    events: [
      ...model.events,
      { atMs: 9100, text: 'board B killed (SIGKILL)', style: 'warning' },
      { atMs: 9142, text: 'device obeys board A, term 3', style: 'good' },
      {
        atMs: 9143,
        text: 'board A says something so long that one line of the list cannot hold it',
        style: 'plain',
      },
    ],
    lastFault: {
      kind: 'kill-primary',
      board: 'b',
      atMs: 9100,
      attachGapMs: 42.4,
      outputGapMs: 55.5,
      follower: 'a',
    },
    script: null,
  };
}

const plain = { color: false, unicode: true };
// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with one.
const visible = (line: string): string => line.replace(/\u001b\[[0-9;]*m/g, '');

describe('the picture', () => {
  it.each([
    ['protected', protectedPair(), 80, 24],
    ['protected', protectedPair(), 120, 40],
    ['broken', brokenPair(), 80, 24],
    ['broken', brokenPair(), 120, 40],
  ])('of a %s pair is the golden one', async (name, model, columns, rows) => {
    const text = drawScreen(model, { columns, rows, ...plain }).join('\n');
    await expect(`${text}\n`).toMatchFileSnapshot(
      new URL(`${name}-${columns}x${rows}.txt`, goldenFolder).pathname,
    );
  });

  it('is the golden one in ASCII', async () => {
    const text = drawScreen(brokenPair(), { columns: 80, rows: 24, color: false, unicode: false }).join('\n');
    expect(text).toMatch(/^[\n -~]*$/);
    await expect(`${text}\n`).toMatchFileSnapshot(new URL('broken-80x24-ascii.txt', goldenFolder).pathname);
  });

  it('has the same characters with and without colours', () => {
    const size = { columns: 100, rows: 30, unicode: true };
    const colored = drawScreen(brokenPair(), { ...size, color: true });
    expect(colored.join('')).toContain('\u001b[');
    expect(colored.map((line) => visible(line).trimEnd())).toEqual(
      drawScreen(brokenPair(), { ...size, color: false }),
    );
  });

  it('fits into any terminal', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 220 }),
        fc.integer({ min: 1, max: 70 }),
        fc.boolean(),
        fc.boolean(),
        (columns, rows, isHelpShown, color) => {
          const lines = drawScreen({ ...brokenPair(), isHelpShown }, { columns, rows, color, unicode: true });
          expect(lines).toHaveLength(rows);
          for (const line of lines) expect([...visible(line)].length).toBeLessThanOrEqual(columns);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('lets no text of a program or an event command the terminal', () => {
    const model = protectedPair();
    model.programSays = 'a\u001b[2J\u0007漢字e\u0301';
    model.events = [{ atMs: 1, text: '\u001b]0;title\u0007', style: 'plain' }];
    const text = drawScreen(model, { columns: 120, rows: 40, ...plain }).join('');
    for (const wrong of ['\u001b', '\u0007', '漢', '\u0301']) expect(text).not.toContain(wrong);
    expect(text).toContain('program says: a?[2J');
  });

  it('says in words what is wrong', () => {
    const text = (model: ScreenModel): string =>
      drawScreen(model, { columns: 80, rows: 24, ...plain })
        .slice(0, 4)
        .join('\n');
    expect(text(protectedPair())).toContain('PROTECTED: if board A fails now, board B goes on');
    expect(text(brokenPair())).toContain('NOT PROTECTED: board B is off, board A works alone');
    const nobody = { ...brokenPair(), boards: { a: board('off', false), b: board('off', false) } };
    expect(text(nobody)).toContain('NOT PROTECTED: nobody is in control');
    nobody.device = { ...nobody.device, safe: true };
    expect(text(nobody)).toContain('safe state');
  });

  it('lists the quantities of a plant that is no tank', () => {
    const model: ScreenModel = {
      ...protectedPair(),
      plantName: 'bench',
      plant: { presses: 12, keyDown: true },
    };
    const text = drawScreen(model, { columns: 80, rows: 24, ...plain }).join('\n');
    expect(text).toMatch(/presses +12/);
    expect(text).toMatch(/keyDown +yes/);
    expect(text).toMatch(/output pin 9 +146/);
  });
});
