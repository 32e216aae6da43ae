/**
 * How often would a board that lives have counted as dead? Heartbeats from one process to another on this machine, judged
 * by the board's own detector (protocol/detector.ts) for many timeouts at once.
 *
 * ```
 *   heartbeat-sender.ts --UDP, a channel for each timeout--> here: one detector a channel, red counts as a false takeover
 * ```
 * A channel beats as a pair with that timeout would: at `heartbeatIntervalMs`, or a third of the timeout where that is
 * less. Both processes run with the priority that boards have, or with real-time priority, beside whatever else runs.
 */
import { fork, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { raisePriority } from '../../firmware-host/priority.ts';
import type { TrialReport } from './heartbeat-receiver.ts';

const receiverFile = fileURLToPath(new URL('./heartbeat-receiver.ts', import.meta.url));
const senderFile = fileURLToPath(new URL('./heartbeat-sender.ts', import.meta.url));

export const trialTimeoutsMs = [5, 10, 15, 20, 30, 50, 75, 100, 150, 200] as const;

/** `nice`: as boards do it (firmware-host/priority.ts). `real-time`: SCHED_FIFO, priority 10. */
export const priorities = ['normal', 'nice', 'real-time'] as const;
export type Priority = (typeof priorities)[number];

export interface TrialOptions {
  priority: Priority;
  durationMs: number;
  heartbeatIntervalMs: number;
  timeoutsMs: readonly number[];
}

export interface TrialResult {
  durationMs: number;
  /** For each timeout: how often silence reached it. */
  falseTakeovers: { timeoutMs: number; intervalMs: number; count: number; longestSilenceMs: number }[];
  /** Why the priority stayed normal; null when it was granted. */
  priorityRefused: string | null;
}

export function intervalFor(timeoutMs: number, heartbeatIntervalMs: number): number {
  return Math.max(1, Math.min(heartbeatIntervalMs, Math.floor(timeoutMs / 3)));
}

function grant(pid: number, priority: Priority): string | null {
  if (priority === 'normal') return null;
  if (priority === 'nice') return raisePriority(pid);
  const { status, stderr, error } = spawnSync('chrt', ['--fifo', '--all-tasks', '--pid', '10', String(pid)]);
  if (error !== undefined) return error.message;
  return status === 0 ? null : stderr.toString().trim();
}

/** Bounded by `durationMs`, and ends both processes. */
export async function runHeartbeatTrial(options: TrialOptions): Promise<TrialResult> {
  const { priority, durationMs, heartbeatIntervalMs, timeoutsMs } = options;
  const channels = timeoutsMs.map((timeoutMs) => ({
    timeoutMs,
    intervalMs: intervalFor(timeoutMs, heartbeatIntervalMs),
  }));
  const receiver = fork(receiverFile, [JSON.stringify({ channels, durationMs })]);
  let sender: ReturnType<typeof fork> | null = null;
  try {
    const port = (await nextMessage(receiver)) as number;
    sender = fork(senderFile, [JSON.stringify({ port, channels })]);
    const refused = [receiver.pid, sender.pid].map((pid) =>
      pid === undefined ? 'not started' : grant(pid, priority),
    );
    const report = (await nextMessage(receiver)) as TrialReport;
    return { ...report, priorityRefused: refused.find((reason) => reason !== null) ?? null };
  } finally {
    await Promise.all([receiver, sender].map((child) => ended(child)));
  }
}

function nextMessage(child: ReturnType<typeof fork>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) =>
      reject(new Error(`a process of the heartbeat trial ended with code ${code}`)),
    );
  });
}

async function ended(child: ReturnType<typeof fork> | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}
