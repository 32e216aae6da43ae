/**
 * Firmata as it stands in a journal: both directions of one port, cut into messages, in words and as signals.
 *
 * A port is taken for Firmata until it carries what Firmata does not have (a GPS's text): from there on its bytes are
 * shown as they are. The simulated device's parser (boards/simulated/parser.ts) is not used: it knows one direction,
 * and what a real device makes of torn messages; here both are read, and a cut message only has to be named.
 */

import { pinModes } from '../../boards/profile.ts';
import { command, fromPairs, pair, sysex } from '../../boards/simulated/messages.ts';
import { visibleText } from '../journal/lines.ts';

export type Direction = 'out' | 'in';

/** One value that changed, by the name that it has in the exports. */
export interface SignalChange {
  direction: Direction;
  /** `D13`, `D9.pwm`, `A0`, `D3.mode`, `i2c.0x27`, `text`, `sysex.0x62`, `bytes`. */
  signal: string;
  value: number | string;
  /** Bits of a number; 0 for text. */
  bits: number;
}

export interface StreamMessage {
  text: string;
  changes: SignalChange[];
}

const modeNames = new Map(Object.entries(pinModes).map(([name, mode]) => [mode as number, name]));
const sysexNames = new Map(Object.entries(sysex).map(([name, id]) => [id as number, name]));
const shownBytesMax = 24;
const sysexBytesMax = 4096;

export function hex(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, shownBytesMax)).toString('hex').replace(/..\B/g, '$& ');
  return bytes.length > shownBytesMax ? `${shown} … (${bytes.length} bytes)` : shown;
}

/** Data bytes that follow a status byte; null when Firmata has no such one in this direction. */
function dataBytesOf(status: number, direction: Direction): number | null {
  switch (status < 0xf0 ? status & 0xf0 : status) {
    case command.digitalMessage:
    case command.analogMessage:
      return 2;
    case command.reportVersion:
      return direction === 'in' ? 2 : 0;
    case command.setPinMode:
    case command.setDigitalPin:
      return direction === 'out' ? 2 : null;
    case command.reportAnalog:
    case command.reportDigital:
      return direction === 'out' ? 1 : null;
    case command.systemReset:
      return 0;
    default:
      return null;
  }
}

/** What both directions of a port have to know of each other: pins by mode, levels as they were last told. */
class PortPins {
  readonly modes = new Map<number, number>();
  readonly levels = new Map<number, number>();
}

/** One direction. */
class Cutter {
  readonly #direction: Direction;
  #bytes: number[] = [];
  #wanted = 0;

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  /** Whole messages, status byte first; null for a byte that is none of Firmata's. */
  *push(bytes: Uint8Array): Generator<number[] | null> {
    for (const byte of bytes) {
      if (this.#bytes[0] === command.startSysex) {
        if (byte === command.startSysex || this.#bytes.length > sysexBytesMax) yield null;
        this.#bytes.push(byte);
        if (byte === command.endSysex) yield this.#bytes.splice(0);
        continue;
      }
      if (byte >= 0x80) {
        const wanted =
          byte === command.startSysex ? Number.POSITIVE_INFINITY : dataBytesOf(byte, this.#direction);
        if (wanted === null || this.#bytes.length > 0) yield null;
        this.#wanted = wanted ?? 0;
        this.#bytes = [byte];
      } else if (this.#bytes.length === 0) {
        yield null;
        continue;
      } else this.#bytes.push(byte);
      if (this.#bytes.length > this.#wanted) yield this.#bytes.splice(0);
    }
  }
}

export class FirmataPort {
  readonly #pins = new PortPins();
  readonly #cutters = { out: new Cutter('out'), in: new Cutter('in') };
  /** Null until a byte was seen that Firmata has not. */
  #isOther = false;

  /** The bytes of one turn in one direction; several messages, or none when the last is not complete. */
  push(direction: Direction, bytes: Uint8Array): StreamMessage[] {
    if (this.#isOther) return [rawMessage(direction, bytes)];
    const messages: StreamMessage[] = [];
    for (const message of this.#cutters[direction].push(bytes)) {
      if (message === null) {
        this.#isOther = true;
        return [rawMessage(direction, bytes)];
      }
      messages.push(this.#read(direction, message));
    }
    return messages;
  }

  #read(direction: Direction, message: number[]): StreamMessage {
    const [status, first = 0, second = 0] = message as [number, number?, number?];
    const low = status & 0x0f;
    switch (status < 0xf0 ? status & 0xf0 : status) {
      case command.digitalMessage:
        return this.#digitalPort(direction, low, pair(first, second));
      case command.analogMessage:
        return direction === 'out'
          ? this.#analogWrite(low, pair(first, second))
          : analogRead(low, pair(first, second));
      case command.setPinMode:
        return this.#mode(first, second);
      case command.setDigitalPin:
        return {
          text: `digital write pin ${first} = ${second}`,
          changes: this.#level('out', first, second & 1),
        };
      case command.reportAnalog:
        return { text: `report analog A${low} ${first === 0 ? 'off' : 'on'}`, changes: [] };
      case command.reportDigital:
        return {
          text: `report digital pins ${8 * low}..${8 * low + 7} ${first === 0 ? 'off' : 'on'}`,
          changes: [],
        };
      case command.reportVersion:
        return { text: direction === 'in' ? `version ${first}.${second}` : 'version asked', changes: [] };
      case command.systemReset:
        this.#pins.modes.clear();
        this.#pins.levels.clear();
        return { text: 'system reset', changes: [] };
      default:
        return this.#sysex(direction, Uint8Array.from(message.slice(1, -1)));
    }
  }

  /** Devices begin with their digital pins as outputs at 0: a pin without a mode is one, once it is set. */
  #level(direction: Direction, pin: number, value: number): SignalChange[] {
    const before = this.#pins.levels.get(pin) ?? (this.#pins.modes.has(pin) ? null : 0);
    if (before === value) return [];
    this.#pins.levels.set(pin, value);
    return [{ direction, signal: `D${pin}`, value, bits: 1 }];
  }

  /** A message has all eight pins of a port; those of the other direction are 0 in it, or stale. */
  #digitalPort(direction: Direction, port: number, levels: number): StreamMessage {
    const changes: SignalChange[] = [];
    for (let bit = 0; bit < 8; bit++) {
      const pin = port * 8 + bit;
      const mode = this.#pins.modes.get(pin);
      const isOutput = mode === undefined || mode === pinModes.output;
      const isInput = mode === pinModes.input || mode === pinModes.pullUp;
      if (direction === 'out' ? isOutput : isInput)
        changes.push(...this.#level(direction, pin, (levels >> bit) & 1));
    }
    const verb = direction === 'out' ? 'write' : 'read';
    const binary = levels.toString(2).padStart(8, '0');
    return { text: `digital ${verb} pins ${8 * port + 7}..${8 * port} = ${binary}`, changes };
  }

  #analogWrite(pin: number, value: number): StreamMessage {
    const kind = this.#pins.modes.get(pin) === pinModes.servo ? 'servo' : 'pwm';
    const change: SignalChange = { direction: 'out', signal: `D${pin}.${kind}`, value, bits: 14 };
    return { text: `${kind} write pin ${pin} = ${value}`, changes: [change] };
  }

  #mode(pin: number, mode: number): StreamMessage {
    this.#pins.modes.set(pin, mode);
    // What was told of the pin in its other life says nothing of this one.
    this.#pins.levels.delete(pin);
    const name = modeNames.get(mode) ?? `0x${mode.toString(16)}`;
    const changes: SignalChange[] = [{ direction: 'out', signal: `D${pin}.mode`, value: name, bits: 0 }];
    return { text: `mode of pin ${pin} = ${name}`, changes };
  }

  #sysex(direction: Direction, content: Uint8Array): StreamMessage {
    const id = content[0];
    if (id === undefined) return { text: 'empty sysex', changes: [] };
    const data = content.subarray(1);
    if (id === sysex.extendedAnalog && direction === 'out') {
      let value = 0;
      for (let index = data.length - 1; index > 0; index--) value = value * 128 + (data[index]! & 0x7f);
      return this.#analogWrite(data[0] ?? 0, value);
    }
    if (id === sysex.servoConfig) this.#pins.modes.set(data[0] ?? 0, pinModes.servo);
    if (id === sysex.string) {
      const text = visibleText(Buffer.from(fromPairs(data)).toString('latin1'));
      return {
        text: `text "${text}"`,
        changes: [{ direction, signal: 'text', value: text, bits: 0 }],
      };
    }
    const name = sysexNames.get(id) ?? `sysex 0x${id.toString(16)}`;
    if (id === sysex.i2cRequest || id === sysex.i2cReply) {
      const bytes = id === sysex.i2cReply ? fromPairs(data).subarray(1) : fromPairs(data.subarray(2));
      const address = `0x${(data[0] ?? 0).toString(16).padStart(2, '0')}`;
      const changes: SignalChange[] = [{ direction, signal: `i2c.${address}`, value: hex(bytes), bits: 0 }];
      return { text: `${name} ${address}: ${hex(bytes)}`, changes };
    }
    return {
      text: `${name}${data.length === 0 ? '' : `: ${hex(data)}`}`,
      changes: [{ direction, signal: `sysex.${name.replaceAll(' ', '')}`, value: hex(data), bits: 0 }],
    };
  }
}

function analogRead(channel: number, value: number): StreamMessage {
  return {
    text: `analog read A${channel} = ${value}`,
    changes: [{ direction: 'in', signal: `A${channel}`, value, bits: 14 }],
  };
}

function rawMessage(direction: Direction, bytes: Uint8Array): StreamMessage {
  const isText = bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d);
  const value = isText ? visibleText(Buffer.from(bytes).toString('latin1')) : hex(bytes);
  const changes: SignalChange[] = [{ direction, signal: 'bytes', value, bits: 0 }];
  return { text: isText ? `"${value}"` : value, changes };
}
