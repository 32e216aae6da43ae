/**
 * Scenarios in which nothing must happen: a pair under CPU load with no fault (every takeover is a false one), and
 * a pair that lost one of its two cables for a while.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalRig } from '../rigs/local/local-rig.ts';
import type { CableName, Verification } from '../rigs/local/rig-contract.ts';

export interface EnduranceResult {
  minutes: number;
  takeovers: number;
  /** Times that a board called the other dead without a takeover following (a claim lost, or solo). */
  redVerdicts: number;
  /** Milliseconds in which the pair was not protected. */
  unprotectedMs: number;
  verification: Verification;
}

/** Ends itself when whoever started it is gone. */
const busyLoop = `const parent = process.ppid;
for (let index = 0; index % 1e7 !== 0 || process.ppid === parent; index++) Math.sqrt(index);`;

/** Keeps one core busy; ended by its pid. */
export function startCpuLoad(workers: number): ChildProcess[] {
  return Array.from({ length: workers }, () => {
    const child = spawn(process.execPath, ['-e', busyLoop], { stdio: 'ignore' });
    // The rig's own priority is not for the load.
    if (child.pid !== undefined) setPriority(child.pid, 0);
    return child;
  });
}

export async function runUnderLoad(
  rig: LocalRig,
  options: { minutes: number; workers: number; progress?(line: string): void },
): Promise<EnduranceResult> {
  await rig.until((each) => each.isProtected(), 30_000, 'protected');
  const term = rig.device.term;
  const load = startCpuLoad(options.workers);
  let redVerdicts = 0;
  let unprotectedMs = 0;
  rig.on('event', (event) => {
    if (event.code === 'PEER_RED') redVerdicts += 1;
  });
  try {
    const endAt = performance.now() + options.minutes * 60_000;
    let nextReportAt = performance.now() + 60_000;
    let last = performance.now();
    while (performance.now() < endAt) {
      await sleep(100);
      const now = performance.now();
      if (!rig.isProtected()) unprotectedMs += now - last;
      last = now;
      if (now < nextReportAt) continue;
      nextReportAt += 60_000;
      const left = Math.max(0, (endAt - now) / 60_000).toFixed(0);
      options.progress?.(`${left} min left: takeovers ${rig.device.term - term}, red ${redVerdicts}`);
    }
  } finally {
    for (const child of load) child.kill('SIGKILL');
  }
  const takeovers = rig.device.term - term;
  await rig.until((each) => each.isProtected(), 30_000, 'protected after the load');
  await rig.stopBoards();
  return {
    minutes: options.minutes,
    takeovers,
    redVerdicts,
    unprotectedMs,
    verification: await rig.verify(),
  };
}

export interface CableCutResult {
  cable: CableName;
  takeovers: number;
  /** Milliseconds of the cut in which the pair was not protected. */
  unprotectedMs: number;
  /** Restored -> the link is heard again on both boards. */
  backAfterMs: number;
}

/** One cable is out for `seconds`; the pair must stay protected over the other. */
export async function cutCable(rig: LocalRig, cable: CableName, seconds: number): Promise<CableCutResult> {
  await rig.until((each) => each.isProtected(), 30_000, 'protected');
  const term = rig.device.term;
  rig.cut(cable);
  let unprotectedMs = 0;
  const endAt = performance.now() + seconds * 1000;
  for (let last = performance.now(); performance.now() < endAt; ) {
    await sleep(50);
    const now = performance.now();
    if (!rig.isProtected()) unprotectedMs += now - last;
    last = now;
  }
  const silent = (each: LocalRig): boolean =>
    (['a', 'b'] as const).every(
      (name) => each.boards[name].status?.links.find((link) => link.name === cable)?.up === false,
    );
  await rig.until(silent, 5000, `both boards know that the ${cable} cable is out`);
  const restoredAt = performance.now();
  rig.restore(cable);
  const back = (each: LocalRig): boolean =>
    (['a', 'b'] as const).every(
      (name) => each.boards[name].status?.links.find((link) => link.name === cable)?.up === true,
    );
  await rig.until(back, 10_000, `the ${cable} link is back`);
  return {
    cable,
    takeovers: rig.device.term - term,
    unprotectedMs,
    backAfterMs: performance.now() - restoredAt,
  };
}
