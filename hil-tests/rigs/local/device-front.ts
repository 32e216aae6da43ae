/**
 * What stands between the UARTs of a simulated device and its Firmata: the fence, or nothing.
 *
 * The one interface of the fenced and the plain device; the process that hosts them knows no other difference.
 */
import type { DevicePort } from '../../../protocol/device-stream/device.ts';
import type { DeviceEvent } from './device-events.ts';
import type { OutputLedger } from './output-ledger.ts';

/** What a front is given to work with. */
export interface FrontSurroundings {
  clock: () => number;
  emit: (event: DeviceEvent) => void;
  ledger: OutputLedger;
  transmit: (port: DevicePort, bytes: Uint8Array) => void;
  /** Outputs of the program for the firmware. */
  execute: (bytes: Uint8Array) => void;
  /** Outputs to their safe state, firmware as after power-on; it announces itself again. */
  driveSafe: () => void;
}

export interface DeviceFront {
  readonly session: number;
  readonly term: number;
  start(): void;
  /** From a board's UART. */
  receive(port: DevicePort, bytes: Uint8Array): void;
  /** From the firmware, toward the program: one message. */
  produce(bytes: Uint8Array): void;
  opened(port: DevicePort): void;
  restart(): void;
  stop(): void;
}
