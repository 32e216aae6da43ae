/**
 * The program's `require`: everything that a bundle does not hold comes through here (bundle/bundler.ts).
 *
 * Builtins are given, mediated or refused by the table (builtin-table.ts). The supervisor's own modules (serialport,
 * firmata) are handed in. JSON files are read, through the mediated `fs`. Anything else was not bundled, and says so:
 * native addons with a RefusedError, all others with MODULE_NOT_FOUND, which optional dependencies expect.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { type BuiltinRow, builtinRow, builtinTable } from './builtin-table.ts';
import { createCompression } from './modules/compression.ts';
import { createCryptography } from './modules/cryptography.ts';
import { createV8, createVm } from './modules/engine.ts';
import { createAsyncHooks } from './modules/execution-context.ts';
import type { FileAlarm } from './modules/file-history.ts';
import { createFileSystem } from './modules/file-system.ts';
import { createPath, createUrl } from './modules/locations.ts';
import { createOperatingSystem } from './modules/operating-system.ts';
import { createRepl, createTty } from './modules/terminal.ts';
import { RefusedError, refusedFacade, refusedFunction } from './refusal.ts';
import type { TurnContext } from './turn-context.ts';

const realRequire = createRequire(import.meta.url);

/** Makes a module when it is first asked for. */
export type ModuleMaker = () => unknown;

export interface ProgramRequireOptions {
  /** Packages that the replica supplies, by name. */
  supplied?: Record<string, ModuleMaker>;
  /** The program's current directory. */
  currentDirectory?: () => string;
  /** Told when a backup could not repeat a write to a file. */
  onAlarm?: (alarm: FileAlarm) => void;
}

export interface ProgramRequire {
  (name: string): unknown;
  resolve: ((name: string) => string) & { paths: (name: string) => string[] | null };
  /** The program's main module, once it runs. */
  main: unknown;
  /** Empty: modules of the bundle are not here. Deleting from it does nothing. */
  cache: Record<string, unknown>;
  extensions: Record<string, unknown>;
}

export function createRequireForProgram(
  context: TurnContext,
  options: ProgramRequireOptions = {},
): ProgramRequire {
  const { supplied = {}, currentDirectory = () => process.cwd(), onAlarm = () => {} } = options;
  const loaded = new Map<string, unknown>();
  const makers = makersOf(context, { currentDirectory, onAlarm }, () => require);

  const builtin = (row: BuiltinRow): unknown => {
    if (row.kind === 'pure') return realRequire(row.module);
    if (row.kind === 'refused') {
      const { reason, remedy } = row;
      const what = row.module.replace(/^node:/, '');
      if (!row.lenient) throw new RefusedError(`the module ${what}`, reason, remedy);
      return refusedFacade(what, realRequire(row.module) as object, row);
    }
    return row.by === 'world' ? realRequire(row.module) : makers[row.module]!();
  };

  const once = (name: string, make: ModuleMaker): unknown => {
    if (!loaded.has(name)) loaded.set(name, make());
    return loaded.get(name);
  };

  const load = (name: unknown): unknown => {
    if (typeof name !== 'string') {
      const message = `The "id" argument must be of type string. Received type ${typeof name}`;
      throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    const maker = Object.hasOwn(supplied, name) ? supplied[name] : undefined;
    if (maker) return once(name, maker);
    const row = builtinRow(name);
    if (row) return once(row.module, () => builtin(row));
    if (name.endsWith('.node')) {
      throw new RefusedError(
        `the native addon ${path.basename(name)}`,
        'what native code does cannot be repeated on the other board.',
        'Use the package serialport for serial lines, and packages without native code otherwise.',
      );
    }
    const file = jsonFile(name);
    if (file)
      return once(file, () =>
        JSON.parse((load('fs') as typeof import('node:fs')).readFileSync(file, 'utf8')),
      );
    throw notFound(name);
  };

  const jsonFile = (name: string): string | null => {
    if (!name.endsWith('.json') || !/^(?:\/|\.\.?\/)/.test(name)) return null;
    return path.resolve(path.dirname(context.boot.programFile), name);
  };

  const resolve = (name: string): string => {
    if (builtinRow(name) || Object.hasOwn(supplied, name)) return name;
    const file = jsonFile(name);
    if (file) return file;
    throw notFound(name);
  };

  const require: ProgramRequire = Object.assign((name: string) => load(name), {
    resolve: Object.assign(resolve, { paths: () => null }),
    main: undefined,
    cache: {},
    extensions: {},
  });
  return require;
}

/** `process.getBuiltinModule` over the program's require. */
export function builtinModuleGetter(require: ProgramRequire): (name: string) => unknown {
  return (name) => (builtinRow(name) ? require(name) : undefined);
}

function notFound(name: string): Error {
  const message =
    `Cannot find module '${name}': it is not in the program's bundle. ` +
    'A name that is computed when the program runs cannot be followed when it is bundled; write it out, ' +
    'or run "npm install" if the package is missing.';
  return Object.assign(new Error(message), { code: 'MODULE_NOT_FOUND', requireStack: [] });
}

/** One maker for every row that is mediated here. */
function makersOf(
  context: TurnContext,
  options: { currentDirectory: () => string; onAlarm: (alarm: FileAlarm) => void },
  programRequire: () => ProgramRequire,
): Record<string, ModuleMaker> {
  const { currentDirectory } = options;
  let files: ReturnType<typeof createFileSystem> | undefined;
  const fileSystem = () => {
    files ??= createFileSystem(context, options);
    return files;
  };
  const paths = () => programRequire()('path') as typeof path;
  return {
    async_hooks: createAsyncHooks,
    crypto: () => createCryptography(context).crypto,
    fs: () => fileSystem().fs,
    'fs/promises': () => fileSystem().promises,
    module: () => moduleOf(programRequire()),
    os: () => createOperatingSystem(context),
    path: () => createPath(currentDirectory),
    'path/posix': () => paths().posix,
    'path/win32': () => paths().win32,
    repl: () =>
      createRepl(
        programRequire(),
        builtinTable.map((row) => row.module),
      ),
    'stream/web': webStreams,
    tty: () => createTty(context),
    url: () => createUrl(currentDirectory),
    v8: () => createV8(context),
    vm: createVm,
    zlib: () => createCompression(context),
  };
}

function webStreams(): unknown {
  const refusal = { reason: 'it compresses on another thread.', remedy: 'Use zlib.' };
  return {
    ...(realRequire('stream/web') as object),
    CompressionStream: refusedFunction('CompressionStream', refusal),
    DecompressionStream: refusedFunction('DecompressionStream', refusal),
  };
}

/** `module`: what tools ask of it is answered; what changes how modules load is refused. */
function moduleOf(require: ProgramRequire): unknown {
  const refusal = {
    reason: 'the program is one bundle, whose modules are loaded already.',
    remedy: 'Use require or import.',
  };
  class Module {
    exports: unknown = {};
    readonly id: string;
    constructor(id = '') {
      this.id = id;
    }
    require(name: string): unknown {
      return require(name);
    }
  }
  const real = realRequire('node:module') as Record<string, unknown>;
  const members: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(real)) {
    if (typeof member === 'function') members[name] = refusedFunction(`module.${name}`, refusal);
  }
  return Object.assign(Module, members, {
    Module,
    builtinModules: real.builtinModules,
    isBuiltin: real.isBuiltin,
    constants: real.constants,
    createRequire: () => require,
    wrap: real.wrap,
    wrapper: real.wrapper,
    globalPaths: [],
    _cache: {},
    _extensions: {},
    _pathCache: {},
    _load: (name: string) => require(name),
    _resolveFilename: (name: string) => require.resolve(name),
    syncBuiltinESMExports: () => {},
    enableCompileCache: () => ({ status: 3 }),
    flushCompileCache: () => {},
    getCompileCacheDir: () => undefined,
    findSourceMap: () => undefined,
  });
}
