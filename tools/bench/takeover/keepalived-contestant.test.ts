import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keepalivedConfig } from './keepalived-contestant.ts';
import { programFound } from './program-found.ts';

test('keepalived accepts the configuration at both advertisement intervals', (context) => {
  const missing = programFound('keepalived');
  if (missing !== null) context.skip(missing);
  const card = Object.entries(networkInterfaces()).find(([, addresses]) => !addresses?.[0]?.internal)?.[0];
  if (card === undefined)
    context.skip('keepalived wants a network interface, and there is only the loopback');
  const directory = mkdtempSync(join(tmpdir(), 'understudy-keepalived-'));
  try {
    const file = join(directory, 'keepalived.conf');
    const testConfig = (text: string): void => {
      writeFileSync(file, text);
      for (const script of ['check', 'master', 'backup'])
        writeFileSync(join(directory, `${script}-a.sh`), '');
      execFileSync('keepalived', ['--config-test', '--use-file', file], { stdio: 'pipe' });
    };
    for (const intervalS of [1, 0.01]) testConfig(keepalivedConfig('a', directory, intervalS, card));
    expect(() => testConfig(keepalivedConfig('a', directory, 999, card))).toThrow();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a program that is not there is named with what installs it', () => {
  expect(programFound('no-such-program-at-all')).toContain('install-debian-packages.sh bench');
  expect(programFound('sh')).toBeNull();
});
