/**
 * Is the port there, ours to open, and free? Asked before it is opened, so that what is wrong can be told in words.
 *
 * The modem line DTR resets an Arduino. Linux raises it when a port is opened, whatever the program wants; what can be
 * avoided is that it falls again at the end (`hupcl: false`), so that the next opening is no edge and resets nothing.
 */
import { checkPort, portSurroundings } from '../doctor/ports.ts';
import { DeviceError } from './device-error.ts';

export const resetWarning =
  'opening a USB port raises DTR, which resets an Arduino whose RESET-EN bridge is not cut: its outputs go to their safe ' +
  'state and a running pair starts its program again. DTR is left raised, so that the next opening resets nothing';

export function requireFreePort(path: string): void {
  const check = checkPort('device', path, portSurroundings());
  if (check.verdict === 'ok') return;
  const remedy = check.remedy === null ? '' : `. ${check.remedy}`;
  const code = check.verdict === 'warning' ? 'DEVICE_PORT_LOCKED' : 'DEVICE_PORT_UNUSABLE';
  throw new DeviceError(code, `${path}: ${check.found.replace(/^device: /, '')}${remedy}`);
}

export function portFault(path: string, error: Error): DeviceError {
  const code = /lock|busy/i.test(error.message) ? 'DEVICE_PORT_LOCKED' : 'DEVICE_PORT_UNUSABLE';
  return new DeviceError(code, `${path} cannot be opened: ${error.message}`, error);
}
