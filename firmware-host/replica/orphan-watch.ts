/**
 * Ends the replica when its supervisor is gone, even while the program spins in an endless turn: the process
 * reads its socket only between turns, so it would not notice by itself and would keep a core busy for ever.
 * Runs in a thread of its own.
 */
import { workerData } from 'node:worker_threads';

/** Taken when the process began: the supervisor may be gone before this thread has started. */
const { supervisorPid } = workerData as { supervisorPid: number };
const lookEveryMs = 500;

const word = new Int32Array(new SharedArrayBuffer(4));
while (process.ppid === supervisorPid) Atomics.wait(word, 0, 0, lookEveryMs);
process.kill(process.pid, 'SIGKILL');
