/**
 * What happens when a copy turns out not to be one: it never takes over (promise 6), and what differed is told.
 *
 *   backup:  digest differs -> replica stopped, not eligible -> `trace-request` --> primary: the outputs it kept
 *            first difference (`divergence.ts`) <------------------ `trace` ----------------+
 *            -> reported on both boards, joined again from the start, a few times
 *
 * The bus carries digests only, so the primary keeps the outputs of the turns that the backup has not run. The same
 * difference in a replay of the own journal means that the journal is of no use.
 */
import type { DivergenceReport } from '../../protocol/pair-message.ts';
import type { Output } from '../../protocol/record.ts';
import type { CoreState } from './core-state.ts';
import { describeDivergence } from './divergence.ts';
import type { TurnOutputs } from './output-gate.ts';
import type { Parts } from './parts.ts';

const divergencesMax = 3;
/** Turns with outputs that are kept to explain a divergence of a copy that is far behind. */
const tracesMax = 1000;

type Others = Pick<Parts, 'histories' | 'joining' | 'messages'>;

export class DivergenceHandling {
  readonly #core: CoreState;
  readonly #parts: Others;
  /** How often this board's replica has diverged. */
  count = 0;
  /** Primary: outputs of turns that the backup has not run. */
  #traces: TurnOutputs[] = [];
  /** Backup: the turn whose digest differs, until the primary's outputs of it come. */
  #mismatch: { turn: number; outputs: Output[]; stacks: string[] } | null = null;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  /** A new history. */
  reset(): void {
    this.#traces = [];
    this.#mismatch = null;
  }

  // ---------------------------------------------------------------- on the primary

  keepTrace(turn: number, outputs: Output[]): void {
    this.#traces.push({ turn, outputs });
    if (this.#traces.length > tracesMax) this.#traces.shift();
  }

  /** The backup has run all turns before this one. */
  executed(turns: number): void {
    while (this.#traces.length > 0 && this.#traces[0]!.turn < turns) this.#traces.shift();
  }

  sendTrace(turn: number): void {
    const trace = this.#traces.find((each) => each.turn === turn);
    const outputs = JSON.stringify(trace?.outputs ?? null, (_key, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    );
    this.#parts.messages.say({ kind: 'trace', turn, outputs });
    this.#parts.messages.flush();
  }

  ofBackup({ turn, expected, actual, stack }: DivergenceReport): void {
    const details = { turn, expected, actual, stack };
    this.#core.report('alarm', 'BACKUP_DIVERGED', `the backup diverged at turn ${turn}`, details);
  }

  // ---------------------------------------------------------------- on the backup

  /** The digest only says that something differs: what, the primary's outputs of that turn tell. */
  digestDiffers(turn: number, outputs: Output[], stacks: string[]): void {
    const { pair, role, runner } = this.#core;
    this.#core.emit({ kind: 'replica-stop', reason: 'DIVERGED' });
    runner.reset();
    this.#mismatch = { turn, outputs, stacks };
    if (this.#parts.histories.resuming) {
      this.diverged({
        turn,
        expected: 'what the recorded digest stands for',
        actual: describeDivergence([], outputs).actual,
        stack: stacks[0] ?? '',
      });
      return;
    }
    // Until it is known what differs this board is no copy, whatever happens meanwhile.
    const reason = `turn ${turn} had other outputs than the primary's`;
    if (pair.role === 'contending') {
      role({ kind: 'copy-lost', reason });
      return;
    }
    role({ kind: 'unprotected', reason });
    this.#parts.messages.say({ kind: 'trace-request', turn });
    this.#parts.messages.flush();
  }

  /** Nobody will say any more what differed. What has come since has no replica: the journal brings another one there. */
  steppedDown(): void {
    if (this.#mismatch === null) return;
    this.#mismatch = null;
    this.#core.runner.reset();
  }

  traceArrived(turn: number, outputs: string): void {
    const mismatch = this.#mismatch;
    if (mismatch === null || mismatch.turn !== turn) return;
    const theirs = JSON.parse(outputs) as unknown[] | null;
    const { expected: first, actual, index } = describeDivergence(theirs ?? [], mismatch.outputs);
    // A turn of long ago: only its digest is left.
    const expected = theirs === null ? 'something else' : first;
    this.diverged({ turn, expected, actual, stack: mismatch.stacks[index] ?? mismatch.stacks.at(-1) ?? '' });
  }

  /** This board's replica is no copy any more: it never takes over (promise 6). */
  diverged(report: DivergenceReport): void {
    const { options, role, runner } = this.#core;
    const { histories, joining, messages } = this.#parts;
    const { turn, expected, actual, stack } = report;
    const text = `turn ${turn}: the primary did ${expected}, this board ${actual}`;
    this.#core.report('alarm', 'DIVERGED', text, { turn, expected, actual, stack });
    this.count += 1;
    this.#mismatch = null;
    if (histories.resuming) return histories.forgetJournal();
    this.#core.emit({ kind: 'replica-stop', reason: 'DIVERGED' });
    runner.reset();
    joining.postpone();
    messages.say({ kind: 'not-eligible', reason: `board ${options.board} diverged`, report });
    messages.flush();
    joining.following = false;
    if (this.count > divergencesMax) {
      role({ kind: 'unprotected', reason: `diverged ${this.count} times: not joined again` });
      return;
    }
    role({ kind: 'copy-lost', reason: 'diverged: joining again from the start' });
  }
}
