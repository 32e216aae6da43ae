/**
 * Other work on the machine, made on purpose: busy processors, a busy memory bus, a busy disk.
 *
 * One process a core at normal priority, as an ordinary neighbour of a supervisor has. A share of 50 % is a busy spell of
 * 5 ms in every 10: short enough to meet every heartbeat, long enough that the scheduler must take sides.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const loadKinds = ['none', 'cpu-50', 'cpu-90', 'cpu', 'memory', 'disk'] as const;
export type LoadKind = (typeof loadKinds)[number];

export interface Load {
  stop(): Promise<void>;
}

const worker = fileURLToPath(new URL('./load-worker.ts', import.meta.url));

/** Resolves when every process of it works. */
export async function startLoad(kind: LoadKind): Promise<Load> {
  if (kind === 'none') return { stop: () => Promise.resolve() };
  const folder = mkdtempSync(join(tmpdir(), 'understudy-load-'));
  const processes = kind === 'disk' ? 1 : availableParallelism();
  const children = Array.from({ length: processes }, () =>
    // The pipe is the leash: the worker ends when its input does, however we end.
    spawn(process.execPath, [worker, kind, folder], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(end));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(children.map(begun));
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

function begun(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout!.once('data', () => resolve());
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`a process of the load ended with code ${code}`)));
  });
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    }
  });
}
