/**
 * One-wire buses (sysex 0x73, onewire.md; OneWireFirmata.cpp of ConfigurableFirmata): one bus on each pin that
 * was configured for it, with the parts attached to that pin.
 *
 * A request's subcommand is a set of bits, carried out in the order reset, skip, select, delay, write, read;
 * select needs 8 bytes of content, read and delay 4 each, the rest is written. All content is packed in
 * seven-bit groups. A delay holds up only what follows on this bus.
 */

import { pinModes } from '../profile.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { from7Bit, sysex, to7Bit } from './messages.ts';

/** A part on a one-wire bus. */
export interface OneWirePart {
  /** 64-bit code: family, serial number (low first), CRC. */
  readonly code: Uint8Array;
  /** True when it would answer an alarm search. */
  alarmed(now: number): boolean;
  /** A reset pulse: the part forgets the function command that it was in. */
  resetPulse(): void;
  /** Bytes written while the part is selected. */
  write(bytes: Uint8Array, now: number): void;
  /** `count` bytes read while the part is selected. */
  read(count: number, now: number): Uint8Array;
}

const searchRequest = 0x40;
const configRequest = 0x41;
const searchReply = 0x42;
const readReply = 0x43;
const alarmSearchRequest = 0x44;
const alarmSearchReply = 0x45;

const resetBit = 0x01;
const skipBit = 0x02;
const selectBit = 0x04;
const readBit = 0x08;
const delayBit = 0x10;
const writeBit = 0x20;

const readBytesMax = 64;
const delayMsMax = 10_000;
const queueMax = 64;

interface Request {
  pin: number;
  bits: number;
  content: Uint8Array;
}

export class OneWireBuses implements Feature {
  readonly ids = [sysex.oneWire];
  readonly #context: FeatureContext;
  readonly #parts = new Map<number, OneWirePart[]>();
  readonly #configured = new Set<number>();
  readonly #selected = new Map<number, OneWirePart[]>();
  /** Requests that wait for a delay to end, and its end. Delays hold up all buses, as delayTask does. */
  #queue: Request[] = [];
  nextAt: number | null = null;

  constructor(context: FeatureContext) {
    this.#context = context;
  }

  attach(pin: number, part: OneWirePart): void {
    const parts = this.#parts.get(pin) ?? [];
    parts.push(part);
    this.#parts.set(pin, parts);
  }

  sysex(now: number, _id: number, data: Uint8Array): boolean {
    if (data.length < 2) return false;
    const subcommand = data[0]!;
    const pin = data[1]!;
    if (subcommand === configRequest) return this.#configure(now, pin);
    if (!this.#configured.has(pin)) return false;
    if (subcommand === searchRequest || subcommand === alarmSearchRequest) {
      this.#search(now, pin, subcommand === alarmSearchRequest);
      return true;
    }
    if (subcommand > 0x3f) return false;
    const request: Request = { pin, bits: subcommand, content: from7Bit(data.subarray(2)) };
    if (contentBytesOf(subcommand) > request.content.length) return false;
    if (this.#queue.length >= queueMax) return false;
    // Without the correlation number: firmata-io draws it from Math.random.
    const effect = [...request.content];
    if (subcommand & readBit)
      effect.fill(0, subcommand & selectBit ? 10 : 2, subcommand & selectBit ? 12 : 4);
    this.#context.tracer.record(now, 'one-wire', pin, [subcommand, ...effect]);
    if (this.nextAt === null) this.#carryOut(now, request);
    else this.#queue.push(request);
    return true;
  }

  advance(now: number): void {
    this.nextAt = null;
    while (this.nextAt === null) {
      const request = this.#queue.shift();
      if (request === undefined) return;
      this.#carryOut(now, request);
    }
  }

  reset(): void {
    this.#configured.clear();
    this.#selected.clear();
    this.#queue = [];
    this.nextAt = null;
  }

  safeState(): void {}

  #configure(now: number, pinNumber: number): boolean {
    const pin = this.#context.pins.all[pinNumber];
    if (pin === undefined || !pin.supports(pinModes.oneWire)) return false;
    this.#context.pins.setMode(now, pin, pinModes.oneWire);
    this.#configured.add(pinNumber);
    return true;
  }

  #search(now: number, pin: number, alarmedOnly: boolean): void {
    const found = (this.#parts.get(pin) ?? []).filter((part) => !alarmedOnly || part.alarmed(now));
    const codes = found.flatMap((part) => [...part.code]);
    this.#context.sendSysex(sysex.oneWire, [
      alarmedOnly ? alarmSearchReply : searchReply,
      pin,
      ...to7Bit(codes),
    ]);
  }

  #carryOut(now: number, request: Request): void {
    const { pin, bits } = request;
    let content = request.content;
    const parts = this.#parts.get(pin) ?? [];
    if (bits & resetBit) {
      this.#selected.set(pin, []);
      for (const part of parts) part.resetPulse();
    }
    if (bits & skipBit) this.#selected.set(pin, parts);
    if (bits & selectBit) {
      const code = content.subarray(0, 8);
      content = content.subarray(8);
      // firmata-io sets the bit on every request with content and leaves the code zero when it has no device.
      if (code.some((byte) => byte !== 0)) {
        this.#selected.set(
          pin,
          parts.filter((part) => part.code.every((byte, index) => byte === code[index])),
        );
      }
    }
    let readCount = 0;
    let correlation: [number, number] = [0, 0];
    if (bits & readBit) {
      readCount = Math.min(content[0]! | (content[1]! << 8), readBytesMax);
      correlation = [content[2]!, content[3]!];
      content = content.subarray(4);
    }
    if (bits & delayBit) {
      const view = new DataView(content.buffer, content.byteOffset, 4);
      const delayMs = Math.min(view.getUint32(0, true), delayMsMax);
      content = content.subarray(4);
      if (delayMs > 0) this.nextAt = now + delayMs;
    }
    const selected = this.#selected.get(pin) ?? [];
    if (bits & writeBit && content.length > 0) {
      for (const part of selected) part.write(content, now);
    }
    if (readCount > 0) {
      // An idle bus reads as ones; several parts answering at once pull it down together.
      const bytes = new Uint8Array(readCount).fill(0xff);
      for (const part of selected) {
        const answer = part.read(readCount, now);
        for (let i = 0; i < readCount; i++) bytes[i]! &= answer[i] ?? 0xff;
      }
      this.#context.sendSysex(sysex.oneWire, [readReply, pin, ...to7Bit([...correlation, ...bytes])]);
    }
  }
}

function contentBytesOf(bits: number): number {
  return (bits & selectBit ? 8 : 0) + (bits & readBit ? 4 : 0) + (bits & delayBit ? 4 : 0);
}
