/** A process that explores one crash after another, as it is told over its IPC channel; it ends with the channel. */
import type { Crash } from './crash-case.ts';
import { type Exploration, explore, windowOf } from './explore.ts';

export type WorkerAnswer = 'ready' | Exploration;

process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
process.on('message', (crash: Crash) => {
  // A life begins from a macrotask, and this listener is called from the queue of ticks (life.ts).
  setImmediate(() => {
    process.send!(explore(crash, windowOf(crash)) satisfies WorkerAnswer);
  });
});
process.send!('ready' satisfies WorkerAnswer);
