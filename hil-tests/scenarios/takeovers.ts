/**
 * Scenario: the primary dies again and again, in turn by SIGKILL and by SIGSTOP, at random moments while the
 * program is at its I/O. After each the pair becomes protected again. In the end the device's stream must be that
 * of one uninterrupted run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalRig } from '../rigs/local/local-rig.ts';
import { other, type Verification } from '../rigs/local/rig-contract.ts';
import { seededRandom } from '../rigs/local/seeded-random.ts';

export interface TakeoversOptions {
  count: number;
  seed: number;
  /** Kinds in turn. */
  kinds?: readonly ('kill' | 'freeze' | 'switchover' | 'kill-replica')[];
  /** Called after each takeover with a line for people. */
  progress?(line: string): void;
}

export interface Takeover {
  kind: string;
  board: string;
  attachGapMs: number;
  outputGapMs: number | null;
}

export interface TakeoversResult {
  takeovers: Takeover[];
  verification: Verification;
}

const protectedWithinMs = 30_000;
const ledWithinMs = 10_000;

export async function runTakeovers(rig: LocalRig, options: TakeoversOptions): Promise<TakeoversResult> {
  const random = seededRandom(options.seed);
  const kinds = options.kinds ?? ['kill', 'freeze'];
  const takeovers: Takeover[] = [];
  for (let index = 0; index < options.count; index++) {
    await rig.until((each) => each.isProtected(), protectedWithinMs, `protected before takeover ${index}`);
    // The fault is to fall at a random moment of the program's work: this is the scenario, not a wait for calm.
    await sleep(random() * 400);
    await rig.until(
      (each) => each.isProtected(),
      protectedWithinMs,
      `still protected before takeover ${index}`,
    );
    const board = rig.primary()!;
    const kind = kinds[index % kinds.length]!;
    const term = rig.device.term;
    if (kind === 'kill') rig.kill(board);
    else if (kind === 'freeze') rig.freeze(board);
    else if (kind === 'kill-replica') rig.killReplica(board);
    else rig.switchover();
    await rig.until(
      (each) => each.device.term > term && each.device.attachedBoard === other(board),
      ledWithinMs,
      `takeover ${index} (${kind} of board ${board})`,
    );
    const fault = rig.faults.at(-1)!;
    await rig
      .until(() => fault.outputGapMs !== null, ledWithinMs, 'an output of the survivor')
      .catch(() => {});
    if (kind === 'kill') {
      await rig.until((each) => !each.boards[board].running, ledWithinMs, 'the killed board is gone');
      rig.restart(board);
    } else if (kind === 'freeze') {
      await sleep(random() * 300);
      rig.thaw(board);
    }
    takeovers.push({
      kind: fault.kind,
      board,
      attachGapMs: fault.attachGapMs!,
      outputGapMs: fault.outputGapMs,
    });
    options.progress?.(
      `${String(index + 1).padStart(4)}/${options.count}  ${fault.kind} ${board.toUpperCase()}  ` +
        `attached after ${fault.attachGapMs!.toFixed(1)} ms, first output after ${fault.outputGapMs?.toFixed(1) ?? '-'} ms`,
    );
  }
  await rig.until((each) => each.isProtected(), protectedWithinMs, 'protected after the last takeover');
  await rig.stopBoards();
  return { takeovers, verification: await rig.verify() };
}

/** What the scenario demands, as sentences; empty when all is well. */
export function complaintsOf(verification: Verification): string[] {
  const complaints: string[] = [];
  if (!verification.streamMatches)
    complaints.push('the device was sent another stream than one uninterrupted run gives');
  if (verification.outputsLost > 0) complaints.push(`${verification.outputsLost} bytes of output lost`);
  if (verification.outputsRepeated > 0)
    complaints.push(`${verification.outputsRepeated} bytes of output repeated`);
  if (verification.divergences > 0) complaints.push(`${verification.divergences} divergences`);
  if (verification.comparedBytes === 0) complaints.push('there was nothing to compare');
  return complaints;
}
