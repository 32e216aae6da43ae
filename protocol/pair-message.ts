/**
 * What two supervisors say to each other over the session (protocol/README.md §11).
 *
 * Frequent messages are binary (records, heartbeats); what is said a few times in a life is JSON.
 */
import { ByteReader, ByteWriter, WireError } from './bytes.ts';
import { crc32 } from './crc.ts';
import type { Role } from './pair-contract.ts';

/** Everything that must be equal on both boards; compared when they meet, never patched around. */
export interface Identity {
  programHash: string;
  runtime: Record<string, string>;
}

export type PairMessage =
  /** First message of every connection. */
  | {
      kind: 'hello';
      board: 'a' | 'b';
      identity: Identity;
      historyId: string | null;
      role: Role;
      term: number;
      journalTerm: number;
      journalTurns: number;
    }
  /**
   * Board -> primary: send me your history. `join` counts this board's attempts; answers to an earlier one are void.
   * `fromTurn` > 0 only for a board whose replica stands exactly there.
   */
  | { kind: 'follow'; join: number; historyId: string | null; fromTurn: number }
  /**
   * Primary -> joining board: records from `fromTurn` on follow. `restarts` of the program that did not help so far:
   * the limit is the pair's, not a board's.
   */
  | {
      kind: 'history';
      join: number;
      historyId: string;
      fromTurn: number;
      startedAtMs: number;
      restarts: number;
    }
  /** Primary -> backup: you hold everything, outputs wait for you from now on. */
  | { kind: 'protected'; join: number; term: number }
  /** Primary -> other board: records for you were dropped while you were silent, follow again. */
  | { kind: 'rejoin'; join: number }
  /** New primary, not by a solo claim -> other board: what you follow from before this term does not go on. */
  | { kind: 'reign'; term: number }
  /** Backup -> primary: I cannot take over. */
  | { kind: 'not-eligible'; reason: string; report: DivergenceReport | null }
  | { kind: 'handover'; term: number; planned: boolean; reason: string }
  /** Answer of a board that was no backup when the handover reached it. */
  | { kind: 'handover-refused'; term: number }
  /** Facts that both journals keep: a granted term, a device's session. */
  | { kind: 'note'; note: JournalNote }
  | { kind: 'trace-request'; turn: number }
  | { kind: 'trace'; turn: number; outputs: string }
  /** Board -> primary: the operator asked here. */
  | { kind: 'operator'; command: 'switchover' | 'safe' }
  | { kind: 'program-exit'; code: number }
  | { kind: 'records'; batch: Uint8Array };

export type JournalNote =
  | { kind: 'term'; term: number; turn: number; board: 'a' | 'b' }
  /** In one board's journal only: from here on it may, or may not, go on alone after the other board's reign. */
  | { kind: 'standing'; term: number; turn: number; eligible: boolean }
  /** From this turn on the device's streams count from these offsets, in this session of the device. */
  | { kind: 'device'; device: string; session: number; outputs: number; inputs: number; turn: number }
  /** An order given at this board's console: from which line of it, and why. */
  | {
      kind: 'operator';
      term: number;
      turn: number;
      board: 'a' | 'b';
      from: string;
      command: string;
      reason: string;
    };

export interface DivergenceReport {
  turn: number;
  /** What the primary did. */
  expected: string;
  /** What the backup's replica did. */
  actual: string;
  /** Source lines, innermost first. */
  stack: string;
}

const recordsTag = 1;
const jsonTag = 2;

export function encodePairMessage(message: PairMessage): Uint8Array {
  if (message.kind === 'records')
    return new ByteWriter(message.batch.length + 1).u8(recordsTag).raw(message.batch).finish();
  return new ByteWriter(128)
    .u8(jsonTag)
    .raw(new TextEncoder().encode(JSON.stringify(message)))
    .finish();
}

/** Throws WireError on anything but a message of ours. */
export function decodePairMessage(bytes: Uint8Array): PairMessage {
  const reader = new ByteReader(bytes);
  const tag = reader.u8();
  if (tag === recordsTag) return { kind: 'records', batch: reader.rest().slice() };
  if (tag !== jsonTag) throw new WireError('BAD_VALUE', `pair message type ${tag} is unknown`);
  try {
    const value = JSON.parse(new TextDecoder().decode(reader.rest())) as PairMessage;
    const hasKind = typeof value === 'object' && value !== null && typeof value.kind === 'string';
    if (hasKind && value.kind !== 'records') return value;
  } catch {
    // Reported below: the place inside the JSON is of no use to anybody here.
  }
  throw new WireError('BAD_VALUE', 'pair message is not a JSON object with a kind');
}

/** Carried by every heartbeat: the newest state, so a lost one does not matter. */
export interface Heartbeat {
  role: Role;
  term: number;
  /** `copyName` of what the counts below are counts of; 0 while there is no copy. */
  copy: number;
  protected: boolean;
  /** Newest term of which the journal holds the beginning. */
  journalTerm: number;
  /** Turns recorded (primary) or stored (backup). */
  turns: number;
  /** Turns that the replica has run. */
  executedTurns: number;
  /** Turns whose outputs the primary has released. */
  releasedTurns: number;
  /** Output bytes confirmed by each device, in the order of the config, and the session that they count in (0: none). */
  confirmed: { session: number; outputs: number }[];
}

/**
 * Names the copy of a history that `board` keeps since its wish number `join`. Counts of one copy say nothing of another: a heartbeat
 * may have been under way since before a copy was begun anew.
 */
export function copyName(historyId: string, board: 'a' | 'b', join: number): number {
  for (const each of newestNames) {
    if (each.join === join && each.board === board && each.historyId === historyId) return each.name;
  }
  const name = crc32(new TextEncoder().encode(`${historyId} ${board} ${join}`)) || 1;
  newestNames.unshift({ historyId, board, join, name });
  newestNames.length = Math.min(newestNames.length, newestNamesMax);
  return name;
}

/** A name is asked for at every step, and a new one comes with a new copy only. */
const newestNames: { historyId: string; board: 'a' | 'b'; join: number; name: number }[] = [];
const newestNamesMax = 4;

const roles: readonly Role[] = [
  'starting',
  'contending',
  'primary',
  'joining',
  'backup',
  'stepped-down',
  'stopped',
];

export function encodeHeartbeat(heartbeat: Heartbeat): Uint8Array {
  const writer = new ByteWriter(32);
  writer.u8(roles.indexOf(heartbeat.role) | (heartbeat.protected ? 0x80 : 0)).varint(heartbeat.term);
  writer.u32(heartbeat.copy).varint(heartbeat.journalTerm).varint(heartbeat.turns);
  writer.signed(heartbeat.turns - heartbeat.executedTurns).signed(heartbeat.turns - heartbeat.releasedTurns);
  writer.varint(heartbeat.confirmed.length);
  for (const { session, outputs } of heartbeat.confirmed) writer.varint(session).varint(outputs);
  return writer.finish();
}

/** Throws WireError on damage. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat {
  const reader = new ByteReader(bytes);
  const flags = reader.u8();
  const role = roles[flags & 0x7f];
  if (role === undefined) throw new WireError('BAD_VALUE', `role ${flags & 0x7f} is unknown`);
  const term = reader.varint();
  const copy = reader.u32();
  const journalTerm = reader.varint();
  const turns = reader.varint();
  const executedTurns = turns - reader.signed();
  const releasedTurns = turns - reader.signed();
  const count = reader.varint();
  if (count > 64) throw new WireError('BAD_VALUE', `${count} devices in a heartbeat`);
  const confirmed: Heartbeat['confirmed'] = [];
  for (let index = 0; index < count; index++)
    confirmed.push({ session: reader.varint(), outputs: reader.varint() });
  const isProtected = (flags & 0x80) !== 0;
  const counts = { turns, executedTurns, releasedTurns, confirmed };
  return { role, term, protected: isProtected, copy, journalTerm, ...counts };
}
