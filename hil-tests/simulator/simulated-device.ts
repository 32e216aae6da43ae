/**
 * A fenced device in a life: the reference model of the stream (protocol/device-stream/device.ts), a line to each board,
 * and a firmware behind it that carries outputs out and has things to say.
 */
import { assert } from '../../protocol/assert.ts';
import {
  type DevicePort,
  FencedDevice,
  type FencedDeviceEffect,
  type FencedDeviceInput,
} from '../../protocol/device-stream/device.ts';
import type { DeviceInTheWorld, DeviceSurroundings } from './device-in-the-world.ts';
import { DeviceLine } from './device-line.ts';
import { type BoardName, boardNames } from './fault.ts';
import type { SimulatedFirmware } from './programs/simulated-firmware.ts';
import type { Random } from './random.ts';
import { Alarm, type VirtualTime } from './virtual-time.ts';

export interface SimulatedDeviceOptions extends DeviceSurroundings {
  holdTimeMs: number;
  windowBytes: number;
  inputRingBytes: number;
  firmware: SimulatedFirmware;
}

const boardOfPort: readonly BoardName[] = ['a', 'b'];

export class SimulatedDevice implements DeviceInTheWorld {
  readonly lines: Record<BoardName, DeviceLine>;
  /** How long the firmware takes over each byte of output. */
  msPerByte = 0;
  readonly #options: SimulatedDeviceOptions;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #device: FencedDevice;
  readonly #alarm: Alarm;
  readonly #firmwareAlarm: Alarm;
  #session: number;
  #nextSession: number;
  #outputs = 0;
  #inputs = 0;
  #holder: { board: BoardName; term: number } | null = null;
  #busyUntil = 0;
  /** Messages of the firmware for which there is no room yet: it can wait. */
  #unsaid: Uint8Array[] = [];

  constructor(options: SimulatedDeviceOptions) {
    const { time, random } = options;
    this.#time = time;
    this.#random = random;
    this.#options = options;
    this.#session = 100 + options.index * 100_000;
    this.#nextSession = this.#session;
    this.#device = new FencedDevice({
      session: this.#session,
      heldTerm: 0,
      holdTimeMs: options.holdTimeMs,
      windowBytes: options.windowBytes,
      inputRingBytes: options.inputRingBytes,
      bitsPerSecond: options.bitsPerSecond,
    });
    this.#alarm = new Alarm(time, () => this.#step({ kind: 'tick' }));
    this.#firmwareAlarm = new Alarm(time, () => this.#advanceFirmware());
    const line = (board: BoardName, port: DevicePort): DeviceLine =>
      new DeviceLine(board, options.bitsPerSecond, time, random.stream(`line ${board}`), {
        toBoard: (bytes) => options.toBoard(board, bytes),
        toDevice: (bytes) => this.#step({ kind: 'bytes', port, bytes }),
      });
    this.lines = { a: line('a', 0), b: line('b', 1) };
  }

  start(): void {
    this.#step({ kind: 'tick' });
    this.#wakeFirmware();
  }

  restart(): void {
    this.#nextSession += 1000 + this.#random.below(1000);
    this.#unsaid = [];
    this.#options.firmware.reset();
    this.#step({ kind: 'restart', session: this.#nextSession });
    this.#wakeFirmware();
  }

  #wakeFirmware(): void {
    const at = this.#options.firmware.nextWakeAt();
    if (at !== null) this.#firmwareAlarm.set(Math.max(at, this.#time.now));
  }

  #advanceFirmware(): void {
    for (const message of this.#options.firmware.advance(this.#time.now)) this.#unsaid.push(message);
    this.#say();
    this.#wakeFirmware();
  }

  /** Nothing is said before anybody has attached in this session, and nothing that there is no room for. */
  #say(): void {
    while (this.#unsaid.length > 0 && this.#device.inputRoomBytes >= this.#unsaid[0]!.length) {
      const bytes = this.#unsaid.shift()!;
      if (this.#holder === null) continue;
      const { index: device } = this.#options;
      this.#options.observe({
        kind: 'device-input',
        device,
        session: this.#session,
        offset: this.#inputs,
        bytes,
      });
      this.#inputs += bytes.length;
      this.#step({ kind: 'produce', bytes });
    }
  }

  #step(input: FencedDeviceInput): void {
    for (const effect of this.#device.step(this.#time.now, input)) this.#carryOut(effect);
    if (this.#unsaid.length > 0 && input.kind === 'bytes') this.#say();
  }

  #carryOut(effect: FencedDeviceEffect): void {
    const { index: device, observe } = this.#options;
    switch (effect.kind) {
      case 'transmit':
        return this.lines[boardOfPort[effect.port]!].toBoard(effect.bytes);
      case 'output':
        return this.#accept(effect.bytes);
      case 'attached': {
        const board = boardOfPort[effect.port]!;
        this.#holder = { board, term: effect.term };
        return observe({ kind: 'device-attached', device, board, term: effect.term, session: this.#session });
      }
      case 'released':
        return observe({
          kind: 'device-released',
          device,
          board: boardOfPort[effect.port]!,
          term: effect.term,
        });
      case 'rejected-stale': {
        const { term, bytes } = effect;
        return observe({ kind: 'device-stale', device, board: boardOfPort[effect.port]!, term, bytes });
      }
      case 'safe-state':
        this.#options.firmware.reset();
        this.#wakeFirmware();
        return observe({ kind: 'device-safe', device });
      case 'session':
        this.#session = effect.session;
        this.#nextSession = Math.max(this.#nextSession, effect.session);
        this.#outputs = 0;
        this.#inputs = 0;
        this.#unsaid = [];
        this.#holder = null;
        return observe({ kind: 'device-session', device, session: effect.session });
      case 'input-lost':
        return observe({ kind: 'device-input-lost', device, session: this.#session, bytes: effect.bytes });
      case 'wake':
        return this.#alarm.set(effect.at);
      case 'term':
      case 'discarded':
        return;
    }
  }

  #accept(bytes: Uint8Array): void {
    const holder = this.#holder;
    assert(holder !== null, 'outputs are accepted from whoever is attached');
    const { index: device } = this.#options;
    this.#options.observe({
      kind: 'device-output',
      device,
      session: this.#session,
      board: holder.board,
      term: holder.term,
      offset: this.#outputs,
      bytes,
    });
    this.#outputs += bytes.length;
    const session = this.#session;
    const { now } = this.#time;
    this.#busyUntil = Math.max(this.#busyUntil, now) + this.msPerByte * bytes.length;
    const carryOut = (): void => {
      if (this.#session !== session) return;
      this.#options.firmware.outputs(bytes, this.#time.now);
      this.#step({ kind: 'consumed', bytes: bytes.length });
      this.#wakeFirmware();
    };
    this.#time.at(this.#busyUntil, carryOut);
  }
}

/** Both boards' lines, in order. */
export function linesOf(device: SimulatedDevice): DeviceLine[] {
  return boardNames.map((name) => device.lines[name]);
}
