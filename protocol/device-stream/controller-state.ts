/** What a `DeviceController` is: its checked options and its states (controller.ts). */
import type { DeviceControllerOptions } from './controller-contract.ts';
import { requireWhole } from './options.ts';

export type ControllerState =
  | { kind: 'idle' }
  | {
      kind: 'attaching';
      term: number;
      /** The session that the supervisor named. */
      wanted: number | null;
      /** The session that ATTACH names: wanted, or learned from HELLO; 0 while unknown. */
      session: number;
      inputs: number;
      outputsNear: number;
      /** One HELLO of another session may be an old one out of a buffer; a second one, after a new ATTACH, is not. */
      mismatches: number;
    }
  | { kind: 'attached'; term: number; session: number; releasing: boolean };

/** The options with their defaults; throws a RangeError that states the rule broken. */
export function checkedOptions(options: DeviceControllerOptions): Required<DeviceControllerOptions> {
  const {
    bitsPerSecond = 115_200,
    keepaliveIntervalMs = 50,
    deviceTimeoutMs = 500,
    responseMs = 10,
  } = options;
  requireWhole('bitsPerSecond', bitsPerSecond, 1200, 4_000_000);
  requireWhole('keepaliveIntervalMs', keepaliveIntervalMs, 1, 1000);
  requireWhole('deviceTimeoutMs', deviceTimeoutMs, 10, 60_000);
  requireWhole('responseMs', responseMs, 1, 1000);
  if (deviceTimeoutMs <= 4 * keepaliveIntervalMs) {
    throw new RangeError(
      `deviceTimeoutMs must be more than 4 keepalive intervals of ${keepaliveIntervalMs} ms (got ${deviceTimeoutMs})`,
    );
  }
  return { bitsPerSecond, keepaliveIntervalMs, deviceTimeoutMs, responseMs };
}
