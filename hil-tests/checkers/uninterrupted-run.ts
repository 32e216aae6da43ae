/**
 * Promise 3 (DESIGN section 1): a fenced device sees exactly the output stream of one controller that never
 * failed. The reference is one uninterrupted run of the same program over the same recorded events: the
 * survivor's journal, replayed from its first turn in a fresh replica.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BootOptions, FromReplica } from '../../firmware-host/ipc.ts';
import { readJournal } from '../../firmware-host/journal/reader.ts';
import { ReplicaProcess } from '../../firmware-host/supervisor/replica-process.ts';
import { portSettingsOf } from '../../firmware-host/supervisor/requests.ts';
import { decodeBatch, decodeOutputs, type JournalRecord, turnsOf } from '../../protocol/record.ts';

export interface DeviceSession {
  device: string;
  session: number;
  /** Offset of the first byte of `bytes` in the device's session. */
  offset: number;
  bytes: Uint8Array;
}

export interface ReferenceRun {
  historyId: string;
  turns: number;
  sessions: DeviceSession[];
  /** First turn whose digest differs from the journal's, or null. */
  divergedAtTurn: number | null;
}

interface Journal {
  historyId: string;
  records: { firstTurn: number; record: JournalRecord }[];
  devices: { device: string; session: number; outputs: number; turn: number }[];
}

async function loadJournal(file: string): Promise<Journal> {
  const reading = await readJournal(file);
  const journal: Journal = { historyId: reading.header.historyId, records: [], devices: [] };
  for await (const { entry } of reading.entries) {
    if (entry.kind === 'note' && entry.note.kind === 'device') {
      journal.devices.push(entry.note as unknown as Journal['devices'][number]);
    } else if (entry.kind === 'batch') {
      const batch = decodeBatch(entry.bytes);
      let turn = batch.firstTurn;
      for (const record of batch.records) {
        journal.records.push({ firstTurn: turn, record });
        turn += turnsOf(record);
      }
    }
  }
  return journal;
}

/** Collects what the replica wrote, by session of each device. */
class StreamCollector {
  readonly sessions: DeviceSession[] = [];
  readonly #portDevice = new Map<number, string>();
  readonly #chunks = new Map<DeviceSession, Uint8Array[]>();
  readonly #notes: Journal['devices'];

  constructor(notes: Journal['devices']) {
    this.#notes = [...notes];
  }

  turn(turn: number, outputs: Uint8Array): void {
    while (this.#notes.length > 0 && this.#notes[0]!.turn <= turn) {
      const note = this.#notes.shift()!;
      const session = {
        device: note.device,
        session: note.session,
        offset: note.outputs,
        bytes: new Uint8Array(0),
      };
      this.sessions.push(session);
      this.#chunks.set(session, []);
    }
    for (const output of decodeOutputs(outputs)) {
      if (output.kind === 'request' && output.operation === 'open') {
        this.#portDevice.set(output.port, portSettingsOf(output).path);
      } else if (output.kind === 'write') {
        const device = this.#portDevice.get(output.port);
        const session = this.sessions.findLast((each) => each.device === device);
        if (session !== undefined) this.#chunks.get(session)!.push(output.bytes);
      }
    }
  }

  finish(): DeviceSession[] {
    for (const session of this.sessions) session.bytes = Buffer.concat(this.#chunks.get(session)!);
    return this.sessions;
  }
}

/** Runs the journal's events again. `boot.filesRoot` is replaced by an empty directory. */
export async function runUninterrupted(journalFile: string, boot: BootOptions): Promise<ReferenceRun> {
  const journal = await loadJournal(journalFile);
  const filesRoot = mkdtempSync(join(tmpdir(), 'understudy-reference-'));
  const collector = new StreamCollector(journal.devices);
  let divergedAtTurn: number | null = null;
  let next = 0;
  let stop: () => void = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      let sent = 0;
      const sendSome = (): void => {
        for (; sent < journal.records.length && sent - next < 500; sent++) {
          const { firstTurn, record } = journal.records[sent]!;
          if (record.kind === 'idle') {
            const { timeUs, stepUs, count } = record;
            replica.send({ kind: 'idle', turn: firstTurn, timeUs, stepUs, count });
          } else {
            const { timeUs, event, values } = record;
            replica.send({ kind: 'turn', mode: 'replay', turn: firstTurn, timeUs, event, values });
          }
        }
        replica.flush();
      };
      const message = (answer: FromReplica): void => {
        if (answer.kind === 'ready') {
          if (journal.records.length === 0) resolve();
          return sendSome();
        }
        if (answer.kind !== 'done') {
          divergedAtTurn ??= answer.turn;
          if (answer.kind === 'failed')
            reject(new Error(`${answer.name}: ${answer.message}\n${answer.stack}`));
          else resolve();
          return;
        }
        const { firstTurn, record } = journal.records[next]!;
        next += 1;
        if (record.kind === 'turn') {
          if (record.hasOutputs && record.digest !== answer.digest) divergedAtTurn ??= firstTurn;
          collector.turn(firstTurn, answer.outputs);
        }
        if (next === journal.records.length) resolve();
        else sendSome();
      };
      const replica = new ReplicaProcess(
        { ...boot, filesRoot },
        {
          message,
          exited: (reason) => reject(new Error(reason)),
          noise: () => {},
        },
      );
      stop = () => replica.stop();
    });
  } finally {
    stop();
    rmSync(filesRoot, { recursive: true, force: true });
  }
  const last = journal.records.at(-1);
  const turns = last === undefined ? 0 : last.firstTurn + turnsOf(last.record);
  return { historyId: journal.historyId, turns, sessions: collector.finish(), divergedAtTurn };
}

export interface StreamComparison {
  device: string;
  session: number;
  comparedBytes: number;
  /** Bytes of the reference that the device has not accepted: none after an orderly stop. */
  lostBytes: number;
  /** Bytes that the device accepted beyond the reference's end. */
  repeatedBytes: number;
  /** Offset in the session of the first byte that differs, or null. */
  differsAt: number | null;
}

/** `accepted`: everything that the device took in this session, from offset 0. */
export function compareStreams(reference: DeviceSession, accepted: Uint8Array): StreamComparison {
  const seen = accepted.subarray(reference.offset);
  const length = Math.min(seen.length, reference.bytes.length);
  let differsAt: number | null = null;
  for (let index = 0; index < length; index++) {
    if (seen[index] !== reference.bytes[index]) {
      differsAt = reference.offset + index;
      break;
    }
  }
  return {
    device: reference.device,
    session: reference.session,
    comparedBytes: length,
    lostBytes: Math.max(0, reference.bytes.length - seen.length),
    repeatedBytes: Math.max(0, seen.length - reference.bytes.length),
    differsAt,
  };
}
