/**
 * Cuts what the controller sends into messages, as FirmataParser.cpp of the Arduino library does: inside a
 * sysex every byte up to the end mark is content (firmata-io sends 8-bit bytes in an I2C configuration). A
 * second start mark restarts the sysex, so that a torn message costs only itself; the original would swallow
 * the next message too. Memory is bounded by `sysexBytesMax`.
 */
import { command } from './messages.ts';

export type FirmataMessage =
  | { kind: 'short'; command: number; first: number; second: number }
  | { kind: 'sysex'; id: number; data: Uint8Array }
  | { kind: 'malformed'; reason: 'torn' | 'too-long' | 'empty' | 'stray-byte' | 'unknown-command' };

/** Data bytes after each command; the channel commands carry their channel in the low nibble. */
function dataBytesOf(status: number): number | null {
  const kind = status < 0xf0 ? status & 0xf0 : status;
  switch (kind) {
    case command.digitalMessage:
    case command.analogMessage:
    case command.setPinMode:
    case command.setDigitalPin:
      return 2;
    case command.reportAnalog:
    case command.reportDigital:
      return 1;
    case command.reportVersion:
    case command.systemReset:
      return 0;
    default:
      return null;
  }
}

export class FirmataParser {
  readonly #sysex: Uint8Array;
  /** Bytes of the sysex so far; null outside of one. May exceed the buffer: then it is too long. */
  #sysexLength: number | null = null;
  #status = 0;
  #wanted = 0;
  #first: number | null = null;

  constructor(sysexBytesMax: number) {
    this.#sysex = new Uint8Array(sysexBytesMax);
  }

  /** Forgets an unfinished message, as a reset of the board does. */
  reset(): void {
    this.#sysexLength = null;
    this.#wanted = 0;
    this.#first = null;
  }

  *push(bytes: Uint8Array): Generator<FirmataMessage> {
    for (const byte of bytes) {
      const message = this.#sysexLength === null ? this.#outside(byte) : this.#inside(byte);
      if (message !== null) yield message;
    }
  }

  #inside(byte: number): FirmataMessage | null {
    const length = this.#sysexLength!;
    if (byte === command.startSysex) {
      this.#sysexLength = 0;
      return { kind: 'malformed', reason: 'torn' };
    }
    if (byte !== command.endSysex) {
      if (length < this.#sysex.length) this.#sysex[length] = byte;
      this.#sysexLength = length + 1;
      return null;
    }
    this.#sysexLength = null;
    if (length === 0) return { kind: 'malformed', reason: 'empty' };
    if (length > this.#sysex.length) return { kind: 'malformed', reason: 'too-long' };
    return { kind: 'sysex', id: this.#sysex[0]!, data: this.#sysex.slice(1, length) };
  }

  #outside(byte: number): FirmataMessage | null {
    if (byte < 0x80) return this.#data(byte);
    const torn = this.#wanted > 0;
    this.#wanted = 0;
    this.#first = null;
    if (byte === command.startSysex) {
      this.#sysexLength = 0;
      return torn ? { kind: 'malformed', reason: 'torn' } : null;
    }
    const dataBytes = dataBytesOf(byte);
    if (dataBytes === null) return { kind: 'malformed', reason: 'unknown-command' };
    if (dataBytes === 0) return { kind: 'short', command: byte, first: 0, second: 0 };
    this.#status = byte;
    this.#wanted = dataBytes;
    return torn ? { kind: 'malformed', reason: 'torn' } : null;
  }

  #data(byte: number): FirmataMessage | null {
    if (this.#wanted === 0) return { kind: 'malformed', reason: 'stray-byte' };
    if (this.#wanted === 2) {
      this.#first = byte;
      this.#wanted = 1;
      return null;
    }
    const first = this.#first ?? byte;
    const second = this.#first === null ? 0 : byte;
    this.#wanted = 0;
    this.#first = null;
    return { kind: 'short', command: this.#status, first, second };
  }
}
