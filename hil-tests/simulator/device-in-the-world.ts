/** What a life asks of a fenced device, whether a model is behind it (simulated-device.ts) or machine code (machine-code/emulated-device.ts). */
import type { BoardName } from './fault.ts';
import type { Observation } from './observation.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The line between one board and the device. */
export interface LineInTheWorld {
  /** The board's port is open. Closed: what is on the line is lost, both ways. */
  isOpen: boolean;
  /** Probability of damage; of what, the line says. 0: none. */
  noise: number;
  toDevice(bytes: Uint8Array): void;
}

export interface DeviceInTheWorld {
  readonly lines: Record<BoardName, LineInTheWorld>;
  /** How long the firmware takes over each byte of output, beyond its own time. Machine code can only take 0. */
  msPerByte: number;
  start(): void;
  /** The device loses its supply and starts again. */
  restart(): void;
}

/** Given to whoever makes a device for a life. */
export interface DeviceSurroundings {
  time: VirtualTime;
  random: Random;
  index: number;
  bitsPerSecond: number;
  /** Bytes from the line to this board's supervisor. */
  toBoard(board: BoardName, bytes: Uint8Array): void;
  observe(observation: Observation): void;
}
