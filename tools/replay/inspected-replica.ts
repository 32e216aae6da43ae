/**
 * A replica's process that stops for a debugger in one turn, at the first line that the program runs. But for that it is the
 * board's own runtime. Its arguments: the turn, and the file with a BreakPlan.
 *
 *   main thread:  the turns before, at full speed -> `debugger` --------> turn --> stands in the program
 *   turn-stopper: attached to this thread ---------> sets breakpoints -------------> removes them, tells where
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { TurnRunner } from '../../firmware-host/replica/turn-runner.ts';

const [, , turn, planFile] = process.argv;
const stopper = new Worker(new URL('./turn-stopper.ts', import.meta.url), { workerData: { planFile } });
// It is attached: from here on a `debugger` stops.
await once(stopper, 'message');
stopper.unref();

const run = TurnRunner.prototype.run;
TurnRunner.prototype.run = function stopInTurn(message) {
  if (message.turn !== Number(turn)) return run.call(this, message);
  // biome-ignore lint/suspicious/noDebugger: to stop here is what this file is for.
  debugger;
  const answer = run.call(this, message);
  // For a turn in which no line of the program ran: the turn-stopper goes on from here when one did.
  // biome-ignore lint/suspicious/noDebugger: as above.
  debugger;
  return answer;
};
await import('../../firmware-host/replica/main.ts');
