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
 * What a protected primary had released need not be on its own disk yet. Should it end then, by power or a kill, its backup
 * has those records and takes over. Should that one be gone a moment before, or something strike it or the links between that
 * end and the claim, those are two failures at once; but not when both boards are there in the end, were of the pair when
 * they ended, and compare their journals: then the one that has the records leads. Whether an undisturbed backup takes over
 * in time, takeover-in-time asks. A board that was a backup again since has all of it again, and is not excused any more.
 *
 * A device that no board has reached since a lone primary ended so still counts what went with it. It says so to the first one
 * that reaches it, however often the pair has changed sides meanwhile: then the end is judged, and not that board.
 *
 * A device that a reign began to serve, but to which nothing was written yet, has lost nothing.
 *
 * A history that some board has given up for a newer one (PROGRAM_STARTED) may lack what it likes: nobody goes on with it.
 * A replica that was made to compute something else counts otherwise than the device: such lives are excepted.
 */
import type { Role } from '../../protocol/pair-contract.ts';
import { type BoardName, type Fault, linkNames, otherBoard } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { anyFaultBetween, disturbsLink } from './fault-windows.ts';

interface Part {
  role: Role | null;
  historyId: string | null;
  /** It was a backup when it asked for the device, and is no other process since. */
  tookOver: boolean;
  stored: number;
  durable: number;
  /** Stored when its backup was one for the last time: until then the backup's journal counted, not its own disk. */
  shared: number;
  /** When it ended while its disk had not even that; null for never. */
  cutAt: number | null;
  /** And its backup was gone before. */
  isCut: boolean;
  /** It led or was a backup when it was last seen: a board that has left, or was joining, may not lead by its journal. */
  stands: boolean;
  /** It has asked for the device because both boards, the other one standing too, had told of their journals. */
  chosen: boolean;
}

class NoLostRecords implements Checker {
  readonly name = 'no-lost-records';
  readonly promise = '3: nothing lost across a takeover; section 8: journal on disk';
  readonly #isExcepted: boolean;
  readonly #isKept: boolean;
  readonly #faults: readonly Fault[];
  readonly #parts: Record<BoardName, Part> = { a: newPart(), b: newPart() };
  #newestHistory: string | null = null;
  readonly #devices: readonly string[];
  /** Devices to which the newest history has written. */
  readonly #written = new Set<string>();
  /** By device: a lone primary's end with records that its disk had not, and when a board reached the device for the first time since. */
  readonly #unasked = new Map<string, { isCut: boolean; reachedAt: number | null }>();

  constructor({ faults, fsync, devices }: LifeFacts) {
    this.#faults = faults;
    this.#devices = devices.map(({ name }) => name);
    this.#isExcepted = faults.some((fault) => fault.kind === 'replica' && fault.how === 'diverges');
    this.#isKept =
      fsync === 'always' &&
      !faults.some(
        (fault) => fault.kind === 'disk-full' || (fault.kind === 'power' && fault.disk === 'lost'),
      );
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'device-output':
        this.#written.add(this.#devices[observed.device]!);
        return;
      case 'stored':
        if (observed.turns < this.#parts[observed.board].stored) this.#parts[observed.board].durable = 0;
        this.#parts[observed.board].stored = observed.turns;
        return;
      case 'durable':
        this.#parts[observed.board].durable = observed.turns;
        return;
      case 'board-down': {
        const part = this.#parts[observed.board];
        const { role } = part;
        if (role === 'backup') this.#isAlone(otherBoard(observed.board));
        part.role = null;
        if (observed.cause !== 'power' && observed.cause !== 'killed') return;
        const isLast = this.#parts[otherBoard(observed.board)].role !== 'backup';
        if (!isLast) part.shared = part.stored;
        if (part.shared > part.durable) {
          part.cutAt ??= observed.at;
          part.isCut ||= isLast;
        }
        if (role === 'primary' && isLast && part.stored > part.durable) this.#isUnasked(part.isCut);
        return;
      }
      case 'board-up': {
        const { isCut, cutAt, shared, historyId, stands } = this.#parts[observed.board];
        // A kill takes what was still in the process, and not what the kernel had.
        const isWhole = observed.turns >= shared && observed.historyId === historyId;
        this.#parts[observed.board] = {
          ...newPart(),
          ...(isWhole ? {} : { isCut, cutAt }),
          stands,
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
        if (role === 'backup') this.#isWhole(part);
        if (role === 'primary' || role === 'backup') part.stands = true;
        else if (role === 'joining' || role === 'stopped') part.stands = false;
        part.role = role;
        part.historyId = observed.status.historyId;
        return;
      }
      case 'report':
        if (observed.report.code === 'PAIR_CLAIM') {
          const part = this.#parts[observed.board];
          // Between being a backup and this claim it had stepped down, be it in one step.
          if (observed.report.text.includes('(cold-start)')) part.role = 'stepped-down';
          const { stands } = this.#parts[otherBoard(observed.board)];
          part.chosen = stands && observed.report.text.includes('both boards are here');
        }
        if (observed.report.code === 'PROGRAM_STARTED') {
          this.#parts[observed.board].tookOver = false;
          this.#isWhole(this.#parts[observed.board]);
          this.#newestHistory = String(observed.report.details?.['history']);
          this.#unasked.clear();
          this.#written.clear();
        }
        if (observed.report.code === 'DEVICE_ATTACHED') {
          const unasked = this.#unasked.get(deviceOf(observed.report.text));
          if (unasked !== undefined) unasked.reachedAt ??= observed.at;
        }
        if (observed.report.code === 'RECORDS_LOST') this.#lost(observed);
    }
  }

  end(): void {}

  #isAlone(board: BoardName): void {
    this.#parts[board].shared = this.#parts[board].stored;
  }

  #isUnasked(isCut: boolean): void {
    for (const device of this.#devices) this.#unasked.set(device, { isCut, reachedAt: null });
  }

  #isWhole(part: Part): void {
    part.isCut = false;
    part.cutAt = null;
  }

  /** The other board, which had the records, was kept from taking over in time. */
  #isHindered(other: BoardName, from: number, to: number): boolean {
    return anyFaultBetween(this.#faults, from, to, (fault) => {
      if ('board' in fault && fault.kind !== 'clock-step') return fault.board === other;
      return linkNames.some((link) => disturbsLink(fault, link, other));
    });
  }

  #lost({ board, report, at }: Observed & { kind: 'report' }): void {
    if (this.#isExcepted) return;
    if (report.text.includes('counts began') && !this.#written.has(deviceOf(report.text))) return;
    const { historyId, cutAt, chosen, ...part } = this.#parts[board];
    const unasked = this.#unasked.get(deviceOf(report.text));
    const isFirst = unasked !== undefined && (unasked.reachedAt ?? at) === at;
    const tookOver = part.tookOver && !isFirst;
    const isCut = part.isCut || (isFirst && unasked.isCut);
    if (!tookOver && (!this.#isKept || isCut)) return;
    if (!tookOver && cutAt !== null && !chosen && this.#isHindered(otherBoard(board), cutAt, at)) return;
    if (!tookOver && this.#newestHistory !== null && historyId !== this.#newestHistory) return;
    const why = tookOver ? 'was a backup when it asked for the device' : 'lost no disk, under fsync always';
    throw new Violation(this.name, `board ${board} ${why}, and lacks records: ${report.text}`);
  }
}

/** The device's name, with which every report of a device begins. */
function deviceOf(text: string): string {
  return text.slice(0, text.indexOf(' '));
}

function newPart(): Part {
  return {
    ...{ role: null, historyId: null, tookOver: false },
    ...{ stored: 0, durable: 0, shared: 0, cutAt: null, isCut: false },
    ...{ stands: false, chosen: false },
  };
}

export const noLostRecords: CheckerFactory = (facts) => new NoLostRecords(facts);
