import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bench } from '../plants/bench.ts';
import { attachBenchParts } from '../plants/bench-parts.ts';
import { unoProfile } from '../uno/profile.ts';
import { SimulatedFirmata } from './firmata.ts';
import { sysex } from './messages.ts';

const anyByte = fc.integer({ min: 0, max: 255 });
const sevenBits = fc.integer({ min: 0, max: 127 });
/** A sysex of a kind that the device knows, with any content: reaches the handlers, where random bytes seldom do. */
const knownSysex = fc
  .tuple(
    fc.constantFrom(...Object.values(sysex)),
    fc.integer({ min: 0, max: 0x45 }),
    fc.array(sevenBits, { maxLength: 40 }),
  )
  .map(([id, subcommand, data]) => [0xf0, id, subcommand, ...data, 0xf7]);
const shortMessage = fc
  .tuple(fc.constantFrom(0x90, 0xc0, 0xd0, 0xe0), fc.integer({ min: 0, max: 15 }), sevenBits, sevenBits)
  .map(([kind, channel, first, second]) => [kind | channel, first, second]);
const pinMode = fc.tuple(fc.integer({ min: 0, max: 21 }), sevenBits).map(([pin, mode]) => [0xf4, pin, mode]);
const input = fc.oneof(knownSysex, shortMessage, pinMode, fc.array(anyByte, { maxLength: 60 }));
const history = fc.array(fc.record({ bytes: input, pauseMs: fc.integer({ min: 0, max: 60 }) }), {
  maxLength: 60,
});

interface Run {
  sent: string;
  digest: number;
}

function run(inputs: { bytes: number[]; pauseMs: number }[]): Run {
  const device = new SimulatedFirmata({ profile: unoProfile, plant: new Bench() });
  attachBenchParts(device);
  let sent = '';
  device.onTransmit = (bytes) => {
    sent += `${bytes.join(' ')},`;
    // What goes out must be Firmata: eight-bit bytes only as marks.
    for (const byte of bytes.subarray(1, -1)) expect(byte).toBeLessThan(0x80);
  };
  // The buses are open, so that messages to them do something.
  device.receive(0, Uint8Array.of(0xf0, 0x78, 0, 0, 0xf7, 0xf0, 0x73, 0x41, 10, 1, 0xf7));
  let now = 0;
  for (const { bytes, pauseMs } of inputs) {
    device.receive(now, Uint8Array.from(bytes));
    now += pauseMs;
    device.tick(now);
    const wakeAt = device.nextWakeAt;
    expect(wakeAt).not.toBeNull();
    expect(wakeAt!).toBeGreaterThanOrEqual(now);
  }
  device.safeState(now);
  for (const pin of device.pins.all) expect(pin.duty).toBe(0);
  device.receive(now, Uint8Array.of(0xf7, 0xff));
  return { sent, digest: device.tracer.digest };
}

test('any input leaves the device running, and the same input has the same effects', () => {
  fc.assert(
    fc.property(history, (inputs) => {
      expect(run(inputs)).toEqual(run(inputs));
    }),
    { numRuns: 150 },
  );
});

test('an endless sysex takes no more memory than the longest allowed one', () => {
  const device = new SimulatedFirmata({ profile: unoProfile });
  device.receive(0, Uint8Array.of(0xf0, 0x71));
  const chunk = new Uint8Array(65_536).fill(0x41);
  for (let i = 0; i < 50; i++) device.receive(i, chunk);
  device.receive(50, Uint8Array.of(0xf7));
  expect(device.malformedCount).toBe(1);
  expect(device.strings).toEqual([]);
});

test('a flood of strings, requests and moves is bounded', () => {
  const device = new SimulatedFirmata({ profile: unoProfile });
  attachBenchParts(device);
  const message = (...data: number[]) => Uint8Array.of(0xf0, ...data, 0xf7);
  device.receive(0, message(0x73, 0x41, 10, 1));
  for (let i = 0; i < 5000; i++) {
    device.receive(0, message(0x71, 0x41, 0));
    // One-wire delay requests pile up behind each other.
    device.receive(0, message(0x73, 0x10, 10, 0x7f, 0x7f, 0x7f, 0x7f, 0x0f));
    device.receive(0, message(0x75, 7, 1, ...new Array<number>(16).fill(0x7f)));
  }
  expect(device.strings.length).toBeLessThanOrEqual(100);
  expect(device.malformedCount).toBeGreaterThan(9_000);
});
