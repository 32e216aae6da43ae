/**
 * Promise 3 (DESIGN section 1): nothing is lost across a takeover.
 *
 * A board that attaches and finds that the device is further than its own records (RECORDS_LOST) gives the history up.
 * That is documented for disks that are lost, and for records that the fsync policy has left to chance. It must not
 * happen
 *
 *   - to a backup that takes over: it holds every record that led to an output, in its memory
 *   - under fsync `always` to anybody, while no disk is lost or full: who lacks records waits for the board that has them
 *
 * What a protected primary had released need not be on its own disk yet: should its backup be gone a moment before its own
 * power is, that is two failures at once.
 *
 * A history that some board has given up for a newer one (PROGRAM_STARTED) may lack what it likes: nobody goes on with it.
 * A replica that was made to compute something else counts otherwise than the device: such lives are excepted.
 */
import type { Role } from '../../protocol/pair-contract.ts';
import { type BoardName, otherBoard } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';

interface Part {
  role: Role | null;
  historyId: string | null;
  /** It was a backup when it asked for the device, and is no other process since. */
  tookOver: boolean;
  stored: number;
  durable: number;
  /** Stored when its backup was one for the last time: until then the backup's journal counted, not its own disk. */
  shared: number;
  /** Its power was cut when its disk had not even that. */
  isCut: boolean;
}

class NoLostRecords implements Checker {
  readonly name = 'no-lost-records';
  readonly promise = '3: nothing lost across a takeover; section 8: journal on disk';
  readonly #isExcepted: boolean;
  readonly #isKept: boolean;
  readonly #parts: Record<BoardName, Part> = { a: newPart(), b: newPart() };
  #newestHistory: string | null = null;

  constructor({ faults, fsync }: LifeFacts) {
    this.#isExcepted = faults.some((fault) => fault.kind === 'replica' && fault.how === 'diverges');
    this.#isKept =
      fsync === 'always' &&
      !faults.some(
        (fault) => fault.kind === 'disk-full' || (fault.kind === 'power' && fault.disk === 'lost'),
      );
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'stored':
        if (observed.turns < this.#parts[observed.board].stored) this.#parts[observed.board].durable = 0;
        this.#parts[observed.board].stored = observed.turns;
        return;
      case 'durable':
        this.#parts[observed.board].durable = observed.turns;
        return;
      case 'board-down': {
        const part = this.#parts[observed.board];
        if (part.role === 'backup') this.#isAlone(otherBoard(observed.board));
        part.role = null;
        const isLast = this.#parts[otherBoard(observed.board)].role !== 'backup';
        if (observed.cause === 'power' && isLast && part.shared > part.durable) part.isCut = true;
        return;
      }
      case 'board-up': {
        const { isCut } = this.#parts[observed.board];
        this.#parts[observed.board] = {
          ...newPart(),
          isCut,
          stored: observed.turns,
          durable: observed.turns,
        };
        return;
      }
      case 'role': {
        const part = this.#parts[observed.board];
        const { role } = observed.status;
        if (part.role === 'backup' && role !== 'backup') this.#isAlone(otherBoard(observed.board));
        if (role === 'contending') part.tookOver ||= part.role === 'backup';
        else if (role !== 'primary') part.tookOver = false;
        part.role = role;
        part.historyId = observed.status.historyId;
        return;
      }
      case 'report':
        // Between being a backup and this claim it had stepped down, be it in one step.
        if (observed.report.code === 'PAIR_CLAIM' && observed.report.text.includes('(cold-start)')) {
          this.#parts[observed.board].role = 'stepped-down';
        }
        if (observed.report.code === 'PROGRAM_STARTED') {
          this.#parts[observed.board].tookOver = false;
          this.#parts[observed.board].isCut = false;
          this.#newestHistory = String(observed.report.details?.['history']);
        }
        if (observed.report.code === 'RECORDS_LOST') this.#lost(observed.board, observed.report.text);
    }
  }

  end(): void {}

  #isAlone(board: BoardName): void {
    this.#parts[board].shared = this.#parts[board].stored;
  }

  #lost(board: BoardName, text: string): void {
    if (this.#isExcepted) return;
    const { tookOver, historyId, isCut } = this.#parts[board];
    if (!tookOver && (!this.#isKept || isCut)) return;
    if (!tookOver && this.#newestHistory !== null && historyId !== this.#newestHistory) return;
    const why = tookOver ? 'was a backup when it asked for the device' : 'lost no disk, under fsync always';
    throw new Violation(this.name, `board ${board} ${why}, and lacks records: ${text}`);
  }
}

function newPart(): Part {
  return { role: null, historyId: null, tookOver: false, stored: 0, durable: 0, shared: 0, isCut: false };
}

export const noLostRecords: CheckerFactory = (facts) => new NoLostRecords(facts);
