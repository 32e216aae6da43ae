/** A simulated device with what it sent, for tests of single messages. Time begins at 0. */
import { SimulatedFirmata, type SimulatedFirmataOptions } from './firmata.ts';
import { command } from './messages.ts';

export interface DeviceRig {
  device: SimulatedFirmata;
  /** Hands bytes in at the current time. */
  send(...bytes: number[]): void;
  /** Hands a sysex in at the current time. */
  sendSysex(id: number, ...data: number[]): void;
  /** Lets the device run until `now`, waking it when it asks for it. Ends at `now`. */
  runUntil(now: number): void;
  /** Everything sent since the last call. */
  taken(): number[];
  /** The sysexes sent since the last call as [id, ...data]. */
  takenSysex(): number[][];
}

export function startDevice(options: SimulatedFirmataOptions): DeviceRig {
  const device = new SimulatedFirmata(options);
  let sent: number[] = [];
  let time = 0;
  device.onTransmit = (bytes) => {
    sent.push(...bytes);
  };
  device.tick(0);
  const taken = () => {
    const bytes = sent;
    sent = [];
    return bytes;
  };
  return {
    device,
    send: (...bytes) => device.receive(time, Uint8Array.from(bytes)),
    sendSysex: (id, ...data) =>
      device.receive(time, Uint8Array.from([command.startSysex, id, ...data, command.endSysex])),
    runUntil(now) {
      for (let at = device.nextWakeAt; at !== null && at <= now; at = device.nextWakeAt) device.tick(at);
      device.tick(now);
      time = now;
    },
    taken,
    takenSysex() {
      const messages: number[][] = [];
      let open: number[] | null = null;
      for (const byte of taken()) {
        if (byte === command.startSysex) open = [];
        else if (byte === command.endSysex && open !== null) {
          messages.push(open);
          open = null;
        } else open?.push(byte);
      }
      return messages;
    },
  };
}
