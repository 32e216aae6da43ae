/** The verdict on a run of the local rig: what the device took, beside one uninterrupted run of the recorded events. */
import { join, resolve } from 'node:path';
import { compareStreams, runUninterrupted, type StreamComparison } from '../../checkers/uninterrupted-run.ts';
import { deviceName } from './rig-config.ts';
import type { RigEvent, Verification } from './rig-contract.ts';
import type { RigDevice } from './rig-device.ts';

/** `stateDirectory`: of the board whose journal tells the events. */
export async function verifyRun(
  stateDirectory: string,
  program: string,
  device: RigDevice,
  events: readonly RigEvent[],
): Promise<Verification> {
  const reference = await runUninterrupted(join(stateDirectory, 'journal.usj'), {
    bundleFile: join(stateDirectory, 'program.bundle.js'),
    programFile: resolve(program),
    filesRoot: '',
  });
  const comparisons = reference.sessions
    .filter((session) => session.device === deviceName)
    .map((session) => compareStreams(session, Buffer.concat(device.accepted(session.session))));
  const total = (pick: (comparison: StreamComparison) => number): number =>
    comparisons.reduce((sum, comparison) => sum + pick(comparison), 0);
  const diverged = events.filter((event) => event.code === 'DIVERGED').length;
  return {
    streamMatches: comparisons.length > 0 && comparisons.every((each) => each.differsAt === null),
    comparedBytes: total((each) => each.comparedBytes),
    outputsLost: total((each) => each.lostBytes),
    outputsRepeated: total((each) => each.repeatedBytes),
    outputsRejectedStale: device.view.rejectedStaleBytes,
    divergences: diverged + (reference.divergedAtTurn === null ? 0 : 1),
    sessions: device.sessionCount,
    turns: reference.turns,
    comparisons,
  };
}
