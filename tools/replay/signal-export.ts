/**
 * The signal history as files: CSV for tables, VCD (IEEE 1364-2005, clause 18) for GTKWave. Both are written as the turns
 * come, because a day's history does not fit into memory. `-` is standard output.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream, rmSync, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { SignalChange } from './firmata-stream.ts';
import { ReplayError } from './replay-error.ts';

export interface TimedChange extends SignalChange {
  device: string;
  turn: number;
  /** Of the pair's clock, since the Unix epoch. */
  timeUs: number;
}

export interface SignalExport {
  write(changes: readonly TimedChange[]): Promise<void>;
  /** `endUs`: the time of the last turn. */
  close(endUs: number): Promise<void>;
}

/** A file, or standard output, with errors as ours and with patience for a slow reader. */
class TextSink {
  readonly #file: string;
  readonly #stream: WriteStream | NodeJS.WriteStream;
  readonly #failed: Promise<never>;

  constructor(file: string) {
    this.#file = file;
    this.#stream = file === '-' ? process.stdout : createWriteStream(file);
    this.#failed = new Promise((_resolve, reject) => {
      if (file === '-') return;
      this.#stream.on('error', (error) => {
        reject(
          new ReplayError('REPLAY_EXPORT_FAILED', `${file} cannot be written (${error.message})`, error),
        );
      });
    });
    // It is awaited together with each write; a failure between two of them waits for the next one.
    this.#failed.catch(() => {});
  }

  async write(text: string): Promise<void> {
    if (!this.#stream.write(text)) await Promise.race([once(this.#stream, 'drain'), this.#failed]);
  }

  async close(): Promise<void> {
    if (this.#file === '-') return;
    this.#stream.end();
    await Promise.race([finished(this.#stream), this.#failed]).catch(async (error: unknown) => {
      throw error instanceof ReplayError ? error : await this.#failed;
    });
  }
}

/** RFC 4180. */
function csvField(value: number | string): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Microseconds to seconds without rounding: a float64 has no room for both. */
export function secondsText(us: number): string {
  return `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`;
}

export const csvColumns = 'time_s,turn,device,direction,signal,value';

/** `startedAtUs` is subtracted from the times: the history's first turn is at about 0. */
export async function openCsv(file: string, startedAtUs: number): Promise<SignalExport> {
  const sink = new TextSink(file);
  await sink.write(`${csvColumns}\n`);
  return {
    async write(changes) {
      const lines = changes.map(({ timeUs, turn, device, direction, signal, value }) =>
        [secondsText(timeUs - startedAtUs), turn, device, direction, signal, value].map(csvField).join(','),
      );
      await sink.write(`${lines.join('\n')}\n`);
    },
    close: () => sink.close(),
  };
}

interface Variable {
  identifier: string;
  device: string;
  signal: string;
  bits: number;
}

const firstIdentifierCode = 33;
const identifierCodes = 94;

/** Printable ASCII, shortest first (clause 18.2.1). */
function identifierOf(index: number): string {
  let text = '';
  let left = index;
  do {
    text += String.fromCharCode(firstIdentifierCode + (left % identifierCodes));
    left = Math.floor(left / identifierCodes) - 1;
  } while (left >= 0);
  return text;
}

/** A VCD's names have no white space; GTKWave takes a dot for a level of hierarchy. */
const vcdName = (name: string): string => name.replace(/[^\w$]/g, '_');

const turnBits = 48;

/**
 * Numbers only: levels as wires, analog values as vectors, and the turn as a vector that changes with them. The
 * variables have to be declared before the first change and are known after the last one: the changes wait in FILE.part.
 */
export async function openVcd(file: string, startedAtUs: number): Promise<SignalExport> {
  const partFile = file === '-' ? `understudy-${process.pid}.vcd.part` : `${file}.part`;
  const part = new TextSink(partFile);
  const variables = new Map<string, Variable>();
  let lastUs = -1;
  const variableOf = (device: string, signal: string, bits: number): Variable => {
    const key = `${device} ${signal}`;
    const known = variables.get(key);
    if (known !== undefined) return known;
    const variable = { identifier: identifierOf(variables.size), device, signal, bits };
    variables.set(key, variable);
    return variable;
  };
  const turnVariable = variableOf('journal', 'turn', turnBits);
  return {
    async write(changes) {
      let text = '';
      for (const { timeUs, turn, device, signal, value, bits } of changes) {
        if (typeof value !== 'number') continue;
        const atUs = timeUs - startedAtUs;
        if (atUs !== lastUs) {
          text += `#${atUs}\n${vcdValue(turnVariable, turn)}`;
          lastUs = atUs;
        }
        text += vcdValue(variableOf(device, signal, bits), value);
      }
      if (text !== '') await part.write(text);
    },
    async close(endUs) {
      if (endUs - startedAtUs > lastUs) await part.write(`#${endUs - startedAtUs}\n`);
      await part.close();
      const whole = new TextSink(file);
      try {
        await whole.write(vcdHeader(startedAtUs, [...variables.values()]));
        for await (const chunk of createReadStream(partFile, 'utf8')) await whole.write(chunk as string);
        await whole.close();
      } finally {
        rmSync(partFile, { force: true });
      }
    },
  };
}

function vcdValue({ identifier, bits }: Variable, value: number): string {
  return bits === 1 ? `${value}${identifier}\n` : `b${value.toString(2)} ${identifier}\n`;
}

function vcdHeader(startedAtUs: number, variables: readonly Variable[]): string {
  const lines = [
    `$date ${new Date(Math.floor(startedAtUs / 1000)).toISOString()} $end`,
    '$version understudy replay $end',
    '$timescale 1 us $end',
  ];
  for (const device of new Set(variables.map((variable) => variable.device))) {
    lines.push(`$scope module ${vcdName(device)} $end`);
    for (const { identifier, signal, bits } of variables.filter((variable) => variable.device === device)) {
      lines.push(`$var ${bits === 1 ? 'wire' : 'reg'} ${bits} ${identifier} ${vcdName(signal)} $end`);
    }
    lines.push('$upscope $end');
  }
  lines.push('$enddefinitions $end', '$dumpvars');
  for (const { identifier, bits } of variables)
    lines.push(bits === 1 ? `x${identifier}` : `bx ${identifier}`);
  lines.push('$end', '');
  return lines.join('\n');
}
