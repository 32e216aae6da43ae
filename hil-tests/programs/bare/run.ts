/** Runs one program of the manifest bare, until it has shown what is expected of it. See preload.ts. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { activityDeadlineMs, type ProgramEntry, programPath } from '../manifest.ts';

/** What the preload has to build in the program's process. */
export interface BareNeeds {
  plant: ProgramEntry['plant'];
  chips: readonly string[];
  devices: readonly string[];
}

export interface BareRun {
  /** Why the run was ended: everything was seen, the program ended, or the deadline passed. */
  ended: 'satisfied' | 'exited' | 'deadline';
  stdout: string;
  stderr: string;
  /** Messages that reached the devices and actuate or ask a chip. */
  outputCount: number;
  /** Messages that the devices did not understand. */
  malformedCount: number;
  /** Null when we stopped it. */
  exitCode: number | null;
}

const preload = pathToFileURL(fileURLToPath(new URL('./preload.ts', import.meta.url))).href;

/** The program's working directory is a fresh one, removed afterwards: programs write files. */
export function runBare(entry: ProgramEntry): Promise<BareRun> {
  const { expectation } = entry;
  const directory = mkdtempSync(path.join(tmpdir(), 'understudy-bare-'));
  const needs: BareNeeds = { plant: entry.plant, chips: entry.chips ?? [], devices: entry.devices ?? [] };
  const child = spawn(process.execPath, ['--import', preload, programPath(entry)], {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '1', UNDERSTUDY_BARE_NEEDS: JSON.stringify(needs) },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const run: BareRun = {
    ended: 'exited',
    stdout: '',
    stderr: '',
    outputCount: 0,
    malformedCount: 0,
    exitCode: null,
  };

  return new Promise((resolve, reject) => {
    const stop = (why: 'satisfied' | 'deadline') => {
      if (run.ended !== 'exited') return;
      run.ended = why;
      child.kill('SIGKILL');
    };
    const deadline = setTimeout(() => stop('deadline'), activityDeadlineMs);
    const check = () => {
      if (expectation.exitCode !== undefined) return;
      if (run.outputCount < expectation.outputsMin) return;
      if (expectation.stdout === undefined || expectation.stdout.test(run.stdout)) stop('satisfied');
    };
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      run.stdout += text;
      check();
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      run.stderr += text;
    });
    let pending = '';
    child.stdio[3]!.on('data', (bytes: Buffer) => {
      const lines = (pending + bytes.toString('latin1')).split('\n');
      pending = lines.pop() as string;
      const last = lines.at(-1);
      if (last !== undefined)
        [run.outputCount, run.malformedCount] = last.split(' ').map(Number) as [number, number];
      check();
    });
    // Typed once the program listens: its first line on standard output says so.
    if (entry.stdin !== undefined)
      child.stdout!.once('data', () => child.stdin!.write(entry.stdin as string));
    child.stdin!.on('error', () => {});
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(deadline);
      rmSync(directory, { recursive: true, force: true });
      run.exitCode = code;
      resolve(run);
    });
  });
}
