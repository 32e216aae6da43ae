/**
 * One device as the supervisor sees it: how many bytes the replica has produced for it, how many of those the
 * device has confirmed, and how many of its input bytes the records hold.
 *
 * Both boards keep the same counts, because both replicas produce the same bytes. That is why a backup that
 * takes over needs nothing from the dead primary but the device's own count: it sends exactly the rest.
 *
 *   replica -> append(turn) -> [ retained: confirmed .. produced ] -> release(turn) -> device
 *                                 ^ trimmed by the device's count
 */
import { assert } from '../../protocol/assert.ts';
import type { DeviceController } from '../../protocol/device-stream/controller.ts';

/** Bytes a program may write to a port ahead of the device, as the replica's binding knows it. */
export const portCreditBytes = 64 * 1024;
const creditStepBytes = 32 * 1024;

export interface DeviceOptions {
  name: string;
  kind: 'fenced' | 'plain';
  /** The device whose term decides between the boards. */
  arbiter: boolean;
}

interface Piece {
  turn: number;
  offset: number;
  bytes: Uint8Array;
}

export class DeviceStream {
  readonly index: number;
  readonly options: DeviceOptions;
  readonly controller: DeviceController | null;
  /** The operating system's port is open on this board. */
  opened = false;
  attached = false;
  session: number | null = null;
  /** The term that it is, or was, asked to follow last. */
  askedTerm = 0;
  /** The last other term that it said it follows, of whichever board. */
  formerTerm = 0;
  produced = 0;
  confirmed = 0;
  /** Input bytes that are in records. */
  inputs = 0;
  /** The program's port that is open on this device, or the last one that was. */
  port: number | null = null;
  portOpen = false;
  /** The device has lost its session, and the program does not know yet: what it writes meanwhile is for nobody. */
  lost = false;
  inputsLost = 0;
  /** Frames from the device that were damaged. */
  discarded = 0;
  #retained: Piece[] = [];
  #released = 0;
  #waitingInput: Uint8Array[] = [];
  #waitingInputBytes = 0;
  /** Bytes of the turn that is being run: taken from those waiting, and not yet in a record. */
  #takenInputBytes = 0;
  #inputMarks: { turn: number; offset: number }[] = [];
  #inputsSafe = 0;
  #creditedAt = 0;

  constructor(index: number, options: DeviceOptions, controller: DeviceController | null) {
    this.index = index;
    this.options = options;
    this.controller = controller;
  }

  /** A new history, or a new session of the device: counts begin at the device's. */
  rebase(session: number | null, outputs: number, inputs: number): void {
    this.session = session;
    this.produced = outputs;
    this.confirmed = outputs;
    this.inputs = inputs;
    this.#released = outputs;
    this.#retained = [];
    this.dropWaitingInput();
    this.#inputMarks = [];
    this.#inputsSafe = inputs;
    this.#creditedAt = outputs;
  }

  /** The first output byte that can still be sent (again). */
  get oldest(): number {
    const first = this.#retained[0];
    return first === undefined ? this.produced : Math.max(first.offset, this.confirmed);
  }

  forgetPort(): void {
    this.port = null;
    this.portOpen = false;
    this.lost = false;
  }

  /** The replica wrote. */
  append(turn: number, bytes: Uint8Array): void {
    if (this.lost) return;
    this.#retained.push({ turn, offset: this.produced, bytes });
    this.produced += bytes.length;
  }

  /** Pieces of all turns before `turns` that were not released yet. */
  release(turns: number): Piece[] {
    const pieces: Piece[] = [];
    for (const piece of this.#retained) {
      if (piece.turn >= turns) break;
      if (piece.offset < this.#released) continue;
      pieces.push(piece);
      this.#released = piece.offset + piece.bytes.length;
    }
    return pieces;
  }

  /** A new reign of this board: everything that is not confirmed has to be sent (again). */
  rewind(confirmed: number): void {
    this.confirm(confirmed);
    this.#released = confirmed;
    const first = this.#retained[0];
    if (first !== undefined && first.offset < confirmed) {
      first.bytes = first.bytes.subarray(confirmed - first.offset);
      first.offset = confirmed;
    }
    assert(first === undefined || first.offset === confirmed, 'outputs that the device lacks were forgotten');
  }

  confirm(offset: number): void {
    if (offset <= this.confirmed) return;
    this.confirmed = offset;
    let drop = 0;
    while (drop < this.#retained.length) {
      const piece = this.#retained[drop]!;
      if (piece.offset + piece.bytes.length > offset) break;
      drop += 1;
    }
    if (drop > 0) this.#retained.splice(0, drop);
  }

  /** Credit to be given back to the program's port, in bytes; 0 for none yet. */
  takeCredit(): number {
    const bytes = this.confirmed - this.#creditedAt;
    if (bytes < creditStepBytes) return 0;
    return bytes;
  }

  /** A credit event was executed. Both boards count it, so a new primary knows what is owed. */
  credited(bytes: number): void {
    // Of the session that is gone.
    if (this.lost) return;
    this.#creditedAt += bytes;
  }

  receive(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#waitingInput.push(bytes);
    this.#waitingInputBytes += bytes.length;
  }

  /** All that the device need not send again to this board. */
  get inputsReceived(): number {
    return this.inputs + this.#takenInputBytes + this.#waitingInputBytes;
  }

  /** Of the turn under way. */
  get takenInputBytes(): number {
    return this.#takenInputBytes;
  }

  get waitingInputBytes(): number {
    return this.#waitingInputBytes;
  }

  dropWaitingInput(): void {
    this.#waitingInput = [];
    this.#waitingInputBytes = 0;
    this.#takenInputBytes = 0;
  }

  /** All waiting input, at most `bytesMax`, as one event's bytes. */
  takeInput(bytesMax: number): Uint8Array {
    const total = Math.min(bytesMax, this.#waitingInputBytes);
    const taken = new Uint8Array(total);
    let position = 0;
    while (position < total) {
      const chunk = this.#waitingInput[0]!;
      const part = chunk.subarray(0, total - position);
      taken.set(part, position);
      position += part.length;
      if (part.length === chunk.length) this.#waitingInput.shift();
      else this.#waitingInput[0] = chunk.subarray(part.length);
    }
    this.#waitingInputBytes -= total;
    this.#takenInputBytes += total;
    return taken;
  }

  /** Input bytes became part of a record. */
  recordInput(turn: number, bytes: number): void {
    this.#takenInputBytes = Math.max(0, this.#takenInputBytes - bytes);
    // Of the session that is gone.
    if (this.lost) return;
    this.inputs += bytes;
    this.#inputMarks.push({ turn, offset: this.inputs });
  }

  /** Count of inputs that are safe in records, as last reckoned. */
  get inputsStored(): number {
    return this.#inputsSafe;
  }

  /** Records of all turns before `turns` are safe. Returns the count to acknowledge, or null for no news. */
  inputsSafe(turns: number): number | null {
    let safe = this.#inputsSafe;
    let drop = 0;
    while (drop < this.#inputMarks.length && this.#inputMarks[drop]!.turn < turns) {
      safe = this.#inputMarks[drop]!.offset;
      drop += 1;
    }
    if (drop === 0) return null;
    this.#inputMarks.splice(0, drop);
    this.#inputsSafe = safe;
    return safe;
  }
}
