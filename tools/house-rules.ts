/**
 * The rules of the house that no compiler knows: rooms and what each may import (DESIGN section 6, docs/architecture.md),
 * size and names of files, what must not be left lying about.
 *
 * A scanner of some regular expressions, not a parser: our imports stand at the beginning of a line, because the
 * formatter puts them there. Each message names what to do instead.
 */
import { builtinModules } from 'node:module';
import { posix } from 'node:path';

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  path: string;
  text: string;
}

export interface Import {
  specifier: string;
  isTypeOnly: boolean;
}

export const rooms = ['protocol', 'boards', 'firmware-host', 'hil-tests', 'tools'] as const;
export type Room = (typeof rooms)[number];

const mayImport: Record<Room, readonly Room[]> = {
  protocol: ['protocol'],
  boards: ['boards', 'protocol'],
  'firmware-host': ['firmware-host', 'boards', 'protocol'],
  'hil-tests': ['hil-tests', 'firmware-host', 'boards', 'protocol'],
  tools: rooms,
};

/** Two halves of firmware-host that run in different processes and share the IPC format only. */
const strangers = [
  ['firmware-host/replica/', 'firmware-host/supervisor/'],
  ['firmware-host/supervisor/', 'firmware-host/replica/'],
] as const;

export function roomOf(path: string): Room | null {
  return rooms.find((room) => path.startsWith(`${room}/`)) ?? null;
}

/** Tests and what serves only them: they may import fakes, rigs and development packages. */
export function isForTests(path: string): boolean {
  return (
    /\.(test|fake|test-rig)\.ts$/.test(path) || /-contract\.ts$/.test(path) || path === 'vitest.config.ts'
  );
}

/**
 * The simulator is run by a command of its own, so it is no test and gets along without development packages. But nothing that
 * it builds ever reaches a board or a user's device, and simulated surroundings of a real supervisor are what a fake is for.
 * So it may import fakes, and besides tests nobody may import it but the checkers, which judge its lives.
 */
export function isSimulator(path: string): boolean {
  return path.startsWith('hil-tests/simulator/');
}

const mayImportSimulator = (path: string): boolean =>
  isSimulator(path) || path.startsWith('hil-tests/checkers/') || isForTests(path);

/** Keeps the lines, so that an import stays at the beginning of its own. Strings with comment marks are rare enough. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/^([^'"`\n]*?)\/\/[^\n]*/gm, '$1');
}

export function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  const statements = /^(import|export)(\s+type)?\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"\n]+)['"]/gm;
  for (const [, , type, specifier] of code.matchAll(statements)) {
    found.push({ specifier: specifier!, isTypeOnly: type !== undefined });
  }
  for (const [, , specifier] of code.matchAll(/\bimport\(\s*(['"])([^'"\n]+)\1/g)) {
    // A quoted specifier has no placeholder: this one is text of a template, a program that a test writes.
    if (!specifier!.includes('${')) found.push({ specifier: specifier!, isTypeOnly: false });
  }
  return found;
}

/** Room rules, and the two about tests: sentences, none when all is well. */
export function importFaults(file: SourceFile): string[] {
  const room = roomOf(file.path);
  if (room === null) return [];
  const faults: string[] = [];
  for (const { specifier } of importsOf(file.text)) {
    if (!specifier.startsWith('.')) {
      if (room === 'protocol' && !isForTests(file.path)) {
        faults.push(`imports ${specifier}: protocol/ is pure, let the host pass it in`);
      }
      continue;
    }
    const target = posix.normalize(posix.join(posix.dirname(file.path), specifier));
    const fault = relativeFault(file.path, room, target);
    if (fault !== null) faults.push(`imports ${target}: ${fault}`);
  }
  return faults;
}

function relativeFault(path: string, room: Room, target: string): string | null {
  const isTest = isForTests(path);
  if (!isTest && isForTests(target) && !/-contract\.ts$/.test(target)) {
    if (!isSimulator(path)) return 'production code never imports tests or fakes';
    if (!target.endsWith('.fake.ts')) return 'the simulator may import fakes, but no tests';
  }
  if (isSimulator(target) && !mayImportSimulator(path)) return 'production code never imports the simulator';
  for (const [here, there] of strangers) {
    if (path.startsWith(here) && target.startsWith(there))
      return `${here} and ${there} share firmware-host/ipc.ts only`;
  }
  const targetRoom = roomOf(target);
  if (targetRoom === null || mayImport[room].includes(targetRoom)) return null;
  // A test in firmware-host may drive a real pseudo-terminal of the local rig.
  if (isTest && targetRoom === 'hil-tests' && room === 'firmware-host') return null;
  return `${room} may import ${mayImport[room].join(', ')}`;
}

const builtins = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);

/** `johnny-five` of `johnny-five/lib/x`, `@a/b` of `@a/b/c`; null for relative imports and Node's own modules. */
export function packageOf(specifier: string): string | null {
  if (/^(\.|node:)/.test(specifier) || builtins.has(specifier)) return null;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Packages that a user's installation has are enough for everything that a user can run. */
export function packageFaults(
  file: SourceFile,
  packages: { dependencies: readonly string[]; devDependencies: readonly string[] },
): string[] {
  const faults: string[] = [];
  for (const { specifier, isTypeOnly } of importsOf(file.text)) {
    const name = packageOf(specifier);
    if (name === null || packages.dependencies.includes(name)) continue;
    if (!packages.devDependencies.includes(name)) faults.push(`imports ${name}: it is not in package.json`);
    else if (!isForTests(file.path) && !isTypeOnly) faults.push(`imports ${name}, a development dependency`);
  }
  return faults;
}

const impure: readonly [RegExp, string][] = [
  [/\bDate\s*\.\s*now\b|\bnew Date\(\)/, 'time is an input (now)'],
  [/\bperformance\s*\./, 'time is an input (now)'],
  [/\bMath\s*\.\s*random\b/, 'randomness is an input'],
  [/\bBuffer\s*[.(]/, 'use Uint8Array, ByteReader, ByteWriter'],
  [/\bprocess\s*\./, 'protocol/ knows no process'],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\(/, 'return a time to be woken at'],
  [/\bconsole\s*\./, 'return an effect'],
];

export function purityFaults(file: SourceFile): string[] {
  if (roomOf(file.path) !== 'protocol' || isForTests(file.path)) return [];
  const code = withoutComments(file.text);
  return impure.flatMap(([pattern, instead]) => {
    const match = pattern.exec(code);
    return match === null ? [] : [`uses ${match[0]}: ${instead}`];
  });
}

/** Lines that say something to the machine: comments and blank lines are welcome and do not count. */
export function codeLines(text: string): number {
  return withoutComments(text)
    .split('\n')
    .filter((line) => line.trim() !== '').length;
}

export function nameFault(path: string): string | null {
  const word = /(?:^|[-./])(utils?|helpers?|common|misc)(?:[-./]|$)/.exec(path)?.[1];
  if (word !== undefined) return `"${word}" says nothing: a thing lives where its idea lives`;
  if (/(^|\/)index\.ts$/.test(path)) return 'no barrels: import the file that has it';
  return null;
}

const testHabits: readonly [RegExp, string][] = [
  [/\b(?:test|it|describe)(?:\.\w+)*\.only\b/, 'the other tests would not run'],
  [
    /\b(?:test|it|describe)(?:\.\w+)*\.(?:skip|skipIf|runIf|todo|fails)\b/,
    "use context.skip('the reason') in the test",
  ],
  [/\.skip\(\s*\)/, 'give the reason: context.skip(reason)'],
];

export function testFaults(file: SourceFile): string[] {
  if (!file.path.endsWith('.ts')) return [];
  const code = withoutComments(file.text);
  return testHabits.flatMap(([pattern, instead]) => {
    const match = pattern.exec(code);
    return match === null ? [] : [`has ${match[0]}: ${instead}`];
  });
}

const leftovers: readonly [RegExp, string][] = [
  [/\b(TODO|FIXME|XXX|HACK)\b/, 'do it, or write an issue'],
  [
    /(?<![\w.}*])\/(?:root|work|Users|home\/(?!pi\/|pi\b))[/\w]/,
    "a path of one person's machine: build it from import.meta.url",
  ],
  [
    /\bregistry\.(npmjs|yarnpkg|npmmirror)\.|_authToken|\/artifactory\//,
    'which registry is the installer’s own business',
  ],
  [/<{7} |>{7} /, 'a merge was not finished'],
];

/** For every text file. */
export function leftoverFaults(file: SourceFile): string[] {
  return leftovers.flatMap(([pattern, instead]) => {
    const match = pattern.exec(file.text);
    if (match === null) return [];
    const line = file.text.slice(0, match.index).split('\n').length;
    return [`line ${line} has "${match[0].trim()}": ${instead}`];
  });
}
