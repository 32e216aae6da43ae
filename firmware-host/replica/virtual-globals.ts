/**
 * Interposes on the whole process, before any library is loaded: `temporal` and others capture functions
 * when they load (FACTS: the programs' own text makes almost none of these calls, their libraries do).
 */
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { installPerformance, virtualHrtime } from './performance.ts';
import { SeededRandom } from './random.ts';
import { installRealm, type Realm } from './realm.ts';
import { refusedFunction } from './refusal.ts';
import { createTimerPromises } from './timer-promises.ts';
import { timerFunctions } from './timers.ts';
import type { TurnRunner } from './turn-runner.ts';
import { installConsole } from './virtual-console.ts';
import { installProcess } from './virtual-process.ts';

const require = createRequire(import.meta.url);

function define(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
}

/** Called once, in the turn of the start event. */
export function installWorld(runner: TurnRunner): void {
  const nowUs = () => runner.clock.read();
  const originUs = runner.clock.us;
  const realmParts = {
    nowMs: () => Math.floor(runner.clock.read() / 1000),
    random: new SeededRandom(runner.start.seed, 'Math.random'),
    sleepUs: (us: number) => runner.clock.advance(us),
  };
  installRealm(globalThis as unknown as Realm, realmParts);
  installTimers(runner);
  installPerformance(nowUs, originUs);
  const { stdout, stderr } = installProcess(runner, virtualHrtime(nowUs, originUs), originUs);
  installConsole(stdout, stderr, nowUs);
  installContexts(realmParts);
  installWebInterfaces();
  installBuffers();
  installStackTraces();
}

function installTimers(runner: TurnRunner): void {
  const promises = createTimerPromises(runner.timers);
  const functions = timerFunctions(runner.timers, promises);
  const timersModule = require('node:timers') as object;
  for (const [name, value] of Object.entries(functions)) {
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: true, configurable: true });
    define(timersModule, name, value);
  }
  const promisesModule = require('node:timers/promises') as object;
  for (const [name, value] of Object.entries(promises)) define(promisesModule, name, value);
  define(timersModule, 'promises', promisesModule);

  define(AbortSignal, 'timeout', (delayMs: number) => {
    const controller = new AbortController();
    const abort = () =>
      controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    runner.timers.setTimeout(abort, delayMs).unref();
    return controller.signal;
  });
}

/** Every context that is made later gets the virtual clock and randomness too: `repl` makes one. */
function installContexts(parts: Parameters<typeof installRealm>[1]): void {
  const realCreateContext = vm.createContext;
  const fitted = new WeakSet<object>();
  const createContext = (contextObject?: unknown, options?: vm.CreateContextOptions) => {
    const context = realCreateContext(contextObject as vm.Context, options);
    const fit = typeof context === 'object' && !fitted.has(context);
    if (fit) {
      fitted.add(context);
      installRealm(vm.runInContext('globalThis', context) as Realm, parts);
    }
    return context;
  };
  define(vm, 'createContext', createContext);
  define(vm, 'runInNewContext', (code: string, contextObject?: object, options?: vm.RunningCodeOptions) =>
    vm.runInContext(code, createContext(contextObject ?? {}), options),
  );
  define(vm.Script.prototype, 'runInNewContext', function (this: vm.Script, contextObject?: object) {
    return this.runInContext(createContext(contextObject ?? {}));
  });
}

/** Web interfaces of Node that reach other threads or the network; globals.ts has the rest of them. */
function installWebInterfaces(): void {
  const network = 'networking is refused for now.';
  const threads = 'messages of another thread arrive when the machine pleases.';
  const pool = 'it completes on another thread.';
  const refused: Record<string, [reason: string, remedy: string]> = {
    fetch: [network, 'Talk to devices over a serial port.'],
    WebSocket: [network, 'Talk to devices over a serial port.'],
    EventSource: [network, 'Talk to devices over a serial port.'],
    MessageChannel: [threads, 'Use EventTarget or queueMicrotask.'],
    BroadcastChannel: [threads, 'Use EventTarget.'],
    CompressionStream: [pool, 'Use zlib.gzipSync.'],
    DecompressionStream: [pool, 'Use zlib.gunzipSync.'],
  };
  for (const [name, [reason, remedy]] of Object.entries(refused)) {
    define(globalThis, name, refusedFunction(name, { reason, remedy }));
  }
  installWebAssembly();
  define(globalThis, 'navigator', {
    hardwareConcurrency: 4,
    language: 'en-US',
    languages: ['en-US'],
    platform: process.platform,
    userAgent: `Node.js/${process.versions.node.split('.')[0]}`,
  });
}

interface WebAssemblyGlobal {
  Module: new (source: unknown) => object;
  Instance: new (module: object, imports?: unknown) => object;
}

/** Compiling in the background would complete when the machine pleases; here it completes in the turn. */
function installWebAssembly(): void {
  const { WebAssembly: real } = globalThis as unknown as { WebAssembly: WebAssemblyGlobal };
  define(real, 'compile', async (source: unknown) => new real.Module(source));
  define(real, 'instantiate', async (source: unknown, imports?: unknown) => {
    if (source instanceof real.Module) return new real.Instance(source, imports);
    const module = new real.Module(source);
    return { module, instance: new real.Instance(module, imports) };
  });
}

/** Unset memory and places in a shared pool would differ: every buffer is zeroed and has its own memory. */
function installBuffers(): void {
  Buffer.poolSize = 0;
  define(Buffer, 'allocUnsafe', (size: number) => Buffer.alloc(size));
  define(Buffer, 'allocUnsafeSlow', (size: number) => Buffer.alloc(size));
}

/**
 * Stacks that a program prints must not show where the runtime is installed: frames of this folder are left
 * out, paths of packages that the runtime provides are given from `node_modules` on.
 */
function installStackTraces(): void {
  const runtimeFolder = new URL('../..', import.meta.url);
  const hidden = new URL('./', import.meta.url).href;
  const roots = [runtimeFolder.href, runtimeFolder.pathname];
  Error.prepareStackTrace = (error, frames) => {
    let text: string;
    try {
      text = String(error);
    } catch {
      text = '<error>';
    }
    for (const frame of frames) {
      let line = String(frame);
      if (line.includes(hidden)) continue;
      for (const root of roots) line = line.replaceAll(`${root}node_modules/`, 'node_modules/');
      text += `\n    at ${line}`;
    }
    return text;
  };
}
