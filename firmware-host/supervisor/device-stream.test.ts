import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeviceStream } from './device-stream.ts';

const newStream = (): DeviceStream => new DeviceStream(0, { name: 'm', kind: 'fenced', arbiter: true }, null);
const bytesOf = (length: number, first = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (first + index) % 256);

test('outputs are released in order, each once, up to the turn that may go', () => {
  const stream = newStream();
  stream.rebase(1, 100, 0);
  stream.append(0, bytesOf(3));
  stream.append(0, bytesOf(2));
  stream.append(4, bytesOf(5));
  expect(stream.release(4).map((piece) => piece.offset)).toEqual([100, 103]);
  expect(stream.release(4)).toEqual([]);
  expect(stream.release(5).map((piece) => piece.offset)).toEqual([105]);
  expect(stream.produced).toBe(110);
});

test('after a takeover exactly what the device lacks is sent', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(lengths, fc.nat(), fc.nat(), (pieces, trimmed, accepted) => {
      const stream = newStream();
      stream.rebase(1, 0, 0);
      for (const [turn, length] of pieces.entries()) stream.append(turn, bytesOf(length, stream.produced));
      const device = accepted % (stream.produced + 1);
      // What the primary reported was confirmed by the device, so it is never more.
      stream.confirm(trimmed % (device + 1));
      stream.rewind(device);
      const sent = stream.release(pieces.length);
      let next = device;
      for (const piece of sent) {
        expect(piece.offset).toBe(next);
        expect(piece.bytes).toEqual(bytesOf(piece.bytes.length, next));
        next += piece.bytes.length;
      }
      expect(next).toBe(stream.produced);
    }),
  );
});

test('the oldest byte that can be sent again moves with what is confirmed', () => {
  const stream = newStream();
  stream.rebase(1, 10, 0);
  expect(stream.oldest).toBe(10);
  stream.append(0, bytesOf(8));
  expect(stream.oldest).toBe(10);
  stream.confirm(14);
  expect(stream.oldest).toBe(14);
  stream.confirm(18);
  expect(stream.oldest).toBe(18);
});

test('inputs are safe when the records of their turns are', () => {
  const stream = newStream();
  stream.rebase(1, 0, 50);
  stream.recordInput(3, 5);
  stream.recordInput(6, 2);
  expect(stream.inputsSafe(3)).toBeNull();
  expect(stream.inputsSafe(4)).toBe(55);
  expect(stream.inputsSafe(4)).toBeNull();
  expect(stream.inputsSafe(9)).toBe(57);
  expect(stream.inputsStored).toBe(57);
});

test('waiting input comes as events of bounded size, nothing lost between them', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 20 }), fc.integer({ min: 1, max: 17 }), (chunks, most) => {
      const stream = newStream();
      let total = 0;
      for (const length of chunks) {
        stream.receive(bytesOf(length, total));
        total += length;
      }
      expect(stream.waitingInputBytes).toBe(total);
      let taken = 0;
      while (stream.waitingInputBytes > 0) {
        const bytes = stream.takeInput(most);
        expect(bytes.length).toBeGreaterThan(0);
        expect(bytes.length).toBeLessThanOrEqual(most);
        expect(bytes).toEqual(bytesOf(bytes.length, taken));
        taken += bytes.length;
      }
      expect(taken).toBe(total);
    }),
  );
});

test('credit is given back in large steps, and once it is in a record not again', () => {
  const stream = newStream();
  stream.rebase(1, 0, 0);
  stream.append(0, bytesOf(70_000));
  stream.confirm(32_767);
  expect(stream.takeCredit()).toBe(0);
  stream.confirm(40_000);
  expect(stream.takeCredit()).toBe(40_000);
  stream.credited(40_000);
  expect(stream.takeCredit()).toBe(0);
});
