/** The fenced device of a rig: the reference model, its two lines, and a firmware that produces numbered bytes. */
import assert from 'node:assert/strict';
import {
  type DevicePort,
  FencedDevice,
  type FencedDeviceEffect,
} from '../../protocol/device-stream/device.ts';
import type { VirtualTime } from './pair-rig-time.fake.ts';

/** One session of the device, as it experienced it. */
export interface DeviceSession {
  session: number;
  /** Text of all outputs accepted. */
  accepted: string;
  /** Input bytes produced by the firmware: each is its own number modulo 251. */
  produced: number;
  inputsLost: number;
  /** Somebody was attached in it. */
  inUse: boolean;
}

export class DeviceRig {
  readonly bitsPerSecond = 460_800;
  readonly device: FencedDevice;
  readonly sessions: DeviceSession[] = [];
  /** Cut lines carry nothing either way. */
  readonly cut: [boolean, boolean] = [false, false];
  loss = 0;
  /** Every so often the firmware sends so many bytes; 0: never. */
  input = { everyMs: 11, bytes: 5 };
  /** How long the firmware takes over each byte of output. */
  consumeMsPerByte = 0;
  powered = true;
  readonly #time: VirtualTime;
  readonly #toBoard: (port: DevicePort, bytes: Uint8Array) => void;
  readonly #lineFreeAt = new Map<string, number>();
  readonly #portOfTerm = new Map<number, DevicePort>();
  readonly #decoder = new TextDecoder();
  #wake: object = {};
  #consumedAt = 0;
  /** The last session that was in use when it began is told apart from all others by a leap. */
  #nextSession = 1000;

  constructor(time: VirtualTime, holdTimeMs: number, toBoard: (port: DevicePort, bytes: Uint8Array) => void) {
    this.#time = time;
    this.#toBoard = toBoard;
    this.device = new FencedDevice({
      session: 100,
      heldTerm: 0,
      holdTimeMs,
      windowBytes: 256,
      inputRingBytes: 1024,
      bitsPerSecond: this.bitsPerSecond,
    });
    this.#time.after(1, () => this.#step({ kind: 'tick' }));
    this.#produceForever();
  }

  get session(): DeviceSession {
    return this.sessions.at(-1)!;
  }

  restart(): void {
    this.#nextSession += 1000;
    this.#step({ kind: 'restart', session: this.#nextSession });
  }

  fromBoard(port: DevicePort, bytes: Uint8Array): void {
    this.#carry(`to ${port}`, port, bytes, () => this.#step({ kind: 'bytes', port, bytes }));
  }

  #produceForever(): void {
    const { everyMs, bytes } = this.input;
    this.#time.after(everyMs === 0 ? 10 : everyMs * (0.5 + this.#time.random()), () => {
      const room = this.device.inputRoomBytes;
      // A firmware that can wait: nothing is lost for want of room, and before anybody attached nothing is said.
      if (everyMs > 0 && this.session?.inUse === true && room >= bytes) {
        const { session } = this;
        const message = Uint8Array.from({ length: bytes }, (_, index) => (session.produced + index) % 251);
        session.produced += bytes;
        this.#step({ kind: 'produce', bytes: message });
      }
      this.#produceForever();
    });
  }

  #step(input: Parameters<FencedDevice['step']>[1]): void {
    for (const effect of this.device.step(this.#time.now, input)) this.#carryOut(effect);
  }

  #carryOut(effect: FencedDeviceEffect): void {
    switch (effect.kind) {
      case 'transmit':
        return this.#carry(`from ${effect.port}`, effect.port, effect.bytes, () =>
          this.#toBoard(effect.port, effect.bytes),
        );
      case 'session':
        this.sessions.push({
          session: effect.session,
          accepted: '',
          produced: 0,
          inputsLost: 0,
          inUse: false,
        });
        return;
      case 'attached': {
        const port = this.#portOfTerm.get(effect.term) ?? effect.port;
        assert.equal(port, effect.port, `both boards held the device under term ${effect.term}`);
        this.#portOfTerm.set(effect.term, effect.port);
        this.session.inUse = true;
        return;
      }
      case 'input-lost':
        this.session.inputsLost += effect.bytes;
        return;
      case 'output': {
        this.session.accepted += this.#decoder.decode(effect.bytes);
        const { session } = this.device;
        this.#consumedAt =
          Math.max(this.#consumedAt, this.#time.now) + this.consumeMsPerByte * effect.bytes.length;
        this.#time.after(this.#consumedAt - this.#time.now, () => {
          if (this.device.session === session) this.#step({ kind: 'consumed', bytes: effect.bytes.length });
        });
        return;
      }
      case 'wake': {
        const wake = {};
        this.#wake = wake;
        this.#time.after(effect.at - this.#time.now, () => {
          if (this.#wake === wake) this.#step({ kind: 'tick' });
        });
        return;
      }
      default:
        return;
    }
  }

  #carry(line: string, port: DevicePort, bytes: Uint8Array, deliver: () => void): void {
    const freeAt =
      Math.max(this.#lineFreeAt.get(line) ?? 0, this.#time.now) +
      (bytes.length * 10_000) / this.bitsPerSecond;
    this.#lineFreeAt.set(line, freeAt);
    if (this.cut[port] || this.#time.random() < this.loss) return;
    this.#time.after(freeAt - this.#time.now, deliver);
  }
}
