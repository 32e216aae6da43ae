/** Puts a replay together: the journal, its program, the process, the exports, and what the user is told. */
import { once } from 'node:events';
import {
  compareIdentities,
  type RuntimeIdentity,
  runtimeIdentity,
} from '../../firmware-host/bundle/runtime-identity.ts';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { JournalError, type JournalHeader } from '../../firmware-host/journal/entry.ts';
import { type JournalReading, readJournal } from '../../firmware-host/journal/reader.ts';
import { headerLines, tailLine } from '../journal/lines.ts';
import { DebuggerNewsReader, sourcePlace } from './debugger-news.ts';
import { differenceJson, differenceLines } from './difference-report.ts';
import { recordsOf } from './journal-records.ts';
import { type FoundProgram, findProgram } from './program-bundle.ts';
import { ReplayError } from './replay-error.ts';
import { ReplayProcess } from './replay-process.ts';
import { type ReplayedTurn, type ReplayResult, ReplayRun } from './replay-run.ts';
import { openCsv, openVcd, type SignalExport, secondsText, type TimedChange } from './signal-export.ts';
import { SignalSummary } from './signal-summary.ts';
import { TurnInterpreter, type TurnWords } from './turn-words.ts';

export interface ReplayOptions {
  /** The last turn that is run; null: all. */
  untilTurn: number | null;
  program: string | undefined;
  /** 0: any free one. Null: no debugger. */
  inspectPort: number | null;
  csv: string | null;
  vcd: string | null;
  isJson: boolean;
}

/** A turn that takes longer in a replay than on any board's `timing.turnTimeoutMs` by default, five times over. */
const answerMsMax = 60_000;

/** Returns the process's exit code. Throws JournalError, ReplayError, BundleError. */
export async function replayJournal(file: string, options: ReplayOptions): Promise<number> {
  const reading = await readJournal(file);
  try {
    checkHeader(file, reading.header);
    const program = await findProgram(file, reading.header, options.program);
    return await new Replay(file, reading, program, options).run();
  } finally {
    await reading.close();
  }
}

/** A checksum says that the header was written so, not that a board wrote it. */
function checkHeader(file: string, header: JournalHeader): void {
  const { bundleHash, program, historyId, startedAtMs, runtime } = header as Partial<JournalHeader>;
  const isSound =
    /^[0-9a-f]{64}$/.test(String(bundleHash)) &&
    [program, historyId].every(
      (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
    ) &&
    Number.isSafeInteger(startedAtMs) &&
    typeof runtime === 'object' &&
    runtime !== null &&
    Object.values(runtime).every((value) => typeof value === 'string' && !value.includes('\0'));
  if (isSound) return;
  throw new JournalError('JOURNAL_DAMAGED', `the header of ${file} holds what no board writes`);
}

class Replay {
  readonly #file: string;
  readonly #reading: JournalReading;
  readonly #program: FoundProgram;
  readonly #options: ReplayOptions;
  readonly #interpreter = new TurnInterpreter();
  readonly #summary = new SignalSummary();
  #exports: SignalExport[] = [];
  /** Of the first turn: the zero of all times that are shown. */
  #startedAtUs = 0;
  #endUs = 0;
  #last: { turn: ReplayedTurn; words: TurnWords } | null = null;

  constructor(file: string, reading: JournalReading, program: FoundProgram, options: ReplayOptions) {
    this.#file = file;
    this.#reading = reading;
    this.#program = program;
    this.#options = options;
  }

  async run(): Promise<number> {
    const { header } = this.#reading;
    const { untilTurn, csv, vcd, isJson } = this.#options;
    const differences = runtimeDifferences(header);
    this.#startedAtUs = header.startedAtMs * 1000;
    if (isJson) {
      const program = this.#program.file;
      await print({
        schema: 1,
        kind: 'header',
        file: this.#file,
        programFound: program,
        differences,
        ...header,
      });
    } else
      await this.#say([
        ...headerLines(this.#file, header).slice(0, -1),
        `found    ${this.#program.file}`,
        '',
      ]);
    for (const difference of differences) process.stderr.write(`understudy: warning: ${difference}\n`);
    if (csv !== null) this.#exports.push(await openCsv(csv, this.#startedAtUs));
    if (vcd !== null) this.#exports.push(await openVcd(vcd, this.#startedAtUs));
    const replica = this.#startReplica(header);
    const interrupted = (): void => process.exit(exitCodes.interrupted.code);
    const terminated = (): void => process.exit(exitCodes.terminated.code);
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', terminated);
    let result: ReplayResult;
    try {
      const run = new ReplayRun(replica, (turn) => this.#turn(turn));
      result = await run.run(recordsOf(this.#reading), untilTurn ?? Number.MAX_SAFE_INTEGER);
    } finally {
      await replica.stop();
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', terminated);
      for (const each of this.#exports) await each.close(this.#endUs);
    }
    if (result.difference === null && untilTurn !== null && result.turns <= untilTurn) {
      throw new ReplayError(
        'REPLAY_TURN_MISSING',
        `${this.#file} has turns 0..${result.turns - 1}, no turn ${untilTurn}`,
      );
    }
    await (isJson ? this.#endJson(result) : this.#endText(result));
    return result.difference === null ? exitCodes.ok.code : exitCodes.failed.code;
  }

  #startReplica(header: JournalHeader): ReplayProcess {
    const { inspectPort, untilTurn } = this.#options;
    const { timeZone = 'UTC', locale = 'en-US' } = header.runtime;
    return new ReplayProcess({
      ...this.#program,
      programFile: header.program,
      timeZone,
      locale,
      inspect: inspectPort === null ? null : { turn: untilTurn ?? 0, port: inspectPort },
      answerMsMax: inspectPort === null ? answerMsMax : null,
      ...(inspectPort === null ? {} : { onNoise: debuggerNews(untilTurn ?? 0, this.#program.sourceMap) }),
    });
  }

  async #turn(turn: ReplayedTurn): Promise<void> {
    const words = this.#interpreter.interpret(turn.event, turn.outputs);
    this.#last = { turn, words };
    this.#endUs = turn.timeUs;
    if (words.changes.length === 0) return;
    const { timeUs } = turn;
    const changes: TimedChange[] = words.changes.map((change) => ({ ...change, turn: turn.turn, timeUs }));
    for (const change of changes) this.#summary.add(change);
    for (const each of this.#exports) await each.write(changes);
    if (!this.#options.isJson) return;
    for (const change of changes) {
      await print({ schema: 1, kind: 'signal', seconds: secondsText(timeUs - this.#startedAtUs), ...change });
    }
  }

  async #endJson(result: ReplayResult): Promise<void> {
    const { turns, digestsCompared, exitCode, hasMore, difference } = result;
    if (this.#options.untilTurn !== null && difference === null && this.#last !== null) {
      const { turn, words } = this.#last;
      const { event, outputs } = words;
      await print({ schema: 1, kind: 'turn', turn: turn.turn, timeUs: turn.timeUs, event, outputs });
    }
    if (difference !== null) await print(differenceJson(difference, this.#interpreter));
    const equal = difference === null;
    await print({
      schema: 1,
      kind: 'end',
      equal,
      turns,
      digestsCompared,
      exitCode,
      hasMore,
      tail: this.#reading.tail,
    });
  }

  async #endText(result: ReplayResult): Promise<void> {
    const { turns, digestsCompared, exitCode, difference, hasMore } = result;
    const { untilTurn } = this.#options;
    if (untilTurn !== null && difference === null && this.#last !== null) await this.#sayTurn(this.#last);
    const signals = this.#summary.lines(this.#startedAtUs);
    if (signals.length > 0) await this.#say([...signals, '']);
    if (difference !== null) {
      await this.#say([...differenceLines(difference, this.#startedAtUs, this.#interpreter), '']);
    }
    const seconds = turns === 0 ? '0' : secondsText(this.#endUs - this.#startedAtUs);
    const { tail } = this.#reading;
    if (!hasMore && tail !== null && tail !== 'clean') await this.#say([tailLine(tail)]);
    if (exitCode !== null) await this.#say([`the program ended with exit code ${exitCode}`]);
    const judgement = difference === null ? 'equal' : 'DIVERGED';
    await this.#say([`${turns} turns, ${seconds} s, ${digestsCompared} digests equal: ${judgement}`]);
  }

  async #sayTurn({ turn, words }: { turn: ReplayedTurn; words: TurnWords }): Promise<void> {
    const event = words.event.length > 0 ? words.event : ['time reached'];
    const outputs = words.outputs.length > 0 ? words.outputs : ['none'];
    const column = (title: string, lines: string[]): string[] =>
      lines.map((line, index) => `  ${(index === 0 ? title : '').padEnd(10)}${line}`);
    const at = secondsText(turn.timeUs - this.#startedAtUs);
    await this.#say([
      `turn ${turn.turn}, ${at} s`,
      ...column('event', event),
      ...column('outputs', outputs),
      '',
    ]);
  }

  /** Standard output may be taken by an export. */
  async #say(lines: string[]): Promise<void> {
    const { csv, vcd } = this.#options;
    const stream = csv === '-' || vcd === '-' ? process.stderr : process.stdout;
    if (!stream.write(`${lines.join('\n')}\n`)) await once(stream, 'drain');
  }
}

/** Tells the user where the program stands, and how to look at it. */
function debuggerNews(turn: number, sourceMap: string): (text: string) => void {
  const reader = new DebuggerNewsReader();
  return (text) => {
    for (const news of reader.push(text)) {
      if (news.kind === 'resumed') {
        process.stderr.write('understudy: resumed\n');
        continue;
      }
      const { place, functionName, isInProgram } = news;
      const { host = '', pathname = '' } = reader.webSocketUrl === null ? {} : new URL(reader.webSocketUrl);
      process.stderr.write(
        (isInProgram
          ? `understudy: paused in turn ${turn} at ${sourcePlace(place, sourceMap) ?? place}${functionName === '' ? '' : ` (${functionName})`}\n`
          : `understudy: paused at the end of turn ${turn}: no line of the program’s own ran in it\n`) +
          `understudy: debugger at ws://${host}${pathname}\n` +
          `understudy: open chrome://inspect, or devtools://devtools/bundled/inspector.html?ws=${host}${pathname}\n` +
          `understudy: or run: node inspect ${host}\n`,
      );
    }
  };
}

/** What may make this machine compute something else than the board. Zone and locale are the journal's here too. */
function runtimeDifferences(header: JournalHeader): string[] {
  const own = runtimeIdentity();
  const recorded = { ...own, ...header.runtime } as RuntimeIdentity;
  const { timeZone, locale } = recorded;
  const named = ({ node, v8, icu, tz, unicode, arch, platform, endianness }: RuntimeIdentity) => ({
    node,
    v8,
    icu,
    tz,
    unicode,
    arch,
    platform,
    endianness,
    timeZone,
    locale,
  });
  return compareIdentities(named(recorded), named(own)).map(
    (sentence) =>
      `${sentence.split('. ')[0]!.replace('on one board', 'on the board').replace('on the other', 'here')}: a difference may come from that`,
  );
}

async function print(item: object): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(item)}\n`)) await once(process.stdout, 'drain');
}
