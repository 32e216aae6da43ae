/** Runs the wanted measurements one after the other and tells of them in the terminal, as JSON and as a page. */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { type BenchOptions, type CatalogEntry, catalog } from './catalog.ts';
import { type MachineStatement, stateMachine } from './machine-statement.ts';
import type { Part } from './measurement.ts';
import { pageOf } from './result-page.ts';
import { tableOf } from './result-table.ts';

export interface BenchCommandOptions extends BenchOptions {
  /** Ids of measurements; empty: all. */
  only: readonly string[];
  jsonFile: string | null;
  htmlFile: string | null;
}

export interface BenchResult {
  machine: MachineStatement;
  /** When the last measurement was done. */
  loadAfter: number;
  parameters: BenchOptions & { only: readonly string[] };
  parts: Part[];
  /** What ended with an error. Of a measurement that did as a whole nothing is in `parts`. */
  failed: { id: string; reason: string }[];
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function store(file: string, text: string): string | null {
  try {
    writeFileSync(file, text);
    return null;
  } catch (error) {
    return `${file} cannot be written: ${(error as Error).message}`;
  }
}

export function wantedOf(only: readonly string[]): CatalogEntry[] | string {
  const unknown = only.find((id) => !catalog.some((entry) => entry.id === id));
  if (unknown !== undefined) {
    return `--only must be one of ${catalog.map(({ id }) => id).join(', ')} (got ${unknown})`;
  }
  return catalog.filter(({ id }) => only.length === 0 || only.includes(id));
}

/** Returns the exit code: 1 when a measurement could not be done. A missed bound is a figure, no failure of the run. */
export async function runBench(options: BenchCommandOptions): Promise<number> {
  const wanted = wantedOf(options.only);
  if (typeof wanted === 'string') {
    process.stderr.write(`understudy: ${wanted}\n`);
    return exitCodes.usage.code;
  }
  const { jsonFile, htmlFile, ...parameters } = options;
  const machine = stateMachine();
  print(`${machine.processor}, ${machine.cores} cores, ${machine.system}, Node ${machine.versions.node}`);
  print(`commit ${machine.commit}, load average ${machine.loadBefore.toFixed(2)}`);
  const result: BenchResult = { machine, loadAfter: 0, parameters, parts: [], failed: [] };
  const tell = (text: string): void => void process.stderr.write(`  ${text}\n`);
  const failed = (id: string, reason: string): void => {
    result.failed.push({ id, reason });
    process.stderr.write(`understudy: BENCH_FAILED ${id}: ${reason}\n`);
  };
  for (const entry of wanted) {
    tell(`${entry.id}: ${entry.what}`);
    try {
      const measurement = await entry.load(options);
      const part = await measurement.run({ quick: options.quick, tell });
      result.parts.push(part);
      for (const reason of part.failures ?? []) failed(entry.id, reason);
      for (const line of tableOf(part)) print(line);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'USAGE_BENCH') throw error;
      failed(entry.id, (error as Error).message);
    }
  }
  result.loadAfter = loadavg()[0]!;
  const troubles = [
    jsonFile === null ? null : store(jsonFile, `${JSON.stringify(result, null, 2)}\n`),
    htmlFile === null ? null : store(htmlFile, pageOf(result)),
  ].filter((trouble) => trouble !== null);
  for (const trouble of troubles) process.stderr.write(`understudy: ${trouble}\n`);
  if (troubles.length > 0) return exitCodes.usage.code;
  return result.failed.length > 0 ? exitCodes.failed.code : exitCodes.ok.code;
}
