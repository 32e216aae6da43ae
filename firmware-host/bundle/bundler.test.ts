import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { BundleError } from './bundle-error.ts';
import { type Bundle, bundleProgram } from './bundler.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function project(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bundle-'));
  folders.push(folder);
  for (const [name, text] of Object.entries({ 'package.json': '{}', ...files })) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

const AsyncFunction = (async () => {}).constructor as new (
  ...texts: string[]
) => (...values: unknown[]) => Promise<void>;

/** Runs a bundle as the replica does; what the program gives to `tell` comes back. */
async function run(bundle: Bundle, file: string, supplied: Record<string, unknown> = {}): Promise<unknown[]> {
  const told: unknown[] = [];
  const real = createRequire(import.meta.url);
  const require = Object.assign((name: string) => supplied[name] ?? real(name), { main: undefined });
  const body = new AsyncFunction(
    'require',
    'module',
    'exports',
    '__filename',
    '__dirname',
    'tell',
    bundle.code,
  );
  const module = { exports: {} };
  await body(require, module, module.exports, file, path.dirname(file), (value: unknown) => told.push(value));
  return told;
}

async function runProject(files: Record<string, string>, entry: string, supplied = {}): Promise<unknown[]> {
  const file = path.join(await project(files), entry);
  return run(await bundleProgram(file), file, supplied);
}

async function failure(files: Record<string, string>, entry = 'main.js'): Promise<BundleError> {
  const folder = await project(files);
  return bundleProgram(path.join(folder, entry)).then(
    () => expect.fail('the bundle was made'),
    (error: BundleError) => error,
  );
}

const five = {
  'node_modules/five/package.json': '{"main":"five.js"}',
  'node_modules/five/five.js': 'exports["Bo" + "ard"] = class Board {}; exports.Led = 2;',
};

test('a CommonJS program with JSON and a dependency', async () => {
  const told = await runProject(
    {
      ...five,
      'data.json': '{"level":3}',
      'main.js':
        'const { Led } = require("five"); tell(Led + require("./data.json").level); module.exports = 7;',
    },
    'main.js',
  );
  expect(told).toEqual([5]);
});

test('an ES module imports CommonJS by default and by name, also where detection would fail', async () => {
  const text =
    'import five, { Board } from "five"; import * as all from "five"; tell(five.Board === Board && all.Led === 2); export const x = 1; export default 2;';
  expect(await runProject({ ...five, 'main.mjs': text }, 'main.mjs')).toEqual([true]);
});

test('TypeScript with types, enums and .ts imports', async () => {
  const told = await runProject(
    {
      'lib.ts': 'export enum Level { Low = 4 }\nexport interface Never {}',
      'main.ts':
        'import { Level, type Never } from "./lib.ts"; const x: Never | number = Level.Low; tell(x as number);',
    },
    'main.ts',
  );
  expect(told).toEqual([4]);
});

test('top-level await, in the program and in what it imports', async () => {
  const told = await runProject(
    {
      'slow.mjs': 'export const value = await Promise.resolve(6);',
      'main.mjs':
        'import { value } from "./slow.mjs"; tell(value); tell((await import("./slow.mjs")).value); const os = await import("node:os"); tell(typeof os.EOL + typeof os.default.EOL);',
    },
    'main.mjs',
  );
  expect(told).toEqual([6, 6, 'stringstring']);
});

test('builtins with and without node:, serialport and firmata come from require, dynamically imported ones too', async () => {
  const fs = { name: 'our fs' };
  const serialport = { SerialPort: 'our port' };
  const told = await runProject(
    {
      'main.mjs':
        'import a from "fs"; import b from "node:fs"; import { SerialPort } from "serialport"; import firmata from "firmata"; tell(a === b && a.name); tell(SerialPort); tell(firmata); import("fs").then(({ default: c }) => tell(c === a));',
    },
    'main.mjs',
    { fs, 'node:fs': fs, serialport, firmata: 'our firmata' },
  );
  await Promise.resolve().then(() => {});
  expect(told).toEqual(['our fs', 'our port', 'our firmata', true]);
});

test('a folder whose name ends in a slash is the package, not the builtin', async () => {
  const told = await runProject(
    {
      'node_modules/punycode/index.js': 'module.exports = "package"',
      'main.js': 'tell(require("punycode/"))',
    },
    'main.js',
  );
  expect(told).toEqual(['package']);
});

test('each file sees its own place, wherever the project lies', async () => {
  const files = {
    'node_modules/dep/index.js':
      '"use strict"; module.exports = [__filename, __dirname, (function () { return this; })()];',
    'src/main.mjs':
      'import dep from "dep"; tell(dep); tell([import.meta.filename, import.meta.dirname, import.meta.url, import.meta.main]);',
  };
  const folder = await project(files);
  const bundle = await bundleProgram(path.join(folder, 'src/main.mjs'));
  expect(await run(bundle, '/home/pi/app/src/main.mjs')).toEqual([
    ['/home/pi/app/node_modules/dep/index.js', '/home/pi/app/node_modules/dep', undefined],
    ['/home/pi/app/src/main.mjs', '/home/pi/app/src', 'file:///home/pi/app/src/main.mjs', true],
  ]);
});

test('code, map and hash do not depend on where the project lies', async () => {
  const files = {
    ...five,
    'main.ts':
      'import five from "five"; import fs from "node:fs"; tell(five, fs, __dirname, require("./addon.node"));',
    'addon.node': '',
  };
  const [first, second] = [await project(files), await project(files)];
  const a = await bundleProgram(path.join(first, 'main.ts'));
  const b = await bundleProgram(path.join(second, 'main.ts'));
  expect(a).toEqual(b);
  expect(a.code).not.toContain(tmpdir());
  expect(a.sourceMap).not.toContain(tmpdir());
  expect(JSON.parse(a.sourceMap).sources).toContain('main.ts');
});

test('the hash changes with the program', async () => {
  const a = await bundleProgram(path.join(await project({ 'main.js': 'tell(1)' }), 'main.js'));
  const b = await bundleProgram(path.join(await project({ 'main.js': 'tell(2)' }), 'main.js'));
  expect(a.hash).toMatch(/^[0-9a-f]{64}$/);
  expect(a.hash).not.toBe(b.hash);
});

test('require.main === module holds in the program only', async () => {
  const told = await runProject(
    {
      'lib.js': 'tell(require.main === module)',
      'main.js': 'require("./lib.js"); if (require.main === module) tell("main");',
    },
    'main.js',
  );
  expect(told).toEqual([false, 'main']);
});

test('an optional dependency that is not installed fails inside its try only', async () => {
  const told = await runProject(
    { 'main.js': 'try { require("not-there") } catch (error) { tell(error.code) }' },
    'main.js',
  );
  expect(told).toEqual(['MODULE_NOT_FOUND']);
});

test('native addons reach require by their file name', async () => {
  const told = await runProject(
    { 'build/addon.node': '', 'main.js': 'tell(require("./build/addon.node"))' },
    'main.js',
    { 'addon.node': 'refused here' },
  );
  expect(told).toEqual(['refused here']);
});

test('sloppy programs stay sloppy: octal literals and implicit globals', async () => {
  expect(
    await runProject(
      { 'main.js': 'var mode = 010; tell(mode + (function () { return typeof this; })())' },
      'main.js',
    ),
  ).toEqual(['8object']);
});

test('a program marked as free of side effects is run all the same', async () => {
  expect(
    await runProject({ 'package.json': '{"sideEffects":false}', 'main.js': 'tell(1)' }, 'main.js'),
  ).toEqual([1]);
});

test('a shebang line is kept out of the way', async () => {
  expect(await runProject({ 'main.js': '#!/usr/bin/env node\ntell(typeof __dirname)' }, 'main.js')).toEqual([
    'string',
  ]);
});

test('BUNDLE_NOT_FOUND: no such file, and a folder', async () => {
  expect((await failure({}, 'missing.js')).code).toBe('BUNDLE_NOT_FOUND');
  expect((await failure({ 'folder/x': '' }, 'folder')).code).toBe('BUNDLE_NOT_FOUND');
});

test('BUNDLE_SYNTAX gives file, line and column', async () => {
  const error = await failure({ 'main.js': 'require("./lib.js")', 'lib.js': 'let a = 1;\nlet 2b;' });
  expect(error.code).toBe('BUNDLE_SYNTAX');
  expect(error.place).toMatchObject({ file: 'lib.js', line: 2, column: 6 });
  expect(error.message).toContain('lib.js:2:6');
});

test('BUNDLE_SYNTAX in JSON and behind top-level await', async () => {
  expect((await failure({ 'main.js': 'require("./a.json")', 'a.json': '{' })).place?.file).toBe('a.json');
  expect((await failure({ 'main.mjs': 'await 0;\nlet 3;' }, 'main.mjs')).code).toBe('BUNDLE_SYNTAX');
});

test('BUNDLE_UNRESOLVED names module, importer and remedy', async () => {
  const error = await failure({ 'main.js': '\nconst x = require("@scope/thing/part");' });
  expect(error).toMatchObject({ code: 'BUNDLE_UNRESOLVED', module: '@scope/thing/part' });
  expect(error.message).toContain('main.js:2');
  expect(error.message).toContain('npm install @scope/thing');
  expect((await failure({ 'main.js': 'require("./gone.js")' })).message).not.toContain('npm');
});

test('BUNDLE_UNRESOLVED is found in a program with top-level await too', async () => {
  expect((await failure({ 'main.mjs': 'import "gone"; await 0;' }, 'main.mjs')).code).toBe(
    'BUNDLE_UNRESOLVED',
  );
});
