/**
 * Plain devices beside the fenced one: each with its line wired to both boards, as a GPS mouse with two receivers is.
 * What it says reaches both boards; what either board writes reaches it, counted by board.
 */
import { openDevices } from '../../programs/bare/devices.ts';
import { openPseudoTerminal, type PseudoTerminal } from './pseudo-terminal.ts';

export interface PlainDevice {
  /** The path that the program opens. */
  name: string;
  ports: { a: string; b: string };
  writtenBytes: { a: number; b: number };
  close(): void;
}

/** `needs`: `kind@path` as in programs/manifest.ts. */
export function openPlainDevices(needs: readonly string[]): PlainDevice[] {
  return [...openDevices({ plant: 'none', chips: [], devices: needs })].map(([name, device]) => {
    const ends = { a: openPseudoTerminal(), b: openPseudoTerminal() };
    const writtenBytes = { a: 0, b: 0 };
    let closed = false;
    for (const board of ['a', 'b'] as const) {
      ends[board].onData((bytes) => {
        writtenBytes[board] += bytes.length;
        device.receive(new Uint8Array(bytes));
      });
    }
    device.start((bytes) => {
      if (closed) return;
      for (const end of [ends.a, ends.b] as PseudoTerminal[]) end.write(bytes);
    });
    return {
      name,
      ports: { a: ends.a.path, b: ends.b.path },
      writtenBytes,
      close: () => {
        closed = true;
        ends.a.close();
        ends.b.close();
      },
    };
  });
}
