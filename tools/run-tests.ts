/**
 * `npm test`: type check, lint, house rules, and every test; the very last line says how it went.
 *
 *     N passed, N failed, N skipped
 *
 * A test case counts as one; so does each of type check, lint and house rules. Nothing run is a failure. With words
 * after `--`, only vitest runs and gets them: `npm test -- protocol`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { enterPinnedNode } from './pinned-node.ts';
import { type Counts, countsOf, noCounts, sum, type TestReport } from './test-counts.ts';
import { reportFileVariable } from './test-reporter.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const binaries = join(root, 'node_modules', '.bin');
const houseRules = 'tools/house-rules.test.ts';
const killAfterMs = 5000;

let running: number | null = null;
let interrupted: NodeJS.Signals | null = null;

function signalGroup(signal: NodeJS.Signals): void {
  if (running === null) return;
  try {
    process.kill(-running, signal);
  } catch {
    // The group has ended already.
  }
}

/** Each step has a process group of its own, so that nothing of it stays behind when we are told to stop. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted = signal;
    signalGroup('SIGTERM');
    setTimeout(() => signalGroup('SIGKILL'), killAfterMs).unref();
  });
}

function run(name: string, words: string[], environment: Record<string, string> = {}): Promise<number> {
  process.stdout.write(`\n== ${[name, ...words].join(' ')}\n`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(binaries, name), ...words], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
      // Tests that start `node` get the pinned one.
      env: { ...process.env, ...environment, PATH: `${binaries}${delimiter}${process.env.PATH ?? ''}` },
    });
    running = child.pid ?? null;
    child.on('error', reject);
    child.on('exit', (code) => {
      // What a step has left behind in its group ends with it.
      signalGroup('SIGKILL');
      running = null;
      resolve(code ?? 1);
    });
  });
}

async function check(name: string, words: string[]): Promise<Counts> {
  const isPassed = (await run(name, words)) === 0;
  return { ...noCounts, passed: isPassed ? 1 : 0, failed: isPassed ? 0 : 1 };
}

async function runVitest(words: string[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-tests-'));
  const file = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=./tools/test-reporter.ts'];
    const code = await run('vitest', ['run', ...reporters, ...words], { [reportFileVariable]: file });
    return countsOf(readReport(file), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file: string): TestReport | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as TestReport;
  } catch {
    // vitest died before it wrote.
    return null;
  }
}

async function main(words: string[]): Promise<number> {
  const wrongNode = enterPinnedNode();
  if (wrongNode !== null) {
    process.stderr.write(`${wrongNode}\n`);
    process.stdout.write('0 passed, 1 failed, 0 skipped\n');
    return 1;
  }
  const steps: (() => Promise<Counts>)[] =
    words.length > 0
      ? [() => runVitest(words)]
      : [
          () => check('tsc', ['--noEmit']),
          () => check('biome', ['check', '.']),
          () => check('vitest', ['run', houseRules]),
          () => runVitest([`--exclude=${houseRules}`]),
        ];
  let counts = noCounts;
  for (const step of steps) if (interrupted === null) counts = sum(counts, await step());
  if (interrupted !== null) process.stdout.write(`\nended by ${interrupted}: not everything was run\n`);
  for (const { name, reason } of counts.skips) process.stdout.write(`skipped: ${name} (${reason})\n`);
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  return counts.failed === 0 && counts.passed > 0 && interrupted === null ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
