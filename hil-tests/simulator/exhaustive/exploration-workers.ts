/** The processes that explore, one crash at a time each. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Crash } from './crash-case.ts';
import type { Exploration } from './explore.ts';
import type { WorkerAnswer } from './worker.ts';

const workerFile = fileURLToPath(new URL('worker.ts', import.meta.url));

/** Explores all of them in so many processes; rejects when one of those ends before its work is done. */
export function exploreAll(
  crashes: readonly Crash[],
  jobs: number,
  done: (exploration: Exploration) => void,
): Promise<void> {
  const waiting = [...crashes];
  const worker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(workerFile, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      let asked: Crash | undefined;
      child.on('message', (answer: WorkerAnswer) => {
        if (answer !== 'ready') done(answer);
        asked = waiting.shift();
        if (asked === undefined) child.disconnect();
        else child.send(asked);
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (asked === undefined && code === 0) resolve();
        else reject(new Error(`a worker ended (${signal ?? code}) over ${JSON.stringify(asked)}`));
      });
    });
  return Promise.all(Array.from({ length: jobs }, worker)).then(() => {});
}
