/**
 * The thread of `inspected-replica.ts` that stops the main thread at the first line that the program runs in a turn: sets a
 * breakpoint on each of its lines, and removes them all when one was reached. What it finds goes to standard error.
 *
 * Stepping from the turn's beginning into the program would need no list of lines. But V8 cannot pass over Node's own functions,
 * those of its snapshot, and there are thousands of statements of them before some programs' first.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeSync } from 'node:fs';
import { type Debugger, Session } from 'node:inspector/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { type BreakPlan, type DebuggerNews, debuggerNewsMark } from './debugger-news.ts';

const { planFile } = workerData as { planFile: string };
const plan = JSON.parse(readFileSync(planFile, 'utf8')) as BreakPlan;
const stopFile = new URL('./inspected-replica.ts', import.meta.url).href;

/** URLs by script id. */
const scripts = new Map<string, string>();
let stage: 'before' | 'armed' | 'reached' = 'before';
let breakpoints: string[] = [];
let isPaused = false;

function tell(news: DebuggerNews): void {
  writeSync(2, `${debuggerNewsMark}${JSON.stringify(news)}\n`);
}

async function arm(): Promise<void> {
  stage = 'armed';
  for (const lineNumber of plan.lines) {
    const { breakpointId } = await session.post('Debugger.setBreakpointByUrl', { url: plan.url, lineNumber });
    breakpoints.push(breakpointId);
  }
  await session.post('Debugger.resume');
}

async function reach({ functionName, location }: Debugger.CallFrame, url: string): Promise<void> {
  stage = 'reached';
  for (const breakpointId of breakpoints) await session.post('Debugger.removeBreakpoint', { breakpointId });
  breakpoints = [];
  isPaused = true;
  const place = `${url}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`;
  tell({ kind: 'paused', place, functionName, isInProgram: url !== stopFile });
}

async function paused(frame: Debugger.CallFrame): Promise<void> {
  const url = scripts.get(frame.location.scriptId) ?? '';
  if (stage === 'before') await arm();
  else if (stage === 'armed') await reach(frame, url);
  else if (url === stopFile) await session.post('Debugger.resume');
  // Where else it stops is the user's business.
  else isPaused = true;
}

assert(parentPort !== null, 'this is a thread');
// An inspector session alone does not keep one.
parentPort.ref();
const session = new Session();
session.connectToMainThread();
session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params.url));
session.on('Debugger.paused', ({ params }) => void paused(params.callFrames[0]!));
session.on('Debugger.resumed', () => {
  if (isPaused) tell({ kind: 'resumed' });
  isPaused = false;
});
await session.post('Debugger.enable');
parentPort.postMessage('attached');
