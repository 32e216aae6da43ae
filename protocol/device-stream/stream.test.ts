import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import type { DevicePort } from './device.ts';
import { type Board, effectsOf, type LineFaults, perfectLine, StreamRig } from './stream-rig.fake.ts';

/** Written by a controller that the device has fenced off: must never come out. */
const poison = 0xee;

interface PairOptions {
  seed: number;
  outputBytes: number;
  inputBytes: number;
  takeovers: number;
  faults: LineFaults;
  firstOffset?: number;
}

/**
 * What two supervisors do with the stream: one program's outputs, inputs copied to the other board before they are
 * acknowledged, a takeover at any moment by the board that does not hold the device.
 */
class PairOnRig {
  readonly rig: StreamRig;
  readonly intended: number[] = [];
  readonly produced: number[] = [];
  readonly first: number;
  /** Inputs in each board's keeping. */
  readonly inputs: [number[], number[]] = [[], []];
  active: DevicePort = 0;
  term = 0;
  written = 0;
  takeoversLeft: number;
  taking = false;
  readonly faults: string[] = [];
  readonly #options: PairOptions;

  constructor(options: PairOptions) {
    this.#options = options;
    this.first = options.firstOffset ?? 0;
    this.takeoversLeft = options.takeovers;
    this.rig = new StreamRig({
      seed: options.seed,
      device: {
        holdTimeMs: 60_000,
        firstOffset: this.first % 2 ** 32,
        windowBytes: 128,
        inputRingBytes: 300,
      },
    });
    this.rig.faults = options.faults;
    this.rig.consumeMsPerByte = this.rig.random() < 0.5 ? 0 : 0.1;
    for (let index = 0; index < options.outputBytes; index++) {
      const byte = Math.floor(this.rig.random() * 256);
      this.intended.push(byte === poison ? 0 : byte);
    }
    this.rig.onController = (board, effect) => this.#onController(board, effect);
    this.rig.onDevice = (effect) => {
      if (effect.kind === 'attached' && effect.term === this.term) this.#poison(effect.port === 0 ? 1 : 0);
    };
    for (const port of [0, 1] as const) this.rig.stepBoard(this.rig.boards[port], { kind: 'port-opened' });
    this.#attach(0);
    this.#keepWriting();
    this.#keepProducing();
    this.#planTakeover();
  }

  #attach(port: DevicePort): void {
    this.active = port;
    this.term += 1;
    this.taking = true;
    this.rig.stepBoard(this.rig.boards[port], {
      kind: 'attach',
      term: this.term,
      session: this.term === 1 ? null : this.rig.device.session,
      inputsReceived: this.first + this.inputs[port].length,
      outputsNear: this.first,
    });
    // The winner goes solo with what it has: nobody else's keeping is waited for.
    const stored = this.first + this.inputs[port].length;
    this.rig.stepBoard(this.rig.boards[port], { kind: 'inputs-stored', offset: stored });
  }

  #onController(board: Board, effect: (typeof board.effects)[number]): void {
    if (board !== this.rig.boards[board.port]) return;
    if (
      effect.kind === 'session-lost' ||
      effect.kind === 'inputs-missing' ||
      effect.kind === 'incompatible'
    ) {
      this.faults.push(effect.kind);
    }
    if (effect.kind === 'attached') {
      this.taking = false;
      this.written = effect.outputsAccepted - this.first;
    }
    if (effect.kind === 'stale' && board.port === this.active && effect.heldTerm >= this.term)
      this.faults.push('stale');
    if (effect.kind !== 'input' || board.port !== this.active) return;
    const kept = this.inputs[board.port];
    if (effect.offset - this.first !== kept.length) this.faults.push(`input at ${effect.offset}`);
    kept.push(...effect.bytes);
    // The bus to the other board, which acknowledges on receipt.
    const end = kept.length;
    this.rig.at(this.rig.now + 1 + this.rig.random() * 20, () => {
      if (this.rig.boards[board.port] !== board || board.frozen || this.active !== board.port) return;
      const other = this.inputs[board.port === 0 ? 1 : 0];
      other.push(...kept.slice(other.length, end));
      this.rig.stepBoard(board, { kind: 'inputs-stored', offset: this.first + end });
    });
  }

  #keepWriting(): void {
    this.rig.at(this.rig.now + this.rig.random() * 6, () => {
      const board = this.rig.boards[this.active];
      if (!this.taking && !board.frozen && board.controller.heldBytes < 300) {
        const bytes = this.intended.slice(this.written, this.written + Math.ceil(this.rig.random() * 90));
        if (bytes.length > 0) {
          this.rig.stepBoard(board, {
            kind: 'write',
            offset: this.first + this.written,
            bytes: Uint8Array.from(bytes),
          });
        }
        this.written += bytes.length;
      }
      this.#keepWriting();
    });
  }

  #keepProducing(): void {
    this.rig.at(this.rig.now + this.rig.random() * 6, () => {
      const left = this.#options.inputBytes - this.produced.length;
      const length = Math.min(left, Math.ceil(this.rig.random() * 20), this.rig.device.inputRoomBytes);
      const bytes = Uint8Array.from({ length }, () => Math.floor(this.rig.random() * 256));
      this.produced.push(...bytes);
      this.rig.stepDevice({ kind: 'produce', bytes });
      this.#keepProducing();
    });
  }

  #planTakeover(): void {
    if (this.takeoversLeft === 0) return;
    this.rig.at(this.rig.now + 20 + this.rig.random() * 200, () => {
      this.takeoversLeft -= 1;
      const old = this.active;
      const next = old === 0 ? 1 : 0;
      const fate = this.rig.random();
      if (fate < 0.4) this.rig.replaceBoard(old);
      else if (fate < 0.8) {
        this.rig.freeze(old);
        this.rig.at(this.rig.now + this.rig.random() * 150, () => this.rig.thaw(old));
      }
      // A new process on the other board, unless it is one that was fenced and lives on.
      if (this.rig.boards[next].frozen || this.rig.random() < 0.5) this.rig.replaceBoard(next);
      this.#attach(next);
      // The old board rejoins as backup: it takes the survivor's history.
      this.inputs[old].length = 0;
      this.inputs[old].push(...this.inputs[next]);
      this.#planTakeover();
    });
  }

  /** The fenced controller goes on sending what its replica computes, and that is no longer the pair's history. */
  #poison(port: DevicePort): void {
    const board = this.rig.boards[port];
    if (board.effects.every((effect) => effect.kind !== 'attached')) return;
    try {
      const offset = this.first + this.rig.outputs.length;
      this.rig.stepBoard(board, { kind: 'write', offset, bytes: new Uint8Array(40).fill(poison) });
    } catch (error) {
      assert(error instanceof RangeError);
    }
  }

  get done(): boolean {
    return (
      this.takeoversLeft === 0 &&
      this.rig.outputs.length >= this.intended.length &&
      this.inputs[this.active].length >= this.#options.inputBytes
    );
  }
}

function runPair(options: PairOptions): PairOnRig {
  const pair = new PairOnRig(options);
  const done = pair.rig.run({ untilMs: 60_000, done: () => pair.done });
  const at = `seed ${options.seed}`;
  expect(pair.faults, at).toEqual([]);
  expect(pair.rig.outputs, at).toEqual(pair.intended.slice(0, pair.rig.outputs.length));
  expect(pair.inputs[pair.active], at).toEqual(pair.produced.slice(0, pair.inputs[pair.active].length));
  expect(done, `${at} ends`).toBe(true);
  return pair;
}

const badLine: LineFaults = { loss: 0.05, duplication: 0.05, garbling: 0.08 };

describe('a pair on one fenced device', () => {
  test('takeovers at random moments over good lines lose, repeat and reorder nothing', () => {
    for (let seed = 1; seed <= 150; seed++) {
      runPair({ seed, outputBytes: 1500, inputBytes: 1200, takeovers: 5, faults: perfectLine });
    }
  });

  test('takeovers at random moments over lines that lose, double and damage', () => {
    let stale = 0;
    for (let seed = 1000; seed < 1200; seed++) {
      const pair = runPair({ seed, outputBytes: 1500, inputBytes: 1200, takeovers: 5, faults: badLine });
      stale += effectsOf(pair.rig.deviceEffects, 'rejected-stale').length;
    }
    // The runs do contain fenced controllers that tried.
    expect(stale).toBeGreaterThan(200);
  });

  test('offsets wrap at 2^32 without a seam', () => {
    for (let seed = 2000; seed < 2030; seed++) {
      const firstOffset = 2 ** 32 * 3 - 700;
      runPair({ seed, outputBytes: 1500, inputBytes: 1200, takeovers: 4, faults: badLine, firstOffset });
    }
  });
});
