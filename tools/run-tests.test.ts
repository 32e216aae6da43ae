import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';

const entry = fileURLToPath(new URL('run-tests.ts', import.meta.url));

function start(...words: string[]) {
  // Nothing of the vitest that we are in: its environment would confuse the one that is started.
  const env = { PATH: process.env.PATH ?? '', NO_COLOR: '1' };
  const child = spawn(process.execPath, [entry, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  let onText = (_: string): void => {};
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    onText(text);
  });
  const ended = new Promise<{ code: number | null; last: string; text: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, last: text.trimEnd().split('\n').at(-1)!, text }));
  });
  const said = (fits: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve) => {
      onText = (all) => {
        const match = fits.exec(all);
        if (match !== null) resolve(match);
      };
      onText(text);
    });
  return { child, ended, said };
}

test('the last line counts what ran', async () => {
  expect(await start('tools/test-counts.test.ts').ended).toMatchObject({
    code: 0,
    last: '6 passed, 0 failed, 0 skipped',
  });
});

test('nothing run is a failure', async () => {
  expect(await start('no-test-has-this-name').ended).toMatchObject({
    code: 1,
    last: '0 passed, 1 failed, 0 skipped',
  });
});

test('told to stop, it takes what it started along and says so', async () => {
  const { child, ended, said } = start('tools/commands/doctor.test.ts');
  await said(/RUN/);
  const [step] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
  expect(Number(step)).toBeGreaterThan(0);
  child.kill('SIGTERM');
  const { code, text, last } = await ended;
  expect(code).toBe(1);
  expect(text).toContain('ended by SIGTERM');
  expect(last).toMatch(/^\d+ passed, \d+ failed, \d+ skipped$/);
  // They were told; the last of them may take a moment to be gone.
  const gone = (): void => expect(() => process.kill(-Number(step), 0)).toThrow('ESRCH');
  await vi.waitFor(gone, { timeout: 10_000, interval: 20 });
});
