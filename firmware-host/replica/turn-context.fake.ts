/** A turn context for tests: records to an array in `perform`, takes from one in `replay`. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { Output, RequestOutput, StartEvent } from '../../protocol/record.ts';
import type { BootOptions } from '../ipc.ts';
import type { TurnContext } from './turn-context.ts';

export interface RecordedCall {
  call: string;
  ok: boolean;
  bytes: Uint8Array;
}

const keptOfErrors = ['name', 'message', 'code', 'errno', 'syscall', 'path', 'dest'] as const;

export class FakeTurnContext implements TurnContext {
  mode: 'perform' | 'replay';
  readonly records: RecordedCall[];
  readonly outputs: Output[] = [];
  readonly start: StartEvent;
  readonly boot: BootOptions;
  alive = 0;
  #next = 0;
  #timeUs = 1_700_000_000_000_000;
  #random = 0;
  readonly #completions: (() => void)[] = [];

  constructor(options: { filesRoot?: string; replayOf?: FakeTurnContext; start?: Partial<StartEvent> } = {}) {
    this.mode = options.replayOf ? 'replay' : 'perform';
    this.records = options.replayOf ? [...options.replayOf.records] : [];
    this.boot = { bundleFile: '/none', programFile: '/app/main.js', filesRoot: options.filesRoot ?? '/' };
    this.start = {
      kind: 'start',
      seed: '00112233445566778899aabbccddeeff',
      argv: [],
      env: { HOME: '/home/pi', USER: 'pi' },
      hostname: 'pair',
      ports: [],
      stdinIsTerminal: false,
      ...options.start,
    };
  }

  value<T>(call: string, perform: () => T): T {
    if (this.mode === 'perform') this.records.push(record(call, perform));
    const recorded = this.records[this.#next++];
    assert(recorded, `the record has no call ${call}`);
    assert.equal(call, recorded.call, 'another call than recorded');
    const value: unknown = deserialize(recorded.bytes);
    if (recorded.ok) return value as T;
    throw Object.assign(new Error(), value);
  }

  nowUs(): number {
    return this.#timeUs++;
  }

  randomBytes(length: number): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let size = 0; size < length; size += 32)
      parts.push(
        createHash('sha256')
          .update(`${this.start.seed} ${this.#random++}`)
          .digest(),
      );
    return new Uint8Array(Buffer.concat(parts).subarray(0, length));
  }

  completeSoon(callback: () => void): void {
    this.#completions.push(callback);
  }

  output(output: Output): void {
    this.outputs.push(output);
  }

  request(operation: RequestOutput['operation']): Promise<unknown> {
    return Promise.reject(new Error(`the fake performs no ${operation}`));
  }

  holdAlive(): () => void {
    this.alive++;
    return () => this.alive--;
  }

  /** Runs completions, each after the microtasks before it, until none is left. */
  async drain(): Promise<void> {
    await new Promise(setImmediate);
    for (let next = this.#completions.shift(); next; next = this.#completions.shift()) {
      next();
      await new Promise(setImmediate);
    }
  }

  /** True when a replay has used its whole record. */
  get finished(): boolean {
    return this.#next === this.records.length;
  }
}

function record(call: string, perform: () => unknown): RecordedCall {
  try {
    return { call, ok: true, bytes: serialize(perform()) };
  } catch (error) {
    const kept: Record<string, unknown> = {};
    for (const key of keptOfErrors) {
      const value = (error as Record<string, unknown>)[key];
      if (value !== undefined) kept[key] = value;
    }
    return { call, ok: false, bytes: serialize(kept) };
  }
}
