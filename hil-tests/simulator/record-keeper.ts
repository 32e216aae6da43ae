/** Remembers, beside the boards' own disks, what every board had in its journal, and who led each history last. */
import type { ExitReason } from '../../firmware-host/supervisor/effects.ts';
import { decodeBatch, type JournalRecord } from '../../protocol/record.ts';
import type { JournalEntryOfLife } from './disk.ts';
import type { BoardName } from './fault.ts';
import type { HistoryOfLife, Observation } from './observation.ts';
import { referenceRun } from './programs/reference-run.ts';
import type { SimulatedProgram } from './programs/replica-in-the-world.ts';

interface RecordsOfHistory {
  journals: Partial<Record<BoardName, JournalEntryOfLife[]>>;
  /** What is left on a board's disk after a restart. It counts once the board goes on from there. */
  reread: Partial<Record<BoardName, JournalEntryOfLife[]>>;
  /** The board that the arbiter followed when this history's program last ran. */
  leader: BoardName | null;
}

export class RecordKeeper {
  readonly histories = new Map<string, RecordsOfHistory>();
  readonly exits: Record<BoardName, ExitReason | null> = { a: null, b: null };
  #holder: BoardName | null = null;

  #of(historyId: string): RecordsOfHistory {
    let found = this.histories.get(historyId);
    if (found === undefined) {
      found = { journals: {}, reread: {}, leader: null };
      this.histories.set(historyId, found);
    }
    return found;
  }

  /** A journal is begun (null), or read again. */
  is(board: BoardName, historyId: string, entries: readonly JournalEntryOfLife[] | null): void {
    const { journals, reread } = this.#of(historyId);
    reread[board] = entries === null ? [] : [...entries];
    journals[board] ??= [];
  }

  grows(board: BoardName, historyId: string, entry: JournalEntryOfLife): void {
    const { journals, reread } = this.#of(historyId);
    const again = reread[board];
    if (again === undefined) {
      journals[board]!.push(entry);
      return;
    }
    again.push(entry);
    if (entry.kind !== 'batch') return;
    journals[board] = again;
    delete reread[board];
  }

  observe(observation: Observation): void {
    switch (observation.kind) {
      case 'device-attached':
        if (observation.device === 0) this.#holder = observation.board;
        return;
      case 'turn':
        if (observation.mode === 'perform' && observation.board === this.#holder) {
          this.#of(observation.historyId).leader = observation.board;
        }
        return;
      case 'board-up':
        this.exits[observation.board] = null;
        return;
      case 'board-down':
        this.exits[observation.board] = observation.exit;
        return;
      default:
        return;
    }
  }
}

export function historiesOf(
  keeper: RecordKeeper,
  program: SimulatedProgram,
  devices: readonly string[],
): HistoryOfLife[] {
  const histories: HistoryOfLife[] = [];
  for (const [historyId, { journals, leader }] of keeper.histories) {
    const entries = leader === null ? undefined : journals[leader];
    if (leader === null || entries === undefined) continue;
    const records: JournalRecord[] = [];
    const bases: HistoryOfLife['bases'] = [];
    const terms: number[] = [];
    for (const entry of entries) {
      if (entry.kind === 'batch') records.push(...decodeBatch(entry.bytes).records);
      else if (entry.note.kind === 'term') terms.push(entry.note.term);
      else if (entry.note.kind === 'device' && devices.includes(entry.note.device)) {
        const { device, session, outputs, inputs, turn } = entry.note;
        bases.push({ device, session, outputs, inputs, turn });
      }
    }
    histories.push({ historyId, board: leader, bases, terms, ...referenceRun(program, records) });
  }
  return histories;
}
