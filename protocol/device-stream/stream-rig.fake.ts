/**
 * A fenced device, two lines and the controllers at their ends, in virtual time: what the tests of this folder stand on.
 *
 * A line keeps its order, as a UART does, and carries bytes at its rate; what a test asks for it loses, doubles or
 * damages. Everything random comes from one seed.
 */
import { DeviceController, type DeviceControllerEffect, type DeviceControllerInput } from './controller.ts';
import {
  type DevicePort,
  FencedDevice,
  type FencedDeviceEffect,
  type FencedDeviceInput,
  type FencedDeviceOptions,
} from './device.ts';

/** mulberry32: uniform in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface LineFaults {
  /** Probability for each transmitted chunk. */
  loss: number;
  duplication: number;
  garbling: number;
}

export const perfectLine: LineFaults = { loss: 0, duplication: 0, garbling: 0 };

export interface Board {
  port: DevicePort;
  controller: DeviceController;
  /** Bytes wait, as in the buffer of a port whose process is stopped. */
  frozen: boolean;
  /** Effects other than transmit and wake, in order. */
  effects: DeviceControllerEffect[];
  waiting: Uint8Array[];
}

export const rigBitsPerSecond = 115_200;

export class StreamRig {
  now = 0;
  readonly random: () => number;
  readonly device: FencedDevice;
  readonly boards: [Board, Board];
  readonly deviceEffects: FencedDeviceEffect[] = [];
  readonly outputs: number[] = [];
  faults: LineFaults = perfectLine;
  /** Cut lines carry nothing either way. */
  readonly cut: [boolean, boolean] = [false, false];
  /** How long the firmware takes over each byte of output. */
  consumeMsPerByte = 0;
  onController: (board: Board, effect: DeviceControllerEffect) => void = () => {};
  onDevice: (effect: FencedDeviceEffect) => void = () => {};
  /** By time, then by the order of asking. */
  readonly #events: { at: number; run: () => void }[] = [];
  readonly #lineFreeAt = new Map<string, number>();
  #deviceWake = { at: Number.POSITIVE_INFINITY };
  #consumedAt = 0;

  constructor(options: { seed: number; device?: Partial<FencedDeviceOptions> }) {
    this.random = seededRandom(options.seed);
    this.device = new FencedDevice({
      session: 100,
      heldTerm: 0,
      holdTimeMs: 1000,
      windowBytes: 256,
      inputRingBytes: 512,
      bitsPerSecond: rigBitsPerSecond,
      ...options.device,
    });
    this.boards = [this.#newBoard(0), this.#newBoard(1)];
  }

  #newBoard(port: DevicePort): Board {
    const controller = new DeviceController({ bitsPerSecond: rigBitsPerSecond });
    return { port, controller, frozen: false, effects: [], waiting: [] };
  }

  /** The board's process is killed and another one starts, its port open. */
  replaceBoard(port: DevicePort): Board {
    this.boards[port].frozen = true;
    this.boards[port] = this.#newBoard(port);
    this.stepBoard(this.boards[port], { kind: 'port-opened' });
    return this.boards[port];
  }

  at(at: number, run: () => void): void {
    const event = { at: Math.max(at, this.now), run };
    let index = this.#events.length;
    while (index > 0 && this.#events[index - 1]!.at > event.at) index -= 1;
    this.#events.splice(index, 0, event);
  }

  /** Runs until `done` or the time limit; true when done. */
  run(options: { untilMs: number; done?: () => boolean }): boolean {
    const { untilMs, done = () => false } = options;
    while (!done()) {
      const next = this.#events[0];
      if (next === undefined || next.at > untilMs) {
        this.now = untilMs;
        return done();
      }
      this.#events.shift();
      this.now = next.at;
      next.run();
    }
    return true;
  }

  stepBoard(board: Board, input: DeviceControllerInput): void {
    for (const effect of board.controller.step(this.now, input)) {
      if (effect.kind === 'transmit') {
        this.#carry(`to device ${board.port}`, board.port, effect.bytes, (bytes) =>
          this.stepDevice({ kind: 'bytes', port: board.port, bytes }),
        );
      } else if (effect.kind === 'wake') this.#wakeBoard(board, effect.at);
      else {
        board.effects.push(effect);
        this.onController(board, effect);
      }
    }
  }

  stepDevice(input: FencedDeviceInput): void {
    for (const effect of this.device.step(this.now, input)) this.#applyDevice(effect);
  }

  #applyDevice(effect: FencedDeviceEffect): void {
    if (effect.kind === 'transmit') {
      const { port } = effect;
      this.#carry(`from device ${port}`, port, effect.bytes, (bytes) => {
        const board = this.boards[port];
        if (board.frozen) board.waiting.push(bytes);
        else this.stepBoard(board, { kind: 'bytes', bytes });
      });
      return;
    }
    if (effect.kind === 'wake') {
      const wake = { at: Math.max(effect.at, this.now) };
      this.#deviceWake = wake;
      this.at(wake.at, () => {
        if (this.#deviceWake === wake) this.stepDevice({ kind: 'tick' });
      });
      return;
    }
    this.deviceEffects.push(effect);
    this.onDevice(effect);
    if (effect.kind !== 'output') return;
    this.outputs.push(...effect.bytes);
    const { session } = this.device;
    this.#consumedAt = Math.max(this.#consumedAt, this.now) + this.consumeMsPerByte * effect.bytes.length;
    this.at(this.#consumedAt, () => {
      if (this.device.session === session) this.stepDevice({ kind: 'consumed', bytes: effect.bytes.length });
    });
  }

  freeze(port: DevicePort): void {
    this.boards[port].frozen = true;
  }

  /** What came meanwhile is read, after the timers that ran out: the order of an event loop that wakes up. */
  thaw(port: DevicePort): void {
    const board = this.boards[port];
    board.frozen = false;
    this.stepBoard(board, { kind: 'tick' });
    for (const bytes of board.waiting.splice(0)) this.stepBoard(board, { kind: 'bytes', bytes });
  }

  readonly #wakes = new WeakMap<Board, object>();

  #wakeBoard(board: Board, at: number): void {
    const token = {};
    this.#wakes.set(board, token);
    this.at(at, () => {
      if (this.#wakes.get(board) === token && !board.frozen) this.stepBoard(board, { kind: 'tick' });
    });
  }

  #carry(line: string, port: DevicePort, bytes: Uint8Array, deliver: (bytes: Uint8Array) => void): void {
    const freeAt =
      Math.max(this.#lineFreeAt.get(line) ?? 0, this.now) + (bytes.length * 10_000) / rigBitsPerSecond;
    this.#lineFreeAt.set(line, freeAt);
    if (this.cut[port] || this.random() < this.faults.loss) return;
    const carried = this.random() < this.faults.garbling ? this.#garble(bytes) : bytes;
    this.at(freeAt, () => deliver(carried));
    if (this.random() < this.faults.duplication) this.at(freeAt, () => deliver(carried));
  }

  #garble(bytes: Uint8Array): Uint8Array {
    const position = Math.floor(this.random() * bytes.length);
    const kind = this.random();
    if (kind < 0.3) return bytes.slice(0, position);
    if (kind < 0.5)
      return Uint8Array.of(
        ...bytes.slice(0, position),
        Math.floor(this.random() * 256),
        ...bytes.slice(position),
      );
    const damaged = bytes.slice();
    damaged[position] = damaged[position]! ^ (1 + Math.floor(this.random() * 255));
    return damaged;
  }
}

export function kindsOf(effects: readonly { kind: string }[]): string[] {
  return effects.map((effect) => effect.kind);
}

export function effectsOf<E extends { kind: string }, K extends E['kind']>(
  effects: readonly E[],
  kind: K,
): Extract<E, { kind: K }>[] {
  return effects.filter((effect): effect is Extract<E, { kind: K }> => effect.kind === kind);
}
