/**
 * A replica in a few lines: answers `turn` and `idle` as firmware-host/replica does, with a small program inside
 * whose output tells what it has seen.
 *
 * It opens the device, writes a line for every event and every few timer ticks, asks for drains, uses values. Each
 * line carries its own number, the count of input bytes so far, a gap in their numbering and a chained hash of every
 * event: whoever reads the lines notices anything lost, repeated or reordered, on either way.
 */
import { crc32 } from '../../protocol/crc.ts';
import { encodeOutputs, type Output, type ReplicaEvent } from '../../protocol/record.ts';
import type { FromReplica, ToReplica } from '../ipc.ts';

export interface Script {
  /** Virtual time between two ticks of the program. */
  tickMs: number;
  /** Every so many ticks have outputs; the others are idle. */
  writeEvery: number;
  /** Bytes that are added to each line. */
  paddingBytes: number;
  /** At this tick the program ends itself. */
  exitAtTick: number | null;
  /** At this tick the program throws, on every board. */
  throwAtTick: number | null;
  /** What it does when its port goes away. */
  onPortLost: 'reopen' | 'nothing';
}

export const plainScript: Script = {
  tickMs: 5,
  writeEvery: 3,
  paddingBytes: 0,
  exitAtTick: null,
  throwAtTick: null,
  onPortLost: 'reopen',
};

type Turn = Extract<ToReplica, { kind: 'turn' }>;

const none = new Uint8Array(0);
const encoder = new TextEncoder();

export class ScriptedReplica {
  readonly #script: Script;
  readonly #random: () => number;
  #us = 0;
  #digest = 0;
  #nextTickUs: number | null = null;
  #ticks = 0;
  #lines = 0;
  #inputs = 0;
  #lastInput: number | null = null;
  #gaps = 0;
  #hash = 0;
  #port: number | null = null;
  #ports = 0;
  /** Bytes that may still be written, as the real binding counts them. */
  #credit = 0;
  #reopenAtUs: number | null = null;
  #requests = 0;
  readonly #open = new Map<number, string>();
  #outputs: Output[] = [];
  #values: number[] = [];
  #given: Uint8Array | null = null;
  /** What is broken in this process only. */
  broken: 'throws' | 'hangs' | 'diverges' | null = null;

  constructor(script: Script, random: () => number) {
    this.#script = script;
    this.#random = random;
  }

  /** The answer, or null from a program that hangs. */
  answer(message: ToReplica): FromReplica | null {
    if (message.kind === 'boot') return { kind: 'ready' };
    if (this.broken === 'hangs') return null;
    if (message.kind === 'turn') return this.#run(message);
    let last: FromReplica | null = null;
    for (let index = 0; index < message.count; index++) {
      last = this.#run({
        kind: 'turn',
        mode: 'replay',
        turn: message.turn + index,
        timeUs: message.timeUs + message.stepUs * index,
        event: { kind: 'time' },
        values: none,
      });
      if (last.kind !== 'done') return last;
      if (last.outputs.length > 0) return diverged(last.turn, 'a turn without outputs', 'outputs');
    }
    return last;
  }

  #run(message: Turn): FromReplica {
    const { turn } = message;
    if (this.broken === 'throws') return failed(turn, 'this board cannot compute');
    this.#outputs = [];
    this.#values = [];
    this.#given = message.mode === 'replay' ? message.values : null;
    this.#us = Math.max(this.#us, message.timeUs);
    const startUs = this.#us;
    this.#timers(startUs);
    this.#take(message.event);
    if (this.#script.throwAtTick !== null && this.#ticks >= this.#script.throwAtTick) {
      return failed(turn, 'the program has a fault');
    }
    if (this.broken === 'diverges') this.#outputs.push(console('something else\n'));
    // The turn reads the clock a few times.
    this.#us += this.#outputs.length;
    const outputs = this.#outputs.length === 0 ? none : encodeOutputs(this.#outputs);
    const wakeAtUs = this.#wakeAtUs();
    const tail = new DataView(new ArrayBuffer(16));
    tail.setFloat64(0, this.#us, true);
    tail.setFloat64(8, wakeAtUs ?? -1, true);
    this.#digest = crc32(new Uint8Array(tail.buffer), crc32(outputs, this.#digest));
    const { expectedDigest } = message;
    if (expectedDigest !== undefined && expectedDigest !== (outputs.length === 0 ? null : this.#digest)) {
      return { kind: 'output-diverged', turn, outputs, stacks: [] };
    }
    return {
      kind: 'done',
      turn,
      startUs,
      endUs: this.#us,
      values: this.#given === null ? Uint8Array.from(this.#values) : none,
      outputs,
      digest: this.#digest,
      wakeAtUs,
      alive: true,
      paced: false,
    };
  }

  #wakeAtUs(): number | null {
    if (this.#nextTickUs === null) return this.#reopenAtUs;
    return this.#reopenAtUs === null ? this.#nextTickUs : Math.min(this.#nextTickUs, this.#reopenAtUs);
  }

  #timers(nowUs: number): void {
    if (this.#reopenAtUs !== null && this.#reopenAtUs <= nowUs) {
      this.#reopenAtUs = null;
      this.#openPort();
    }
    while (this.#nextTickUs !== null && this.#nextTickUs <= nowUs) {
      this.#nextTickUs += this.#script.tickMs * 1000;
      // As setInterval: what was missed altogether is not made up for.
      if (this.#nextTickUs <= nowUs) this.#nextTickUs = nowUs + this.#script.tickMs * 1000;
      this.#tick();
    }
  }

  #tick(): void {
    this.#ticks += 1;
    if (this.#ticks === this.#script.exitAtTick) {
      this.#outputs.push({ kind: 'exit', code: 0 });
      return;
    }
    if (this.#ticks % this.#script.writeEvery !== 0) return;
    if (this.#ticks % 7 === 0) this.#mix(Uint8Array.of(this.#value()));
    if (this.#ticks % 40 === 0 && this.#port !== null) this.#request('drain', this.#port, 'null');
    if (this.#ticks % 50 === 0) this.#outputs.push(console(`tick ${this.#ticks}\n`));
    this.#write();
  }

  /** A synchronous call whose value only the primary knows. */
  #value(): number {
    const given = this.#given;
    const value = given === null ? Math.floor(this.#random() * 256) : (given[this.#values.length] ?? 0);
    this.#values.push(value);
    return value;
  }

  #take(event: ReplicaEvent): void {
    this.#mix(encoder.encode(`${event.kind}${this.#us}`));
    switch (event.kind) {
      case 'start':
        this.#mix(encoder.encode(event.seed));
        this.#nextTickUs = this.#us + this.#script.tickMs * 1000;
        this.#outputs.push(console('started\n'));
        this.#openPort();
        return;
      case 'completed': {
        const operation = this.#open.get(event.request);
        if (operation === undefined) throw new Error(`request ${event.request} is not open`);
        this.#open.delete(event.request);
        this.#mix(encoder.encode(event.result));
        if (operation === 'open' && event.ok) {
          this.#port = this.#ports - 1;
          this.#credit = 64 * 1024;
        }
        this.#write();
        return;
      }
      case 'port-data':
        for (const byte of event.bytes) {
          if (this.#lastInput !== null && (this.#lastInput + 1) % 251 !== byte) this.#gaps += 1;
          this.#lastInput = byte;
        }
        this.#inputs += event.bytes.length;
        this.#mix(event.bytes);
        this.#write();
        return;
      case 'port-lost':
        this.#port = null;
        this.#lastInput = null;
        if (this.#script.onPortLost === 'reopen') this.#reopenAtUs = this.#us + 50_000;
        return;
      case 'port-credit':
        this.#credit += event.bytes;
        return;
      case 'signal':
        this.#outputs.push({ kind: 'exit', code: 3 });
        return;
      default:
        return;
    }
  }

  #openPort(): void {
    this.#request('open', this.#ports++, JSON.stringify({ path: 'machine', baudRate: 57_600 }));
  }

  #request(operation: 'open' | 'drain', port: number, argument: string): void {
    const request = this.#requests++;
    this.#open.set(request, operation);
    this.#outputs.push({ kind: 'request', request, operation, port, argument });
  }

  #write(): void {
    if (this.#port === null) return;
    const padding = 'x'.repeat(this.#script.paddingBytes);
    const text = `${this.#lines + 1} ${this.#inputs} ${this.#gaps} ${this.#hash.toString(16)} ${padding}\n`;
    if (text.length > this.#credit) return;
    this.#credit -= text.length;
    this.#lines += 1;
    this.#outputs.push({ kind: 'write', port: this.#port, bytes: encoder.encode(text) });
  }

  #mix(bytes: Uint8Array): void {
    this.#hash = crc32(bytes, this.#hash);
  }
}

function console(text: string): Output {
  return { kind: 'console', stream: 'stdout', bytes: encoder.encode(text) };
}

function failed(turn: number, message: string): FromReplica {
  return { kind: 'failed', turn, name: 'Error', message, stack: '' };
}

function diverged(turn: number, expected: string, actual: string): FromReplica {
  return { kind: 'diverged', turn, expected, actual, stack: '' };
}
