import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';

const entry = fileURLToPath(new URL('planted-sim.fake.ts', import.meta.url));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(words: string[]): { child: ChildProcess; ended: Promise<Ended>; said(): string } {
  const env = { PATH: process.env.PATH ?? '' };
  const child = spawn(process.execPath, [entry, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended, said: () => stdout };
}

const run = (...words: string[]): Promise<Ended> => start(words).ended;
const summaryOf = ({ stdout }: Ended): string => stdout.trimEnd().split('\n').at(-1)!;
const digestOf = (ended: Ended): string => /digest ([0-9a-f]{8})$/.exec(summaryOf(ended))![1]!;

describe('npm run sim', () => {
  test('is what package.json says', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(manifest.scripts.sim).toBe('node hil-tests/simulator/main.ts');
  });

  test('prints the seed first and ends with the line to keep; the digest does not depend on the jobs', async () => {
    const words = ['--scenario', 'sound', '--seeds', '40'];
    const first = await run(...words, '--jobs', '1');
    expect(first.stderr).toBe('');
    expect(first.code).toBe(exitCodes.ok.code);
    const [, seed] = /^seed (\d+) \(drawn\)\n/.exec(first.stdout)!;
    expect(summaryOf(first)).toMatch(
      /^- \d{4}-\d\d-\d\d, commit \S+: 40 seeds from \d+, scenario sound, all passed; /,
    );
    const second = await run(...words, '--jobs', '2', '--seed', seed!);
    expect(second.stdout).toMatch(new RegExp(`^seed ${seed}\n`));
    expect(digestOf(second)).toBe(digestOf(first));
  });

  test('a failure is shrunk, and the command that it prints reproduces it', async () => {
    const failed = await run('--seed', '1', '--seeds', '100', '--jobs', '2');
    expect(failed.code).toBe(exitCodes.failed.code);
    expect(failed.stdout).toContain('\nFAILED  seed 7  one-term at 1200 ms\n');
    expect(failed.stdout).toContain('2 faults of 32 are enough');
    const [, words, faults] = /^ +npm run sim -- (.*) --faults '(.*)'$/m.exec(failed.stdout)!;
    const again = await run(...words!.split(' '), '--faults', faults!, '--json', '--no-shrink');
    expect(again.code).toBe(exitCodes.failed.code);
    const events = again.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string });
    expect(events.map(({ event }) => event)).toEqual(['start', 'failure', 'account', 'end']);
    expect(events[0]).toMatchObject({ seed: 7, seeds: 1, isSeedDrawn: false });
    expect(events[2]).toMatchObject({
      checker: 'one-term',
      isReproducible: true,
      faults: JSON.parse(faults!),
    });
    expect(events[3]).toMatchObject({ failing: { 'one-term': [7] }, totals: { lives: 1, failed: 1 } });
  });

  test('--keep-going lives all of them and groups the failing seeds by checker', async () => {
    const ended = await run(
      '--seed',
      '1',
      '--seeds',
      '20',
      '--keep-going',
      '--no-shrink',
      '--scenario',
      'throws',
    );
    expect(ended.code).toBe(exitCodes.failed.code);
    expect(ended.stdout).toContain('FAILED  one-term  2 seeds\n  7 17\n');
    expect(ended.stdout).toContain('FAILED  crash  2 seeds\n  3 13\n');
    expect(ended.stdout).toContain('TypeError: a mistake that was planted\n');
    expect(summaryOf(ended)).toContain('20 seeds from 1, scenario throws, 4 FAILED');
  });

  test('Ctrl-C prints what there is until then, and ends the processes', async () => {
    const { child, ended, said } = start(['--seed', '1', '--minutes', '5', '--keep-going', '--jobs', '1']);
    await expect.poll(said, { timeout: 20_000 }).toContain('FAILED  seed 17');
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect(code).toBe(exitCodes.interrupted.code);
    expect(stdout).toContain('Ended early by SIGINT.');
    expect(stdout).toMatch(/FAILED {2}one-term {2}\d+ seeds\n {2}7 17/);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^- \d{4}-.* FAILED; /);
  });

  test('--list names the scenarios; another one is refused', async () => {
    const listed = await run('--list');
    expect(listed).toMatchObject({ code: exitCodes.ok.code, stderr: '' });
    expect(listed.stdout).toMatch(/^sound +nothing is ever wrong$/m);
    const refused = await run('--scenario', 'nonsense');
    expect(refused.code).toBe(exitCodes.usage.code);
    expect(refused.stderr).toMatch(
      /^sim: USAGE_SCENARIO: --scenario must be one of any, sound.*\(got nonsense\)/,
    );
  });
});
