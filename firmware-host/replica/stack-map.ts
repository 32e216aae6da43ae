/** Maps the positions in a stack to the lines of the program's sources, where the bundle has a source map. */
import { readFileSync } from 'node:fs';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';

const framePosition = /(\(|at |at async )([^()\s]+):(\d+):(\d+)(\)?)$/;

/** `programFile` is the name under which the bundle was compiled. */
export function createStackMapper(mapFile: string, programFile: string): (stack: string) => string {
  let map: TraceMap | undefined;
  let tried = false;
  const load = () => {
    if (tried) return map;
    tried = true;
    try {
      map = new TraceMap(readFileSync(mapFile, 'utf8'));
    } catch {
      // No map beside the bundle, or a damaged one: positions in the bundle are better than no report.
    }
    return map;
  };
  return (stack) => {
    if (!stack.includes(programFile)) return stack;
    const loaded = load();
    if (loaded === undefined) return stack;
    return stack
      .split('\n')
      .map((line) =>
        line.replace(
          framePosition,
          (whole, before: string, file: string, row: string, column: string, after) => {
            if (file !== programFile) return whole;
            const original = originalPositionFor(loaded, { line: Number(row), column: Number(column) - 1 });
            if (original.source === null) return whole;
            return `${before}${original.source}:${original.line}:${original.column + 1}${after}`;
          },
        ),
      )
      .join('\n');
  };
}
