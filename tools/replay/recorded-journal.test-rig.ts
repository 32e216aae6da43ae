/**
 * Journals as boards write them, without boards: a real program in a real replica's process, an Uno with its plant in
 * virtual time, and the journal's own writer. Runs of turns without effect become idle records, as on a board.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { WaterTank } from '../../boards/plants/water-tank.ts';
import { SimulatedFirmata } from '../../boards/simulated/firmata.ts';
import { unoProfile } from '../../boards/uno/profile.ts';
import { type Bundle, bundleProgram } from '../../firmware-host/bundle/bundler.ts';
import { runtimeIdentity } from '../../firmware-host/bundle/runtime-identity.ts';
import type { JournalHeader } from '../../firmware-host/journal/entry.ts';
import { JournalWriter } from '../../firmware-host/journal/writer.ts';
import {
  type Done,
  ScriptedSupervisor,
  startEvent,
  startUs,
} from '../../firmware-host/replica/scripted-supervisor.fake.ts';
import {
  decodeOutputs,
  encodeBatch,
  type JournalRecord,
  type ReplicaEvent,
  turnsOf,
} from '../../protocol/record.ts';
import { scratchFolder } from '../command-line.test-rig.ts';

const batchRecords = 20;

export interface RecordedJournal {
  folder: string;
  file: string;
  program: string;
  bundle: Bundle;
  records: JournalRecord[];
  turns: number;
  /** All bytes that the program wrote to its port, in order. */
  written: number[];
}

/** Runs the program's file for so long in virtual time. */
export async function recordJournal(programFile: string, durationMs: number): Promise<RecordedJournal> {
  const folder = scratchFolder();
  const bundle = await bundleProgram(programFile);
  const recorder = new Recorder(bundle.code);
  onTestFinished(() => recorder.stop());
  await recorder.run(durationMs);
  const { records, written } = recorder;
  const file = await writeJournal(folder, bundle.hash, records);
  const turns = records.reduce((sum, record) => sum + turnsOf(record), 0);
  return { folder, file, program: programFile, bundle, records, turns, written };
}

export async function writeJournal(
  folder: string,
  bundleHash: string,
  records: JournalRecord[],
): Promise<string> {
  const header: JournalHeader = {
    historyId: '00112233445566778899aabbccddeeff',
    bundleHash,
    program: '/programs/program.js',
    startedAtMs: startUs / 1000,
    runtime: { ...runtimeIdentity() },
  };
  const writer = await JournalWriter.create(folder, header, { fsync: 'never' });
  writer.append({ kind: 'note', note: { kind: 'term', term: 1, turn: 0, board: 'a' } });
  let firstTurn = 0;
  for (let from = 0; from < records.length; from += batchRecords) {
    const part = records.slice(from, from + batchRecords);
    writer.append({ kind: 'batch', bytes: encodeBatch({ firstTurn, records: part }) });
    firstTurn += part.reduce((sum, record) => sum + turnsOf(record), 0);
  }
  await writer.close();
  return writer.path;
}

/** A program's text as a file of its own, in a folder of the test. */
export function programFile(text: string): string {
  const folder = scratchFolder();
  const file = join(folder, 'program.js');
  writeFileSync(join(folder, 'package.json'), '{}');
  writeFileSync(file, text);
  return file;
}

class Recorder {
  readonly #replica: ScriptedSupervisor;
  readonly #device = new SimulatedFirmata({ profile: unoProfile, plant: new WaterTank() });
  #toProgram: number[] = [];
  #timeUs = startUs;
  #wakeAtUs: number | null = null;
  #hasEnded = false;
  readonly records: JournalRecord[] = [];
  readonly written: number[] = [];

  constructor(code: string) {
    this.#replica = new ScriptedSupervisor(code);
    this.#device.onTransmit = (bytes) => this.#toProgram.push(...bytes);
  }

  stop(): Promise<void> {
    return this.#replica.stop();
  }

  get #deviceMs(): number {
    return (this.#timeUs - startUs) / 1000;
  }

  async run(durationMs: number): Promise<void> {
    await this.#replica.ready();
    await this.#turn({ ...startEvent });
    const endUs = startUs + durationMs * 1000;
    while (!this.#hasEnded) {
      if (this.#toProgram.length > 0) {
        await this.#turn({ kind: 'port-data', port: 0, bytes: Uint8Array.from(this.#toProgram.splice(0)) });
        continue;
      }
      const deviceAtMs = this.#device.nextWakeAt;
      const deviceAtUs =
        deviceAtMs === null ? Number.POSITIVE_INFINITY : startUs + Math.ceil(deviceAtMs * 1000);
      const nextUs = Math.min(deviceAtUs, this.#wakeAtUs ?? Number.POSITIVE_INFINITY);
      if (nextUs > endUs) return;
      this.#timeUs = Math.max(this.#timeUs, nextUs);
      this.#device.tick(this.#deviceMs);
      if (this.#toProgram.length === 0 && this.#wakeAtUs !== null && this.#wakeAtUs <= this.#timeUs) {
        await this.#turn({ kind: 'time' });
      }
    }
  }

  async #turn(event: ReplicaEvent): Promise<void> {
    const done = await this.#replica.perform(this.#timeUs, event);
    this.#timeUs = Math.max(this.#timeUs, done.endUs);
    this.#wakeAtUs = done.wakeAtUs;
    this.#record(event, done);
    for (const output of decodeOutputs(done.outputs)) {
      if (output.kind === 'write') {
        this.written.push(...output.bytes);
        this.#device.receive(this.#deviceMs, output.bytes);
      } else if (output.kind === 'request') {
        await this.#turn({ kind: 'completed', request: output.request, ok: true, result: 'null' });
        if (output.operation === 'open') this.#device.opened(this.#deviceMs);
      } else if (output.kind === 'exit') this.#hasEnded = true;
    }
  }

  #record(event: ReplicaEvent, done: Done): void {
    const { startUs: timeUs, values, digest } = done;
    const hasOutputs = done.outputs.length > 0;
    const last = this.records.at(-1);
    if (event.kind === 'time' && !hasOutputs && values.length === 0) {
      if (last?.kind === 'idle' && last.timeUs + last.count * last.stepUs === timeUs) last.count += 1;
      else if (last?.kind === 'idle' && last.count === 1)
        Object.assign(last, { stepUs: timeUs - last.timeUs, count: 2 });
      else this.records.push({ kind: 'idle', timeUs, stepUs: 0, count: 1 });
      return;
    }
    this.records.push({ kind: 'turn', timeUs, event, values, hasOutputs, digest: hasOutputs ? digest : 0 });
  }
}
