/** The lines between boards and machine code in virtual time, without the boards. */
import { beforeEach, describe, expect, test } from 'vitest';
import { encodeStreamMessage, StreamReceiver } from '../../../protocol/device-stream/frames.ts';
import { type BoardName, boardNames } from '../fault.ts';
import type { Observation } from '../observation.ts';
import { Random } from '../random.ts';
import { VirtualTime } from '../virtual-time.ts';
import { EmulatedDevice } from './emulated-device.ts';
import { committedFirmware } from './machine-code-pair.ts';

const bitsPerSecond = 115_200;
/** Start-up of the chip, and of the firmware. */
const startedMs = 150;

let time: VirtualTime;
let device: EmulatedDevice;
let heard: Record<BoardName, { at: number; bytes: number[] }[]>;
let observed: Observation[];

beforeEach(() => {
  time = new VirtualTime();
  heard = { a: [], b: [] };
  observed = [];
  device = new EmulatedDevice(
    { program: committedFirmware() },
    {
      time,
      random: new Random('emulated device'),
      index: 0,
      bitsPerSecond,
      toBoard: (board, bytes) => heard[board].push({ at: time.now, bytes: [...bytes] }),
      observe: (observation) => observed.push(observation),
    },
  );
  for (const name of boardNames) device.lines[name].isOpen = true;
  device.start();
});

function messagesAt(board: BoardName): string[] {
  const bytes = heard[board].flatMap((each) => each.bytes);
  const items = new StreamReceiver().push(Uint8Array.from(bytes));
  return items.map((item) => (item.kind === 'message' ? item.message.kind : item.kind));
}

const attach = encodeStreamMessage({ kind: 'attach', term: 1, session: 1, inputs: 0 });

test('the firmware announces itself on both lines, a byte after the other', () => {
  time.runUntil(startedMs);
  for (const name of boardNames) expect(messagesAt(name)).toEqual(['hello']);
  const [first, last] = [heard.a[0]!.at, heard.a.at(-1)!.at];
  const count = heard.a.flatMap(({ bytes }) => bytes).length;
  expect(last - first).toBeGreaterThan(((count - 2) * 10_000) / bitsPerSecond);
  expect(observed[0]).toMatchObject({ kind: 'device-safe' });
  expect(observed[1]).toMatchObject({ kind: 'device-session', session: 1 });
});

test('what a board says is answered on its line, and observed', () => {
  time.runUntil(startedMs);
  device.lines.b.toDevice(attach);
  time.runUntil(startedMs + 60);
  expect(messagesAt('b')).toContain('attached');
  expect(messagesAt('a')).not.toContain('attached');
  expect(observed).toContainEqual({ kind: 'device-attached', device: 0, board: 'b', term: 1, session: 1 });
  expect(device.info().get('port')).toBe('b');
});

describe('a closed line', () => {
  test('carries nothing', () => {
    time.runUntil(startedMs);
    device.lines.a.isOpen = false;
    device.lines.a.toDevice(attach);
    time.runUntil(startedMs + 60);
    expect(device.info().get('term')).toBe('0');
  });

  test('loses what was on it', () => {
    time.runUntil(startedMs);
    device.lines.a.toDevice(attach);
    time.runUntil(startedMs + 0.5);
    device.lines.a.isOpen = false;
    time.runUntil(startedMs + 60);
    const info = device.info();
    expect(info.get('term')).toBe('0');
    expect(Number(info.get('received_a'))).toBeGreaterThan(0);
    expect(Number(info.get('received_a'))).toBeLessThan(attach.length);
  });
});

test('noise damages both ways, as often as it is told to, and is counted', () => {
  time.runUntil(startedMs);
  const { a } = device.lines;
  a.noise = 0.1;
  const query = encodeStreamMessage({ kind: 'query' });
  for (let count = 0; count < 200; count++) {
    a.toDevice(query);
    time.runUntil(time.now + 5);
  }
  const { carried, flipped, dropped, inserted } = a.counts;
  for (const count of [flipped, dropped, inserted]) {
    expect(count).toBeGreaterThan(0.06 * carried);
    expect(count).toBeLessThan(0.14 * carried);
  }
  expect(device.lines.b.counts).toMatchObject({ flipped: 0, dropped: 0, inserted: 0 });
});

test('a restart is a loss of the supply: another session', () => {
  time.runUntil(startedMs);
  device.restart();
  time.runUntil(2 * startedMs + 150);
  const sessions = observed.filter(({ kind }) => kind === 'device-session');
  expect(sessions).toMatchObject([{ session: 1 }, { session: 2 }]);
  expect(device.machine.resets.map(({ cause }) => cause)).toEqual(['powerOn', 'powerOn']);
});

test('machine code is not slowed down from outside', () => {
  device.msPerByte = 0;
  expect(() => {
    device.msPerByte = 1;
  }).toThrow(/takes the time/);
});
