/** `v8` and `vm` as the program sees them. */
import v8 from 'node:v8';
import vm from 'node:vm';
import { type Refusal, RefusedError, refusedFunction } from '../refusal.ts';
import type { TurnContext } from '../turn-context.ts';

const engine: Refusal = { reason: 'it looks into or changes the JavaScript engine of one board.' };
const pureOfV8 = new Set([
  'Serializer',
  'Deserializer',
  'DefaultSerializer',
  'DefaultDeserializer',
  'serialize',
  'deserialize',
  'cachedDataVersionTag',
  'isStringOneByteRepresentation',
]);
const recordedOfV8 = new Set([
  'getHeapStatistics',
  'getHeapSpaceStatistics',
  'getHeapCodeStatistics',
  'getCppHeapStatistics',
]);

/** Serialisation is given, statistics are recorded, everything else refuses at the call. */
export function createV8(context: TurnContext): typeof v8 {
  const mediated: Record<string, unknown> = {};
  for (const [name, real] of Object.entries(v8)) {
    if (pureOfV8.has(name)) mediated[name] = real;
    else if (recordedOfV8.has(name))
      mediated[name] = (...parameters: unknown[]) =>
        context.value(`v8.${name}()`, () => (real as (...p: unknown[]) => unknown)(...parameters));
    else if (typeof real === 'function') mediated[name] = refusedFunction(`v8.${name}`, engine);
    else
      mediated[name] = Object.fromEntries(
        Object.keys(real as object).map((key) => [key, refusedFunction(`v8.${name}.${key}`, engine)]),
      );
  }
  return mediated as unknown as typeof v8;
}

const options: Record<string, Refusal> = {
  timeout: {
    reason: 'it stops the code at a moment that differs between boards.',
    remedy: 'Leave the option out.',
  },
  breakOnSigint: { reason: 'signals are events of the pair.', remedy: 'Leave the option out.' },
  importModuleDynamically: {
    reason: 'imported modules would be the real ones, unmediated.',
    remedy: 'Leave the option out and give the code what it needs in its context.',
  },
};

function checked(call: string, given: unknown): void {
  if (typeof given !== 'object' || given === null) return;
  for (const [name, refusal] of Object.entries(options)) {
    if ((given as Record<string, unknown>)[name] !== undefined)
      throw new RefusedError(`vm.${call} with ${name}`, refusal.reason, refusal.remedy);
  }
}

/**
 * `vm` runs code in contexts that have the virtual clock and randomness (virtual-globals.ts sees to every new one).
 * Options by which code would leave that world are refused. `vm` is no way to the real modules: code in a
 * context has no `require` but what the program gives it.
 */
export function createVm(): typeof vm {
  class Script extends vm.Script {
    constructor(code: string, given?: vm.ScriptOptions | string) {
      checked('Script', given);
      super(code, given);
    }
    override runInContext(context: vm.Context, given?: vm.RunningScriptOptions): unknown {
      checked('Script.runInContext', given);
      return super.runInContext(context, given);
    }
    override runInThisContext(given?: vm.RunningScriptOptions): unknown {
      checked('Script.runInThisContext', given);
      return super.runInThisContext(given);
    }
    override runInNewContext(context?: vm.Context, given?: vm.RunningScriptInNewContextOptions): unknown {
      checked('Script.runInNewContext', given);
      return super.runInContext(vm.createContext(context ?? {}), given);
    }
  }
  const mediated: Record<string, unknown> = {
    ...vm,
    Script,
    measureMemory: refusedFunction('vm.measureMemory', engine),
  };
  mediated.createScript = (code: string, given?: vm.ScriptOptions) => new Script(code, given);
  for (const name of [
    'createContext',
    'runInContext',
    'runInNewContext',
    'runInThisContext',
    'compileFunction',
  ] as const) {
    mediated[name] = (...parameters: unknown[]) => {
      for (const parameter of parameters.slice(1)) checked(name, parameter);
      return (vm[name] as (...p: unknown[]) => unknown)(...parameters);
    };
  }
  return mediated as unknown as typeof vm;
}
