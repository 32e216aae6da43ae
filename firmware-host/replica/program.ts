/** Loads the bundled control program: a function body in CommonJS form (see bundle/). */
import vm from 'node:vm';
import type { TurnRunner } from './turn-runner.ts';

const parameters = ['exports', 'require', 'module', '__filename', '__dirname'] as const;

/** Top-level await needs an async function; everything else runs as CommonJS does, and throws as it does. */
function compile(code: string, programFile: string): (...values: unknown[]) => unknown {
  try {
    return vm.compileFunction(code, [...parameters], { filename: programFile }) as (
      ...v: unknown[]
    ) => unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError) || !code.includes('await')) throw error;
    const prefix = `(async function (${parameters.join(', ')}) {`;
    const script = new vm.Script(`${prefix}${code}\n})`, {
      filename: programFile,
      columnOffset: -prefix.length,
    });
    return script.runInThisContext() as (...values: unknown[]) => unknown;
  }
}

/** Runs the program's main module. An await at top level that never ends shows as exit code 13, as in Node. */
export function runProgram(
  runner: TurnRunner,
  { code, require, dirname }: { code: string; require: (name: string) => unknown; dirname: string },
): void {
  const { programFile } = runner.boot;
  const module = { exports: {}, id: '.', filename: programFile, loaded: false, children: [], paths: [] };
  Object.assign(require, { main: module });
  const main = compile(code, programFile);
  const ending = main.call(module.exports, module.exports, require, module, programFile, dirname);
  module.loaded = true;
  if (!(ending instanceof Promise)) return;
  process.exitCode = 13;
  ending.then(
    () => {
      if (process.exitCode === 13) process.exitCode = undefined;
    },
    (error: unknown) => {
      process.exitCode = undefined;
      runner.uncaught(error);
    },
  );
}
