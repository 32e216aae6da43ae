/**
 * A program alone with its devices, in virtual time: no pair, no fence, every request granted at once. For tests and
 * measurements of programs and firmware; the pair around them is the simulator's business.
 */

import type { FromReplica } from '../../../firmware-host/ipc.ts';
import { RecordLog } from '../../../firmware-host/supervisor/record-log.ts';
import { portSettingsOf } from '../../../firmware-host/supervisor/requests.ts';
import { assert } from '../../../protocol/assert.ts';
import {
  decodeBatch,
  decodeOutputs,
  type JournalRecord,
  type Output,
  type ReplicaEvent,
  type StartEvent,
} from '../../../protocol/record.ts';
import type { DeviceBytes } from './reference-run.ts';
import type { SimulatedProgram, SimulatedReplica } from './replica-in-the-world.ts';
import type { SimulatedFirmware } from './simulated-firmware.ts';

export const soloStartUs = 1_800_000_000_000_000;
const creditStepBytes = 4096;
/** A request is answered so much later. */
const requestUs = 700;

export interface SoloRunOptions {
  program: SimulatedProgram;
  forMs: number;
  seed?: string;
  /** The board's own world. */
  random: () => number;
  firmwareOf: (device: string) => SimulatedFirmware;
  /** Events from outside, in order of their time. */
  events?: readonly { atMs: number; event: ReplicaEvent }[];
}

export interface SoloRunResult {
  turns: number;
  records: JournalRecord[];
  writes: DeviceBytes[];
  inputs: DeviceBytes[];
  console: string;
  digest: number;
  endedAtMs: number;
  /** The last answer, if the program ended with it. */
  ending: FromReplica | null;
}

interface Port {
  device: string;
  open: boolean;
  uncredited: number;
}

class SoloRun {
  readonly #options: SoloRunOptions;
  readonly #replica: SimulatedReplica;
  readonly #firmware = new Map<string, SimulatedFirmware>();
  readonly #ports: Port[] = [];
  readonly #log = new RecordLog();
  readonly #queue: { atUs: number; event: ReplicaEvent }[] = [];
  readonly #outside: { atUs: number; event: ReplicaEvent }[];
  readonly #decoder = new TextDecoder();
  #us = soloStartUs;
  #wakeAtUs: number | null = null;
  readonly result: SoloRunResult = {
    turns: 0,
    records: [],
    writes: [],
    inputs: [],
    console: '',
    digest: 0,
    endedAtMs: 0,
    ending: null,
  };

  constructor(options: SoloRunOptions) {
    this.#options = options;
    this.#replica = options.program.start(options.random);
    for (const device of options.program.devices) this.#firmware.set(device, options.firmwareOf(device));
    this.#outside = (options.events ?? []).map(({ atMs, event }) => ({
      atUs: soloStartUs + atMs * 1000,
      event,
    }));
  }

  run(): SoloRunResult {
    const { program, forMs, seed = '000102030405060708090a0b0c0d0e0f' } = this.#options;
    const options = { bundleFile: '', programFile: '', filesRoot: '' };
    assert(
      this.#replica.answer({ kind: 'boot', options })?.kind === 'ready',
      'a replica that boots is ready',
    );
    const start: StartEvent = {
      kind: 'start',
      seed,
      argv: [],
      env: { TZ: 'UTC' },
      hostname: 'pair',
      ports: [...program.devices],
      stdinIsTerminal: false,
    };
    this.#perform(start);
    const untilUs = soloStartUs + forMs * 1000;
    while (this.result.ending === null && this.#step(untilUs));
    this.#replica.end();
    const batch = this.#log.cut();
    this.result.records = batch === null ? [] : decodeBatch(batch.bytes).records;
    this.result.endedAtMs = (this.#us - soloStartUs) / 1000;
    return this.result;
  }

  /** One thing that happens; false when nothing more does. */
  #step(untilUs: number): boolean {
    let atUs = this.#wakeAtUs ?? Number.POSITIVE_INFINITY;
    for (const firmware of this.#firmware.values()) {
      const wakeAt = firmware.nextWakeAt();
      if (wakeAt !== null) atUs = Math.min(atUs, usOf(wakeAt));
    }
    atUs = Math.min(atUs, this.#queue[0]?.atUs ?? atUs, this.#outside[0]?.atUs ?? atUs);
    if (atUs > untilUs) return false;
    this.#us = Math.max(this.#us, atUs);
    for (const [device, firmware] of this.#firmware) this.#produce(device, firmware);
    const from =
      (this.#outside[0]?.atUs ?? Number.POSITIVE_INFINITY) <= this.#us ? this.#outside : this.#queue;
    if ((from[0]?.atUs ?? Number.POSITIVE_INFINITY) <= this.#us) {
      const { event } = from.shift()!;
      if (event.kind === 'port-lost') this.#ports[event.port]!.open = false;
      if (event.kind === 'port-data' && !this.#ports[event.port]!.open) return true;
      this.#perform(event);
    } else if (this.#wakeAtUs !== null && this.#wakeAtUs <= this.#us) this.#perform({ kind: 'time' });
    return true;
  }

  #produce(device: string, firmware: SimulatedFirmware): void {
    const wakeAt = firmware.nextWakeAt();
    if (wakeAt === null || usOf(wakeAt) > this.#us) return;
    // Not a rounding error earlier than it asked for.
    for (const bytes of firmware.advance(Math.max(wakeAt, (this.#us - soloStartUs) / 1000))) {
      const port = this.#ports.findLastIndex((each) => each.device === device && each.open);
      if (port >= 0) this.#queue.push({ atUs: this.#us, event: { kind: 'port-data', port, bytes } });
    }
  }

  #perform(event: ReplicaEvent): void {
    const { result } = this;
    const turn = result.turns;
    const timeUs = event.kind === 'time' ? (this.#wakeAtUs ?? this.#us) : this.#us;
    const values = new Uint8Array(0);
    const answer = this.#replica.answer({ kind: 'turn', mode: 'perform', turn, timeUs, event, values });
    assert(answer !== null && answer.kind !== 'ready', 'a program that has not ended answers');
    if (answer.kind !== 'done') {
      result.ending = answer;
      return;
    }
    result.turns += 1;
    result.digest = answer.digest;
    const hasOutputs = answer.outputs.length > 0;
    this.#log.append(0, {
      kind: 'turn',
      timeUs: answer.startUs,
      event,
      values: answer.values,
      hasOutputs,
      digest: hasOutputs ? answer.digest : 0,
    });
    if (event.kind === 'port-data')
      result.inputs.push({ turn, device: this.#ports[event.port]!.device, bytes: event.bytes });
    this.#us = Math.max(this.#us, answer.endUs);
    this.#wakeAtUs = answer.wakeAtUs;
    if (hasOutputs) for (const output of decodeOutputs(answer.outputs)) this.#take(turn, output, answer);
  }

  #take(turn: number, output: Output, answer: FromReplica): void {
    switch (output.kind) {
      case 'write': {
        const port = this.#ports[output.port]!;
        this.result.writes.push({ turn, device: port.device, bytes: output.bytes });
        this.#firmware.get(port.device)!.outputs(output.bytes, (this.#us - soloStartUs) / 1000);
        port.uncredited += output.bytes.length;
        if (port.uncredited >= creditStepBytes) {
          const event = { kind: 'port-credit', port: output.port, bytes: port.uncredited } as const;
          this.#queue.push({ atUs: this.#us + requestUs, event });
          port.uncredited = 0;
        }
        return;
      }
      case 'request': {
        if (output.operation === 'open')
          this.#ports[output.port] = { device: portSettingsOf(output).path, open: true, uncredited: 0 };
        else if (output.operation === 'close') this.#ports[output.port]!.open = false;
        const { request } = output;
        const event = { kind: 'completed', request, ok: true, result: 'null' } as const;
        this.#queue.push({ atUs: this.#us + requestUs, event });
        return;
      }
      case 'console':
        this.result.console += this.#decoder.decode(output.bytes);
        return;
      case 'exit':
        this.result.ending = answer;
        return;
    }
  }
}

function usOf(ms: number): number {
  return soloStartUs + Math.ceil(ms * 1000);
}

/** Runs at once; call it from a macrotask. */
export function runSolo(options: SoloRunOptions): SoloRunResult {
  return new SoloRun(options).run();
}

/** Runs `call` in a macrotask of its own, as the simulator does: a test's body is a microtask. */
export function inMacrotask<T>(call: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(call());
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** All that a device was sent, in order. */
export function bytesOf(pieces: readonly DeviceBytes[], device: string): Buffer {
  return Buffer.concat(pieces.filter((piece) => piece.device === device).map((piece) => piece.bytes));
}
