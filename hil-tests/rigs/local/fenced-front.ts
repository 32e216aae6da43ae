/**
 * The fence (protocol/README.md §12) before a simulated Firmata: hosts the reference model and keeps its memory.
 *
 * Effects are carried out in the model's order; what they bring about (the firmware answers) goes in as further
 * inputs afterwards. The firmware's messages wait in a queue for room in the model's ring, as a firmware's `write`
 * waits while the UART's buffer is full: this is the device's back-pressure. Beyond `waitingBytesMax` whole messages
 * are dropped and counted.
 */
import { randomInt } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import {
  type DevicePort,
  FencedDevice,
  type FencedDeviceEffect,
  type FencedDeviceInput,
} from '../../../protocol/device-stream/device.ts';
import { pieceBytesMax } from '../../../protocol/device-stream/frames.ts';
import type { DeviceFront, FrontSurroundings } from './device-front.ts';
import type { DeviceOptions } from './device-options.ts';

const waitingBytesMax = 8192;

interface PersistedState {
  session: number;
  term: number;
  port: DevicePort | null;
}

export class FencedFront implements DeviceFront {
  readonly #surroundings: FrontSurroundings;
  readonly #stateFile: string | undefined;
  readonly #device: FencedDevice;
  readonly #inputs: FencedDeviceInput[] = [];
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #stepping = false;
  #productionPlanned = false;
  #stopped = false;
  #timer: NodeJS.Timeout | null = null;
  #persisted: PersistedState;

  constructor(surroundings: FrontSurroundings, options: DeviceOptions) {
    this.#surroundings = surroundings;
    this.#stateFile = options.stateFile;
    this.#persisted = readState(options.stateFile);
    const { session, term, port } = this.#persisted;
    this.#device = new FencedDevice({
      session: nextSession(session),
      heldTerm: term,
      heldPort: port,
      holdTimeMs: options.holdTimeMs,
      windowBytes: options.windowBytes,
      inputRingBytes: options.inputRingBytes,
      bitsPerSecond: options.baudRate,
    });
  }

  get session(): number {
    return this.#device.session;
  }

  get term(): number {
    return this.#device.heldTerm;
  }

  start(): void {
    this.#step({ kind: 'tick' });
  }

  receive(port: DevicePort, bytes: Uint8Array): void {
    this.#step({ kind: 'bytes', port, bytes });
  }

  produce(bytes: Uint8Array): void {
    if (this.#waitingBytes + bytes.length > waitingBytesMax) {
      this.#loseInput(bytes.length);
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    // Not within the firmware's call: a step may find the hold time over and reset the firmware.
    if (this.#productionPlanned) return;
    this.#productionPlanned = true;
    queueMicrotask(() => {
      this.#productionPlanned = false;
      if (!this.#stopped) this.#step({ kind: 'tick' });
    });
  }

  opened(): void {}

  restart(): void {
    this.#dropWaiting();
    this.#step({ kind: 'restart', session: nextSession(this.#device.session) });
    this.#surroundings.driveSafe();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #step(input: FencedDeviceInput): void {
    this.#inputs.push(input);
    if (this.#stepping) return;
    this.#stepping = true;
    for (;;) {
      const next = this.#inputs.shift() ?? this.#nextProduce();
      if (next === null) break;
      for (const effect of this.#device.step(this.#surroundings.clock(), next)) this.#apply(effect);
    }
    this.#stepping = false;
  }

  /** A message longer than the room goes in parts, the rest when the controller has acknowledged. */
  #nextProduce(): FencedDeviceInput | null {
    const head = this.#waiting[0];
    const roomBytes = this.#device.inputRoomBytes;
    if (head === undefined || roomBytes < Math.min(head.length, pieceBytesMax)) return null;
    const bytes = head.subarray(0, roomBytes);
    if (bytes.length === head.length) this.#waiting.shift();
    else this.#waiting[0] = head.subarray(bytes.length);
    this.#waitingBytes -= bytes.length;
    this.#surroundings.ledger.inputBytes += bytes.length;
    return { kind: 'produce', bytes };
  }

  #apply(effect: FencedDeviceEffect): void {
    const { emit, ledger } = this.#surroundings;
    switch (effect.kind) {
      case 'transmit':
        this.#surroundings.transmit(effect.port, effect.bytes);
        return;
      case 'output':
        this.#output(effect.bytes);
        return;
      case 'attached':
        emit({ event: 'attached', port: effect.port, term: effect.term, session: this.#persisted.session });
        return;
      case 'released':
        emit({ event: 'released', port: effect.port, term: effect.term });
        return;
      case 'rejected-stale':
        ledger.rejectedFrames += 1;
        ledger.rejectedBytes += effect.bytes;
        emit({ event: 'rejected-stale', port: effect.port, term: effect.term, bytes: effect.bytes });
        return;
      case 'safe-state':
        ledger.safeStates += 1;
        this.#dropWaiting();
        emit({ event: 'safe-state' });
        this.#surroundings.driveSafe();
        return;
      case 'term':
        if (this.#persisted.port !== null && this.#persisted.port !== effect.port) ledger.takeovers += 1;
        this.#persist({ term: effect.term, port: effect.port });
        return;
      case 'session':
        this.#persist({ session: effect.session });
        ledger.beginSession(effect.session);
        emit({ event: 'session', session: effect.session, term: this.#device.heldTerm });
        return;
      case 'input-lost':
        this.#loseInput(effect.bytes);
        return;
      case 'discarded':
        ledger.discardedFrames += 1;
        emit({ event: 'discarded', port: effect.port, reason: effect.reason });
        return;
      case 'wake':
        this.#wakeAt(effect.at);
        return;
    }
  }

  #output(bytes: Uint8Array): void {
    const { ledger, emit, execute } = this.#surroundings;
    // Only the holder's outputs are accepted, and a later frame of this chunk cannot change the holder of this one.
    const port = this.#persisted.port ?? 0;
    const offset = ledger.output(port, bytes);
    const base64 = Buffer.from(bytes).toString('base64');
    emit({
      event: 'output',
      port,
      term: this.#persisted.term,
      session: this.#persisted.session,
      offset,
      base64,
    });
    execute(bytes);
    this.#inputs.push({ kind: 'consumed', bytes: bytes.length });
  }

  #loseInput(bytes: number): void {
    this.#surroundings.ledger.inputBytesLost += bytes;
    this.#surroundings.emit({ event: 'input-lost', bytes });
  }

  #dropWaiting(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    // Bytes consumed in a session that is over are not counted in the new one.
    const kept = this.#inputs.filter((input) => input.kind !== 'consumed');
    this.#inputs.splice(0, this.#inputs.length, ...kept);
  }

  #wakeAt(at: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const delayMs = Math.max(0, at - this.#surroundings.clock());
    this.#timer = setTimeout(() => this.#step({ kind: 'tick' }), Math.ceil(delayMs));
  }

  #persist(change: Partial<PersistedState>): void {
    this.#persisted = { ...this.#persisted, ...change };
    if (this.#stateFile === undefined) return;
    const unfinished = `${this.#stateFile}.new`;
    writeFileSync(unfinished, JSON.stringify(this.#persisted));
    renameSync(unfinished, this.#stateFile);
  }
}

/** Without a file, or with a new one, the session is drawn: two lives of a device must not share one. */
function readState(stateFile: string | undefined): PersistedState {
  const fresh: PersistedState = { session: randomInt(1, 2 ** 31), term: 0, port: null };
  if (stateFile === undefined) return fresh;
  let text: string;
  try {
    text = readFileSync(stateFile, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return fresh;
    throw error;
  }
  return JSON.parse(text) as PersistedState;
}

function nextSession(session: number): number {
  return (session + 1) >>> 0 || 1;
}
