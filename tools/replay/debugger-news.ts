/**
 * Between the command and a replica's process that is being debugged: where it shall stop, and what it says of that on
 * standard error, among what Node says there.
 */
import { pathToFileURL } from 'node:url';
import { eachMapping, originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';

/** Lines of the bundle on which the program can be stopped, from 0. */
export interface BreakPlan {
  url: string;
  lines: number[];
}

/** The program's own lines, not those of its packages; all of the bundle's when there is no source map. */
export function breakPlan(programFile: string, code: string, sourceMap: string): BreakPlan {
  const url = pathToFileURL(programFile).href;
  if (sourceMap === '') return { url, lines: code.split('\n').map((_line, index) => index) };
  const lines = new Set<number>();
  eachMapping(new TraceMap(sourceMap), ({ source, generatedLine }) => {
    // Names with a colon are the bundler's own stubs.
    if (source !== null && !/(^|\/)node_modules\/|:/.test(source)) lines.add(generatedLine - 1);
  });
  return { url, lines: [...lines] };
}

/** `url:line:column` of the bundle, from 1, as the program's author knows it; null where no source is known. */
export function sourcePlace(place: string, sourceMap: string): string | null {
  const [, line, column] = /:(\d+):(\d+)$/.exec(place) ?? [];
  if (sourceMap === '' || line === undefined) return null;
  const found = originalPositionFor(new TraceMap(sourceMap), {
    line: Number(line),
    column: Number(column) - 1,
  });
  return found.source === null ? null : `${found.source}:${found.line}:${found.column + 1}`;
}

/** Begins a line with news; the rest of it is JSON. */
export const debuggerNewsMark = 'understudy-debugger: ';

export type DebuggerNews =
  /** The main thread stands at `url:line:column`, from 1: in the program's bundle, or at the turn's end when it ran none of that. */
  { kind: 'paused'; place: string; functionName: string; isInProgram: boolean } | { kind: 'resumed' };

const listening = /Debugger listening on (ws:\/\/\S+)/;

/** Cuts what the process says into news. Keeps the address at which the debugger listens. */
export class DebuggerNewsReader {
  #line = '';
  webSocketUrl: string | null = null;

  push(text: string): DebuggerNews[] {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop()!;
    const news: DebuggerNews[] = [];
    for (const line of lines) {
      this.webSocketUrl ??= listening.exec(line)?.[1] ?? null;
      if (line.startsWith(debuggerNewsMark)) {
        news.push(JSON.parse(line.slice(debuggerNewsMark.length)) as DebuggerNews);
      }
    }
    return news;
  }
}
