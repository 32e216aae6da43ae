import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  codeLines,
  importFaults,
  importsOf,
  leftoverFaults,
  nameFault,
  packageFaults,
  packageOf,
  purityFaults,
  type SourceFile,
  testFaults,
} from './house-rules.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

const codeLinesMax = 400;

/** Longer files, each with the reason why it is one idea. An entry that is no longer needed is a fault too. */
const longFiles: Record<string, string> = {
  'firmware-host/replica/modules/file-system.test.ts':
    'one table of calls of node:fs, each compared with the real one: its length is that of the table',
  'firmware-host/supervisor/pair-rig.fake.ts':
    'two supervisors, two cables, a device and two disks in one virtual time: they share one queue of what happens next',
  'protocol/session.test.ts': 'the session is one state machine; its cases share one simulated network',
};

/** They speak of what they forbid. */
const rulebooks = ['tools/house-rules.ts', 'tools/house-rules.test.ts'];

function filesOfTheHouse(): SourceFile[] {
  const listed = execFileSync(
    'git',
    ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  const files: SourceFile[] = [];
  for (const path of listed.split('\0')) {
    if (path === '') continue;
    try {
      const bytes = readFileSync(`${root}${path}`);
      if (!bytes.includes(0)) files.push({ path, text: bytes.toString('utf8') });
    } catch (error) {
      // Deleted and not yet committed so.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return files;
}

const files = filesOfTheHouse();
/** Programs are written as users write them: their own rules. */
const sources = files.filter(
  ({ path }) => path.endsWith('.ts') && !/^(examples|hil-tests\/programs\/fixtures)\//.test(path),
);

function faultsIn(among: readonly SourceFile[], rule: (file: SourceFile) => string[]): string[] {
  return among
    .filter(({ path }) => !rulebooks.includes(path))
    .flatMap((file) => rule(file).map((fault) => `${file.path} ${fault}`));
}

describe('the house', () => {
  test('is there to be looked at', () => {
    expect(sources.length).toBeGreaterThan(100);
  });

  test('rooms import only what they may', () => {
    expect(faultsIn(sources, importFaults)).toEqual([]);
  });

  test('protocol is pure', () => {
    expect(faultsIn(sources, purityFaults)).toEqual([]);
  });

  test('packages are declared, and those of development stay there', () => {
    const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const packages = {
      dependencies: Object.keys(manifest.dependencies),
      devDependencies: Object.keys(manifest.devDependencies),
    };
    expect(faultsIn(sources, (file) => packageFaults(file, packages))).toEqual([]);
  });

  test(`files have at most ${codeLinesMax} lines of code`, () => {
    const long = sources.filter(({ text }) => codeLines(text) > codeLinesMax).map(({ path }) => path);
    expect(long.toSorted()).toEqual(Object.keys(longFiles).toSorted());
  });

  test('names say what is inside', () => {
    expect(faultsIn(files, ({ path }) => [nameFault(path)].filter((fault) => fault !== null))).toEqual([]);
  });

  test('no test is left out silently', () => {
    expect(faultsIn(sources, testFaults)).toEqual([]);
  });

  test('nothing is left lying about', () => {
    expect(faultsIn(files, leftoverFaults)).toEqual([]);
  });
});

describe('the rules find what they forbid', () => {
  const file = (path: string, text: string): SourceFile => ({ path, text });

  test.each([
    ['protocol/x.ts', "import { open } from 'node:fs';"],
    ['protocol/x.ts', "import { z } from 'zod';"],
    ['protocol/x.test.ts', "import { nodeCrypto } from '../firmware-host/crypto.ts';"],
    ['boards/x.ts', "import type { Link } from '../firmware-host/links/link.ts';"],
    ['firmware-host/x.ts', "import { rig } from '../hil-tests/rigs/local/pseudo-terminal.ts';"],
    ['firmware-host/x.ts', "const { a } = await import('../tools/program.ts');"],
    ['firmware-host/replica/x.ts', "import { Host } from '../supervisor/host.ts';"],
    ['firmware-host/supervisor/x.ts', "import {\n  a,\n  b,\n} from '../replica/values.ts';"],
    ['firmware-host/x.ts', "import { createFakeCrypto } from '../protocol/crypto.fake.ts';"],
    ['firmware-host/x.ts', "export { a } from './x.test.ts';"],
    ['hil-tests/x.ts', "import '../tools/understudy.ts';"],
    ['hil-tests/rigs/x.ts', "import { createFakeCrypto } from '../../protocol/crypto.fake.ts';"],
    ['hil-tests/simulator/x.ts', "import { runProbe } from './x.test.ts';"],
    ['hil-tests/simulator/x.ts', "import { runCommand } from '../../tools/command-line.test-rig.ts';"],
    ['hil-tests/rigs/x.ts', "import { World } from '../simulator/world.ts';"],
    ['hil-tests/checkers/x.ts', "import { createFakeCrypto } from '../../protocol/crypto.fake.ts';"],
  ])('import in %s: %s', (path, text) => {
    expect(importFaults(file(path, text))).toHaveLength(1);
  });

  test.each([
    ['protocol/x.ts', "import { ByteReader } from './bytes.ts';"],
    ['protocol/x.test.ts', "import { expect } from 'vitest';"],
    [
      'firmware-host/x.test.ts',
      "import { openPseudoTerminal } from '../hil-tests/rigs/local/pseudo-terminal.ts';",
    ],
    ['firmware-host/replica/x.ts', "// import { Host } from '../supervisor/host.ts';"],
    ['firmware-host/supervisor/x.ts', "import type { Turn } from '../ipc.ts';"],
    ['hil-tests/simulator/x.ts', "import { createFakeCrypto } from '../../protocol/crypto.fake.ts';"],
    ['hil-tests/checkers/x.ts', "import { Violation } from '../simulator/observation.ts';"],
    ['hil-tests/simulator/x.ts', "import { everyChecker } from '../checkers/every-checker.ts';"],
    ['firmware-host/x.test.ts', "import { World } from '../hil-tests/simulator/world.ts';"],
    ['tools/x.ts', "import { DeviceEvent } from '../hil-tests/rigs/local/device-events.ts';"],
  ])('import allowed in %s: %s', (path, text) => {
    expect(importFaults(file(path, text))).toEqual([]);
  });

  test('imports in all their forms', () => {
    const text = [
      "import a from 'a';",
      "import type { B } from 'b';",
      "import 'c';",
      "export * from 'd';",
      "const e = await import('e');",
      "type F = import('f').F;",
      "/* import g from 'g'; */",
    ].join('\n');
    expect(importsOf(text).map(({ specifier }) => specifier)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(importsOf(text).filter(({ isTypeOnly }) => isTypeOnly)).toEqual([
      { specifier: 'b', isTypeOnly: true },
    ]);
  });

  test('a program that a test writes imports nothing itself', () => {
    const written = "const program = `\n  await import('$" + "{root}protocol/frame.ts');\n`;";
    expect(importsOf(written)).toEqual([]);
    expect(importsOf(`${written}\nawait import('./x.ts');`)).toHaveLength(1);
  });

  test('packages', () => {
    const packages = { dependencies: ['zod'], devDependencies: ['vitest'] };
    const faults = (path: string, text: string): number => packageFaults(file(path, text), packages).length;
    expect(faults('tools/x.ts', "import { test } from 'vitest';")).toBe(1);
    expect(faults('tools/x.ts', "import type { Reporter } from 'vitest/node';")).toBe(0);
    expect(faults('tools/x.test.ts', "import { test } from 'vitest';")).toBe(0);
    expect(faults('tools/x.ts', "import left from 'left-pad';")).toBe(1);
    expect(packageOf('@serialport/stream/dist')).toBe('@serialport/stream');
    expect(packageOf('fs/promises')).toBeNull();
  });

  test.each([
    'Date.now()',
    'performance.now()',
    'Math.random()',
    'Buffer.from("")',
    'setTimeout(f, 1)',
  ])('impurity: %s', (text) => {
    expect(purityFaults(file('protocol/x.ts', `const x = ${text};`))).toHaveLength(1);
    expect(purityFaults(file('protocol/x.ts', `// ${text}`))).toEqual([]);
    expect(purityFaults(file('boards/x.ts', `const x = ${text};`))).toEqual([]);
  });

  test('code lines leave out comments and blank lines', () => {
    expect(codeLines('/**\n * Why.\n */\nconst a = 1;\n\n// How.\nconst b = 2;\n')).toBe(2);
  });

  test.each([
    'boards/utils.ts',
    'tools/test-helpers.ts',
    'protocol/common/x.ts',
    'tools/index.ts',
  ])('name %s', (path) => {
    expect(nameFault(path)).not.toBeNull();
  });

  test('a name with a forbidden word inside a longer one is allowed', () => {
    expect(nameFault('tools/commands/commonplace.ts')).toBeNull();
  });

  test.each([
    'test.only(',
    'describe.skip(',
    'it.skipIf(',
    'test.concurrent.only(',
    'test.todo(',
    'context.skip()',
  ])('test habit: %s', (text) => {
    expect(testFaults(file('tools/x.test.ts', text)).length).toBeGreaterThan(0);
    expect(testFaults(file('tools/x.test.ts', "context.skip('needs root')"))).toEqual([]);
  });

  test.each([
    '// TODO later',
    'const a = "/root/x"',
    'cd /work/main',
    'https://registry.npmjs.org/zod',
    '<<<<<<< HEAD',
  ])('left lying about: %s', (text) => {
    expect(leftoverFaults(file('README.md', text))).toHaveLength(1);
  });
});
