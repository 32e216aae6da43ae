/**
 * libFuzzer on the C stream code of the fenced board (boards/mega-2560/firmware/fuzz/stream_fuzz.c): built, seeded, run, read.
 *
 * The seeds are made at each run, from the golden lines of the protocol and from a few scripted lives, so that they always fit the harness
 * of the same checkout. libFuzzer ends at its first finding: whoever wants the next one repairs this one first.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../', import.meta.url));
export const firmwareFolder = join(repository, 'boards/mega-2560/firmware');
const goldenLines = join(repository, 'protocol/golden/device-stream.txt');

/** Offsets wrap at 2^32 after 256 bytes: no life is long enough to get there from 0. */
const firstOffset = '0xffffff00u';
const sanitizers = 'fuzzer,address,undefined';
/** Longer lives find nothing that short ones do not, and cost. */
const inputBytesMax = 2048;

export class FuzzerError extends Error {
  readonly code: 'MACHINE_FUZZER' | 'RUN_FUZZER';

  constructor(code: FuzzerError['code'], message: string) {
    super(message);
    this.name = 'FuzzerError';
    this.code = code;
  }
}

/** Null, or what is missing on this machine and how to get it. */
export function missingForFuzzing(): string | null {
  const remedy = 'tools/install-debian-packages.sh firmware';
  if (spawnSync('clang', ['--version']).status !== 0) return `there is no clang here (${remedy})`;
  const library = spawnSync('clang', ['-fsanitize=fuzzer', '-x', 'c', '-', '-o', '/dev/null'], {
    input:
      '#include <stdint.h>\n#include <stddef.h>\nint LLVMFuzzerTestOneInput(const uint8_t *d, size_t s) { return d == 0 && s; }\n',
  });
  return library.status === 0
    ? null
    : `clang has no libFuzzer here: libclang-rt-*-dev is missing (${remedy})`;
}

/** Path of the program. `firmware`: where the sources are, a folder with `fuzz` in it. */
export function buildFuzzer(options: { firmware: string; folder: string }): string {
  const { firmware, folder } = options;
  const program = join(folder, 'stream_fuzz');
  const sources = ['stream_device.c', 'wire_message.c', 'wire_frame.c', 'wire_crc16.c'];
  const built = spawnSync(
    'clang',
    [
      ...[
        '-std=c99',
        '-g',
        '-O1',
        '-Wall',
        '-Wextra',
        `-fsanitize=${sanitizers}`,
        '-fno-sanitize-recover=all',
      ],
      ...[`-DSTREAM_FIRST_OFFSET=${firstOffset}`, '-o', program],
      ...['fuzz/stream_fuzz.c', ...sources].map((name) => join(firmware, name)),
    ],
    { encoding: 'utf8' },
  );
  if (built.status !== 0) throw new FuzzerError('RUN_FUZZER', `the fuzzer does not build:\n${built.stderr}`);
  return program;
}

/** Operations of stream_fuzz.c, to be put together to lives. */
const head = [0, 0, 0, 0, 2, 1, 0];
const attach = [2, 0, 170, 0, 0];
const data = [14, 0, 0, 0, 3, 0xf0, 0, 0x7a, 0xf7];
const produce = [8, 100, 1];
const acknowledge = [4, 0, 0, 1, 214];
const resend = [6, 0, 0, 0, 0];
const keepalive = [5, 0, 0];
const consume = [9, 255];
const holdTime = [11, 255];
const otherPort = 0x80;

function lives(): number[][] {
  const golden = [...readFileSync(goldenLines, 'utf8').matchAll(/^line ([0-9a-f]+)$/gm)].map(([, hex]) => {
    const bytes = [...Buffer.from(hex!, 'hex')].slice(0, 255);
    return [...attach, 0, bytes.length, ...bytes, ...produce];
  });
  const fullWindow = Array.from({ length: 5 }, () => [14, 0, 0, 0, 63, ...Array<number>(64).fill(9)]).flat();
  const scripted = [
    [...attach, ...data, ...consume, ...data, ...keepalive, ...holdTime, ...attach, ...data],
    [...attach, ...produce, 10, 20, ...produce, 10, 20, ...acknowledge, ...resend, 10, 20, ...keepalive],
    [
      ...attach,
      ...data,
      otherPort | 2,
      ...attach.slice(1),
      ...data,
      otherPort | 14,
      ...data.slice(1),
      ...keepalive,
    ],
    [...attach, ...fullWindow, ...consume, ...data],
    [...attach, 12, 4, ...produce, ...produce, ...keepalive, 12, 200, 10, 9, 7, 0, 0, ...holdTime],
    [...attach, ...data, 13, 1, ...attach, ...data],
  ];
  return [...golden, ...scripted].map((life) => [...head, ...life]);
}

/** Fills `folder` and tells how many seeds there are. */
export function writeSeeds(folder: string): number {
  mkdirSync(folder, { recursive: true });
  const seeds = lives();
  for (const [index, life] of seeds.entries()) {
    writeFileSync(join(folder, `seed-${String(index).padStart(3, '0')}`), Uint8Array.from(life));
  }
  return seeds.length;
}

export interface FuzzFigures {
  executions: number;
  /** Branches of the instrumented code that were reached, and all there are; harness included. */
  edgesReached: number;
  edgesAll: number;
  /** Inputs kept because each reached something that no other did. */
  corpus: number;
  elapsedMs: number;
}

export interface FuzzFinding {
  /** What was broken, in one line. */
  what: string;
  /** The input that does it; null when libFuzzer could not write it. */
  file: string | null;
}

export interface FuzzOutcome {
  figures: FuzzFigures;
  finding: FuzzFinding | null;
}

export interface FuzzOptions {
  program: string;
  /** Inputs found so far; grows. */
  corpus: string;
  /** For the input that breaks something. */
  findings: string;
  seconds: number;
  /** 1..2^32-1; 0: drawn by libFuzzer. */
  seed: number;
  /** A little after each time that libFuzzer says how it is going. */
  onProgress?: (figures: FuzzFigures) => void;
  /** Ends the run early. */
  signal?: AbortSignal;
}

export function runFuzzer(options: FuzzOptions): Promise<FuzzOutcome> {
  const { program, corpus, findings, seconds, seed } = options;
  mkdirSync(findings, { recursive: true });
  const begunAt = performance.now();
  const child = spawn(
    program,
    [
      ...[`-max_total_time=${seconds}`, `-max_len=${inputBytesMax}`, `-seed=${seed}`, '-timeout=10'],
      ...['-rss_limit_mb=1024', '-print_final_stats=1', `-artifact_prefix=${findings}/`, corpus],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  options.signal?.addEventListener('abort', () => child.kill('SIGINT'));
  const figures: FuzzFigures = { executions: 0, edgesReached: 0, edgesAll: 0, corpus: 0, elapsedMs: 0 };
  const told: string[] = [];
  let file: string | null = null;
  createInterface({ input: child.stderr }).on('line', (row) => {
    const all = /Loaded \d+ modules\s+\((\d+) inline 8-bit counters\)/.exec(row);
    if (all !== null) figures.edgesAll = Number(all[1]);
    const status = /^#(\d+)\s+\w+.* cov: (\d+) .*corp: (\d+)\//.exec(row);
    if (status !== null) {
      figures.executions = Number(status[1]);
      figures.edgesReached = Number(status[2]);
      figures.corpus = Number(status[3]);
      figures.elapsedMs = performance.now() - begunAt;
      options.onProgress?.({ ...figures });
    }
    const executed = /^stat::number_of_executed_units:\s*(\d+)/.exec(row);
    if (executed !== null) figures.executions = Number(executed[1]);
    if (/broken: |runtime error: |ERROR: (?:Address|Leak)Sanitizer|ERROR: libFuzzer/.test(row))
      told.push(row);
    file = /Test unit written to (.+)$/.exec(row)?.[1] ?? file;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      figures.elapsedMs = performance.now() - begunAt;
      const isFinding = told.length > 0 || file !== null;
      if (!isFinding && code !== 0 && options.signal?.aborted !== true) {
        reject(new FuzzerError('RUN_FUZZER', `the fuzzer ended with exit code ${code} and found nothing`));
        return;
      }
      const what = told[0] ?? `exit code ${code}`;
      resolve({ figures, finding: isFinding ? { what, file } : null });
    });
  });
}
