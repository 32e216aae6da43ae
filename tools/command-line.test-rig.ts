/** Starts the command line as a user does, in a process of its own, and keeps what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const entry = fileURLToPath(new URL('understudy.ts', import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Started {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves with the first line of standard output that fits; rejects when the process ends without one. */
  line(fits: RegExp): Promise<string>;
  /** The same of standard error. */
  errorLine(fits: RegExp): Promise<string>;
  /** Standard error so far. */
  stderr(): string;
}

export function startCommand(
  words: string[],
  options: { env?: Record<string, string>; program?: string } = {},
): Started {
  const child = spawn(options.program ?? process.execPath, [entry, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', NO_COLOR: '1', ...options.env },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const watcher of watchers) watcher();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    for (const watcher of watchers) watcher();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const lineOf = (text: () => string, fits: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = text()
          .split('\n')
          .find((each) => fits.test(each));
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      ended.then(() => reject(new Error(`ended without a line ${fits}: ${stdout}${stderr}`)), reject);
      look();
    });
  return {
    child,
    ended,
    line: (fits) => lineOf(() => stdout, fits),
    errorLine: (fits) => lineOf(() => stderr, fits),
    stderr: () => stderr,
  };
}

export function runCommand(...words: string[]): Promise<Ended> {
  return startCommand(words).ended;
}

/** A directory that the test has for itself. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
