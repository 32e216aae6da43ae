/**
 * Which timing this board can keep, by what a heartbeat trial saw on it (heartbeat-trial.ts).
 *
 * The other board's detector sees our lateness and its own added up, and a trial of minutes sees less than a life of
 * months. So the advice is twice the longest silence and one heartbeat more; and a setting at which the trial itself counted a
 * living board as dead is not advised against but refused.
 */
import type { LoadKind } from '../bench/load.ts';
import { type Check, missing, ok, warning } from './check.ts';
import type { Priority, TrialResult } from './heartbeat-trial.ts';

export interface Trial {
  load: LoadKind;
  priority: Priority;
  result: TrialResult;
}

export interface Timing {
  heartbeatIntervalMs: number;
  detectionTimeoutMs: number;
}

const safetyFactor = 2;
const stepMs = 5;
/** pair.yaml allows no more. */
const detectionTimeoutMsMax = 60_000;

export interface TimingAdvice extends Timing {
  longestSilenceMs: number;
}

/** From the trials with the boards' own priority. */
export function adviseTiming(trials: readonly Trial[], heartbeatIntervalMs: number): TimingAdvice {
  const longestSilenceMs = Math.max(
    ...trials.flatMap(({ result }) => result.falseTakeovers.map((each) => each.longestSilenceMs)),
  );
  const needed = safetyFactor * longestSilenceMs + heartbeatIntervalMs;
  const stepped = Math.ceil(needed / stepMs) * stepMs;
  const detectionTimeoutMs = Math.min(detectionTimeoutMsMax, Math.max(stepped, 3 * heartbeatIntervalMs));
  return { heartbeatIntervalMs, detectionTimeoutMs, longestSilenceMs };
}

/** `trials`: each must contain the configured timeout among those it tried. */
export function judgeTiming(trials: readonly Trial[], timing: Timing): Check {
  const id = 'heartbeats';
  const advice = adviseTiming(trials, timing.heartbeatIntervalMs);
  const { detectionTimeoutMs } = timing;
  const counted = trials.flatMap(({ load, result }) =>
    result.falseTakeovers
      .filter(({ timeoutMs, count }) => timeoutMs === detectionTimeoutMs && count > 0)
      .map(({ count }) => `${count} under load ${load}`),
  );
  const seconds = trials.reduce((sum, { result }) => sum + result.durationMs, 0) / 1000;
  const found = `longest silence of a living process ${advice.longestSilenceMs.toFixed(1)} ms in ${seconds.toFixed(0)} s`;
  const advised = `Set timing.detectionTimeoutMs to ${advice.detectionTimeoutMs}`;
  if (counted.length > 0) {
    return missing(
      id,
      `${found}: timing.detectionTimeoutMs ${detectionTimeoutMs} is unsafe, false takeovers: ${counted.join(', ')}`,
      `${advised} or more, or give the board less other work, or real-time priority.`,
    );
  }
  if (detectionTimeoutMs < advice.detectionTimeoutMs) {
    return warning(
      id,
      `${found}: timing.detectionTimeoutMs ${detectionTimeoutMs} leaves too little room`,
      `${advised} or more: twice the longest silence, and one heartbeat.`,
    );
  }
  return ok(
    id,
    `${found}: timing.detectionTimeoutMs ${detectionTimeoutMs} is safe, ${advice.detectionTimeoutMs} would be too`,
  );
}
