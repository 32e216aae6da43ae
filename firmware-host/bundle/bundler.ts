/**
 * Makes one file of a control program and its dependencies.
 *
 * Both boards must run the same text: the bundle's hash is compared when they meet (DESIGN.md section 3). So the
 * output must not depend on where the project lies, and everything that is not the program's own text
 * (Node's builtins, serialport) must be asked for through one function, `require`, that the replica supplies.
 *
 * The code is the body of an async function:
 *
 *     new AsyncFunction('require', 'module', 'exports', '__filename', '__dirname', code)
 *
 * Intuition: esbuild's CommonJS output is such a body already and keeps each file's strictness. It cannot express
 * top-level await; a program that uses it is bundled a second time as an ES module without imports or exports,
 * whose text is such a body too. Imports of what stays outside become small CommonJS modules inside the bundle,
 * so that default imports work as in Node (`import five from 'johnny-five'`), and named ones also where Node's
 * static detection would fail.
 *
 * Every file sees its own `__filename`, `__dirname` and `import.meta.*`: rebuilt at run time from the parameter
 * `__filename`, as the program's project may lie elsewhere on the other board. So a dependency that reads
 * a file beside itself finds it, if the project with its node_modules is there.
 *
 * Rejected: one CommonJS body with the program wrapped in an async function (order of evaluation would change).
 */
import { createHash } from 'node:crypto';
import { access, readFile, realpath } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import path from 'node:path';
import {
  type BuildFailure,
  type BuildOptions,
  type BuildResult,
  build,
  type Loader,
  type Message,
  type Plugin,
} from 'esbuild';
import { BundleError, type BundlePlace } from './bundle-error.ts';

export interface Bundle {
  /** Body of an async function (require, module, exports, __filename, __dirname). */
  code: string;
  /** Source map version 3, JSON; `sources` are relative to the project's root. */
  sourceMap: string;
  /** SHA-256 of `code`, hex. */
  hash: string;
  /** What esbuild found odd, one sentence each with its place. */
  warnings: string[];
}

/** Packages that the replica supplies itself: what they do to the outside world is mediated there. */
const suppliedPackages = new Set(['serialport', '@serialport/bindings-cpp', 'firmata', 'browser-serialport']);
const builtins = new Set(builtinModules.filter((name) => !name.startsWith('node:')));
const suppliedNamespace = 'supplied';
const entryName = 'entry';
const awaitText = 'Top-level await is currently not supported with the "cjs" output format';

/**
 * Bundles the program in `programFile` (.js, .mjs, .cjs, .ts, .mts, .cts).
 *
 * @throws BundleError; nothing else for faults of the program.
 */
export async function bundleProgram(programFile: string): Promise<Bundle> {
  const file = await realpath(path.resolve(programFile)).catch((cause: unknown) => {
    throw new BundleError('BUNDLE_NOT_FOUND', `the program ${programFile} cannot be read`, { cause });
  });
  await readFile(file).catch((cause: unknown) => {
    throw new BundleError('BUNDLE_NOT_FOUND', `the program ${programFile} cannot be read`, { cause });
  });
  const root = await projectRoot(path.dirname(file));
  const result = await buildFor(file, root);
  const code = outputNamed(result, 'program.js');
  return {
    code,
    sourceMap: outputNamed(result, 'program.js.map'),
    hash: createHash('sha256').update(code).digest('hex'),
    warnings: result.warnings.map((warning) => sentence(warning)),
  };
}

async function buildFor(file: string, root: string): Promise<BuildResult> {
  try {
    return await build(optionsFor(file, root, 'cjs'));
  } catch (error) {
    const failure = error as BuildFailure;
    if (failure.errors?.length > 0 && failure.errors.every((message) => message.text === awaitText)) {
      try {
        return await build(optionsFor(file, root, 'esm'));
      } catch (second) {
        throw bundleErrorOf(second as BuildFailure);
      }
    }
    throw bundleErrorOf(failure);
  }
}

function optionsFor(file: string, root: string, format: 'cjs' | 'esm'): BuildOptions {
  const entry = relativePath(root, file);
  return {
    // A stub, not the program itself, is the entry: what the program exports then changes nothing.
    entryPoints: [entryName],
    absWorkingDir: root,
    outfile: path.join(root, 'program.js'),
    bundle: true,
    write: false,
    format,
    platform: 'node',
    target: 'node24',
    charset: 'utf8',
    legalComments: 'none',
    sourcemap: 'external',
    logLevel: 'silent',
    // `import()` of what is outside the bundle would reach Node's own loader: it becomes `require`.
    supported: { 'dynamic-import': false },
    banner: { js: rootFinder(entry) },
    define: {
      'import.meta.url': '__understudyUrl',
      'import.meta.filename': '__filename',
      'import.meta.dirname': '__dirname',
      'import.meta.main': '__understudyMain',
    },
    plugins: [entryPlugin(file), suppliedPlugin(), ownPathsPlugin(root, file)],
  };
}

/**
 * Finds the project's root at run time: the part of `__filename` before the program's place in the project.
 * A program that lies elsewhere on this board has the folder it lies in as its root.
 */
function rootFinder(entry: string): string {
  return (
    `const __understudyRoot = __filename.endsWith(${JSON.stringify(`/${entry}`)}) ` +
    `? __filename.slice(0, -${entry.length}) : __dirname + "/";`
  );
}

/** Keeps a package's `"sideEffects": false` from removing the program itself. */
function entryPlugin(file: string): Plugin {
  return {
    name: 'entry',
    setup(hooks) {
      hooks.onResolve({ filter: /.*/ }, (request) => {
        if (request.kind === 'entry-point') return { path: entryName, namespace: entryName };
        return request.namespace === entryName ? { path: file, sideEffects: true } : undefined;
      });
      hooks.onLoad({ filter: /.*/, namespace: entryName }, () => ({
        contents: 'import "program";',
        loader: 'js',
      }));
    },
  };
}

/** Turns imports of what the replica supplies, and of native addons, into calls of its `require`. */
function suppliedPlugin(): Plugin {
  return {
    name: 'supplied',
    setup(hooks) {
      hooks.onResolve({ filter: /.*/ }, (request) => {
        if (request.namespace === suppliedNamespace) return { path: request.path, external: true };
        const bare = request.path.replace(/^node:/, '');
        const supplied =
          builtins.has(bare) ||
          request.path.startsWith('node:') ||
          suppliedPackages.has(bare) ||
          bare.startsWith('@serialport/bindings-cpp/');
        if (!supplied && !request.path.endsWith('.node')) return undefined;
        // An addon keeps only its file name: a path would make the bundle depend on where it was built.
        const name = request.path.endsWith('.node') ? path.basename(request.path) : request.path;
        return { path: name, namespace: suppliedNamespace };
      });
      hooks.onLoad({ filter: /.*/, namespace: suppliedNamespace }, (request) => ({
        contents: `module.exports = require(${JSON.stringify(request.path)});`,
        loader: 'js',
      }));
    },
  };
}

const loaders: Record<string, Loader> = {
  '.js': 'jsx',
  '.mjs': 'js',
  '.cjs': 'js',
  '.jsx': 'jsx',
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
};

/** Gives a file that asks for its own place variables that hold it, without moving its lines. */
function ownPathsPlugin(root: string, entryFile: string): Plugin {
  return {
    name: 'own-paths',
    setup(hooks) {
      hooks.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: 'file' }, async (request) => {
        const text = await readFile(request.path, 'utf8');
        const asksPlace = /__(?:file|dir)name|import\.meta/.test(text);
        const asksMain = request.path === entryFile && /require\s*\.\s*main/.test(text);
        if (!asksPlace && !asksMain) return undefined;
        const relative = relativePath(root, request.path);
        const folder = path.posix.dirname(relative);
        let place = '';
        if (/__filename|import\.meta\.filename/.test(text))
          place += `var __filename = __understudyRoot + ${JSON.stringify(relative)};`;
        if (/__dirname|import\.meta\.dirname/.test(text))
          place += `var __dirname = __understudyRoot${folder === '.' ? '.slice(0, -1)' : ` + ${JSON.stringify(folder)}`};`;
        if (/import\.meta\.url/.test(text))
          place += `var __understudyUrl = require("node:url").pathToFileURL(__understudyRoot + ${JSON.stringify(relative)}).href;`;
        if (/import\.meta\.main/.test(text)) place += `var __understudyMain = ${request.path === entryFile};`;
        if (asksMain) place += 'require.main = module;';
        const extension = path.extname(request.path);
        return { contents: afterPrologue(text, place), loader: loaders[extension] ?? 'js' };
      });
    },
  };
}

/** Inserts a statement where a program's first may stand: behind a `#!` line and a "use strict". */
function afterPrologue(text: string, statement: string): string {
  const prologue = /^(?:#![^\n]*\n)?(?:\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/|(['"])use strict\1\s*;?)*/.exec(
    text,
  )![0];
  return `${prologue}${statement}${text.slice(prologue.length)}`;
}

/** The nearest folder with a package.json, or the program's own. */
async function projectRoot(folder: string): Promise<string> {
  for (let current = folder; ; current = path.dirname(current)) {
    const found = await access(path.join(current, 'package.json')).then(
      () => true,
      () => false,
    );
    if (found) return current;
    if (path.dirname(current) === current) return folder;
  }
}

function relativePath(root: string, file: string): string {
  return path.relative(root, file).split(path.sep).join('/');
}

function outputNamed(result: BuildResult, name: string): string {
  const output = result.outputFiles?.find((candidate) => path.basename(candidate.path) === name);
  if (output === undefined) throw new Error(`esbuild gave no ${name}`);
  return output.text;
}

function placeOf(message: Message): BundlePlace | null {
  const { location } = message;
  return location && { file: location.file, line: location.line, column: location.column + 1 };
}

function sentence(message: Message): string {
  const place = placeOf(message);
  return place ? `${place.file}:${place.line}:${place.column}: ${message.text}` : message.text;
}

function bundleErrorOf(failure: BuildFailure): BundleError {
  const messages = failure.errors ?? [];
  const unresolved = messages.find((message) => message.text.startsWith('Could not resolve'));
  const first = unresolved ?? messages[0];
  if (first === undefined) throw failure;
  const place = placeOf(first);
  if (unresolved === undefined)
    return new BundleError('BUNDLE_SYNTAX', sentence(first), { place, cause: failure });
  const module = /"(.*)"/.exec(unresolved.text)?.[1] ?? unresolved.text;
  const importer = place ? `${place.file}:${place.line}` : 'the program';
  const relative = module.startsWith('.') || module.startsWith('/');
  const remedy = relative ? 'Check the path.' : `Run "npm install ${packageOf(module)}" in the project.`;
  return new BundleError(
    'BUNDLE_UNRESOLVED',
    `${importer} imports "${module}", which is not there. ${remedy}`,
    {
      place,
      module,
      cause: failure,
    },
  );
}

function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/');
}
