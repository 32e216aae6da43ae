/**
 * A process that lives one life after another, as it is told: orders come in over the IPC channel, outcomes go back.
 *
 * A process and not a thread: a life that runs out of memory or never ends costs this process only, and its end is
 * told with the seed that it was living. It ends with the channel, so nothing is left behind when the command dies.
 */
import type { LifeRequest, LifeResult } from './life.ts';
import type { LifeOrder, LifeOutcome } from './outcome.ts';
import { timelineRows } from './timeline.ts';

/** What a module must export to be lived by: that of life.ts, or a test's own. */
export interface LifeModule {
  live(request: LifeRequest): LifeResult;
  /** Awaited before the first life. */
  prepareLives?(): Promise<void>;
}

const { live, prepareLives } = (await import(process.argv[2]!)) as LifeModule;
await prepareLives?.();

process.on('disconnect', () => process.exit());
process.on('message', (order: LifeOrder | 'end') => {
  if (order === 'end') process.exit();
  // The replicas within a life drain the queues of ticks and promises themselves (process._tickCallback), which Node
  // does not allow from within those queues, and this listener is called from the queue of ticks. So a life begins
  // from a macrotask, and what calls `live` is never async.
  setImmediate(() => {
    // Nobody may listen any more when a life has ended.
    process.send!(outcomeOf(order), () => {});
  });
});
process.send!('ready');

function outcomeOf({ wantsTimeline = false, ...request }: LifeOrder): LifeOutcome {
  try {
    const result = live({ ...request, record: wantsTimeline });
    const timeline = wantsTimeline ? timelineRows(result.observed) : [];
    return { kind: 'lived', result: { ...result, observed: [] }, timeline };
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: 'crashed', seed: request.seed, message };
  }
}
