/**
 * One run of `understudy monitor` that understands what the consoles say: ports -> watch -> picture, lines or NDJSON.
 *
 * Whatever ends it (q, a signal, a mistake of ours) takes the same way: the consoles are left as they were found, the
 * terminal is given back, then the process ends.
 */
import { performance } from 'node:perf_hooks';
import type { ReadStream, WriteStream } from 'node:tty';
import type { ConsoleItem, ConsoleRequest } from '../../firmware-host/console/console-schema.ts';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { Terminal, type TerminalAbilities, terminalAbilities } from '../terminal/terminal.ts';
import { type OpenPort, openConsolePort } from './console-port.ts';
import { type Action, Keyboard, type Page } from './keyboard.ts';
import { type DriverNews, LineDriver } from './line-driver.ts';
import type { LogFile } from './log-file.ts';
import { type Board, boards } from './model.ts';
import type { NoiseLine } from './pages.ts';
import { drawMonitor } from './screen.ts';
import type { Target } from './targets.ts';
import { eventLine, JsonView, PlainView } from './views.ts';
import { PairWatch } from './watch.ts';

const frameIntervalMs = 200;
const outlookIntervalMs = 1000;
const journalIntervalMs = 1000;
const journalLines = 40;
const noticeMs = 6000;
const noiseKept = 200;
/** A lost serial port may need a moment to be closed; nobody waits longer for it. */
const leaveMs = 150;
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface MonitorOptions {
  targets: readonly Target[];
  view: 'screen' | 'plain' | 'json';
  reconnect: boolean;
  password: string | null;
  log: LogFile | null;
}

/** What the run stands in; tests hand in others. */
export interface MonitorSurroundings {
  output: NodeJS.WriteStream;
  input: NodeJS.ReadStream;
  environment: NodeJS.ProcessEnv;
  open: OpenPort;
  now: () => number;
  wallTimeMs: () => number;
}

/** The process's own streams, real ports, real clocks. */
export function ownSurroundings(): MonitorSurroundings {
  const { stdout, stdin, env } = process;
  return {
    ...{ output: stdout, input: stdin, environment: env, open: openConsolePort },
    now: () => performance.now(),
    wallTimeMs: () => Date.now(),
  };
}

/** Resolves with the process's exit code. */
export async function runMonitor(
  options: MonitorOptions,
  surroundings: MonitorSurroundings,
): Promise<number> {
  const session = new MonitorSession(options, surroundings);
  const onSignal = (signal: NodeJS.Signals): void => {
    session.end(signal === 'SIGINT' ? exitCodes.interrupted.code : exitCodes.terminated.code);
  };
  const crash = (error: Error): never => {
    session.close();
    process.stderr.write(`understudy: ${error.stack ?? String(error)}\n`);
    process.exit(exitCodes.internal.code);
  };
  for (const signal of endingSignals) process.on(signal, onSignal);
  process.on('uncaughtException', crash);
  try {
    return await session.run();
  } finally {
    session.close();
    for (const signal of endingSignals) process.off(signal, onSignal);
    process.off('uncaughtException', crash);
  }
}

class MonitorSession {
  readonly #options: MonitorOptions;
  readonly #surroundings: MonitorSurroundings;
  readonly #watch: PairWatch;
  readonly #lines: LineDriver[];
  readonly #keyboard = new Keyboard();
  readonly #noise: NoiseLine[] = [];
  readonly #ended = Promise.withResolvers<number>();
  readonly #timers: NodeJS.Timeout[] = [];
  #terminal: Terminal | null = null;
  #abilities: TerminalAbilities;
  #plain: PlainView | null = null;
  #json: JsonView | null = null;
  #page: Page = 'pins';
  #isHex = false;
  #isTimeOfDay = true;
  #scrolledEvents = 0;
  #notice = '';
  #noticeUntilMs = 0;
  #isClosed = false;

  constructor(options: MonitorOptions, surroundings: MonitorSurroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
    const { targets, reconnect, password, log } = options;
    this.#watch = new PairWatch(targets.map(({ label }) => label));
    this.#lines = targets.map((target, port) => {
      const { open, now } = surroundings;
      const onNews = (news: DriverNews, at: number): void => this.#news(port, news, at);
      return new LineDriver({ target, reconnect, password, open, now, onNews });
    });
    this.#abilities = terminalAbilities(surroundings.environment, surroundings.output.isTTY === true);
    this.#watch.onEvent = (event) => {
      this.#plain?.event(event);
      log?.line(this.#wallTimeOf(event.atMs), eventLine(event));
    };
    if (log !== null) log.onError = (text) => this.#tell(text);
  }

  #wallTimeOf(atMs: number): number {
    return this.#surroundings.wallTimeMs() - (this.#surroundings.now() - atMs);
  }

  async run(): Promise<number> {
    const { output, input } = this.#surroundings;
    const write = (text: string): void => void output.write(text);
    if (this.#options.view === 'json') {
      this.#json = new JsonView(write);
      this.#every(outlookIntervalMs, () => this.#json?.outlook(this.#model()));
    } else if (this.#options.view === 'plain' || !this.#abilities.canDraw) {
      this.#plain = new PlainView(write);
      this.#every(frameIntervalMs, () => this.#plain?.tick(this.#model()));
    } else {
      const keys = input.isTTY ? (input as ReadStream) : null;
      this.#terminal = new Terminal(output as WriteStream, keys, (key) => this.#press(key));
      this.#terminal.open();
      this.#every(frameIntervalMs, () => this.#draw());
      this.#every(journalIntervalMs, () => this.#askForTurns());
    }
    for (const line of this.#lines) line.input({ kind: 'begin' });
    return await this.#ended.promise;
  }

  #every(intervalMs: number, act: () => void): void {
    this.#timers.push(setInterval(act, intervalMs));
  }

  #model() {
    return this.#watch.model(this.#surroundings.now(), this.#surroundings.wallTimeMs());
  }

  #draw(): void {
    const terminal = this.#terminal;
    if (terminal === null) return;
    const { log } = this.#options;
    const model = this.#model();
    const view = {
      ...{ page: this.#page, isHex: this.#isHex, noise: this.#noise, mode: this.#keyboard.mode },
      ...{
        notice: model.atMs < this.#noticeUntilMs ? this.#notice : '',
        scrolledEvents: this.#scrolledEvents,
      },
      ...{ isTimeOfDay: this.#isTimeOfDay, logFile: log?.isOn === true ? log.path : null },
    };
    const { canDraw: _, ...output } = this.#abilities;
    terminal.show(drawMonitor(model, view, { ...terminal.size, ...output }));
  }

  /** Only where they are shown: each answer costs the board the reading of its journal's end. */
  #askForTurns(): void {
    if (this.#page !== 'turns' && (this.#terminal?.size.rows ?? 0) < 40) return;
    for (const line of this.#lines) {
      if (line.phase === 'live') {
        line.input({ kind: 'request', request: { command: `journal tail ${journalLines}` } });
      }
    }
  }

  // ---------------------------------------------------------------- what comes

  #news(port: number, news: DriverNews, now: number): void {
    // What it says when it is left is no news.
    if (this.#isClosed) return;
    const { label } = this.#options.targets[port]!;
    const wallTimeMs = this.#surroundings.wallTimeMs();
    switch (news.kind) {
      case 'phase':
        this.#watch.phase(now, port, news.phase, news.text);
        this.#json?.phase(now, wallTimeMs, this.#watch, port, news.text);
        if (
          news.phase === 'ended' &&
          !this.#isClosed &&
          this.#lines.every((line) => line.phase === 'ended')
        ) {
          this.end(exitCodes.console.code);
        }
        return;
      case 'item':
        this.#watch.item(now, port, news.item);
        this.#json?.item(now, wallTimeMs, label, news.item);
        return this.#answered(port, news.item);
      case 'round-trip':
        return this.#watch.roundTrip(news.board, news.sentAtMs, news.boardMs, news.receivedAtMs);
      case 'noise':
        this.#noise.push({ wallTimeMs, label, text: news.line });
        if (this.#noise.length > noiseKept) this.#noise.shift();
        this.#json?.noise(now, wallTimeMs, label, news.line);
        this.#options.log?.line(wallTimeMs, `- noise   ${label} ${news.line}`);
    }
  }

  /** What the user asked for, and what became of it. */
  #answered(port: number, item: ConsoleItem): void {
    const { board } = item;
    const who = `board ${board.toUpperCase()}`;
    const { board: expected, label } = this.#options.targets[port]!;
    if (item.kind === 'hello' && expected !== null && expected !== board) {
      this.#tell(`${label} is called board ${expected.toUpperCase()}, but ${who} speaks there.`);
    } else if (item.kind === 'confirm' && this.#terminal !== null)
      this.#keyboard.ask(board, `${who}: ${item.text}`);
    else if (item.kind === 'done') this.#tell(`${who}: ${item.text}`);
    else if (item.kind === 'error') this.#tell(`${who}: ${item.text}`);
    else if (item.kind === 'value') this.#tell(`${who}: ${item.name} = ${item.value}`);
    else if (item.kind === 'bundle') this.#tell(`${who}: ${item.path}, ${item.bytes} bytes`);
    else if (item.kind === 'version') this.#tell(`${who}: understudy ${item.version}, Node ${item.node}`);
    else if (item.kind === 'help')
      this.#tell(`${who}: ${item.commands.map(({ usage }) => usage).join(' | ')}`);
    else if (item.kind === 'report' && leadershipCodes.has(item.report.code)) {
      // Why it happened is on the page by the time someone looks.
      this.#send(board, { command: 'explain' });
    }
  }

  #tell(text: string): void {
    this.#notice = text;
    this.#noticeUntilMs = this.#surroundings.now() + noticeMs;
  }

  // ---------------------------------------------------------------- what is wanted

  #press(key: string): void {
    const context = {
      leader: this.#model().outlook.leader,
      reachable: boards.filter((board) => this.#watch.portOf(board) !== null),
      isLocked: this.#lines.some((line) => line.phase === 'locked'),
      page: this.#page,
    };
    for (const action of this.#keyboard.press(key, context)) this.#act(action);
    this.#draw();
  }

  #act(action: Action): void {
    const { log } = this.#options;
    switch (action.kind) {
      case 'quit':
        return this.end(exitCodes.ok.code);
      case 'redraw':
        return this.#terminal?.forget();
      case 'reconnect':
        for (const line of this.#lines) line.input({ kind: 'reconnect' });
        return;
      case 'log':
        return this.#tell(
          log === null
            ? 'No log file: begin with --log FILE.'
            : log.toggle()
              ? `log on: ${log.path}`
              : 'log off',
        );
      case 'hex':
        this.#isHex = !this.#isHex;
        this.#page = 'line';
        return;
      case 'timestamps':
        this.#isTimeOfDay = !this.#isTimeOfDay;
        return;
      case 'scroll':
        this.#scrolledEvents = Math.max(0, Math.min(500, this.#scrolledEvents + action.events));
        return;
      case 'page':
        this.#page = action.page;
        this.#askForTurns();
        return;
      case 'request':
        return this.#command(action.board, action.request);
      case 'login':
        for (const line of this.#lines) {
          if (line.phase === 'locked') line.input({ kind: 'login', password: action.password });
        }
        return;
      case 'notice':
        return this.#tell(action.text);
    }
  }

  #command(board: Board, request: ConsoleRequest): void {
    const now = this.#surroundings.now();
    const reason = request.reason === undefined ? '' : ` (${request.reason})`;
    this.#watch.note(
      now,
      'info',
      'COMMAND',
      `you to board ${board.toUpperCase()}: ${request.command}${reason}`,
    );
    this.#send(board, request);
  }

  #send(board: Board, request: ConsoleRequest): void {
    const port = this.#watch.portOf(board);
    if (port !== null) this.#lines[port]!.input({ kind: 'request', request });
  }

  // ---------------------------------------------------------------- the end

  end(exitCode: number): void {
    if (this.#isClosed) return;
    this.#plain?.tick(this.#model(), true);
    this.close();
    // The farewell is on its way to the ports.
    setTimeout(() => this.#ended.resolve(exitCode), leaveMs);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const line of this.#lines) line.input({ kind: 'leave' });
    this.#terminal?.close();
    this.#options.log?.close();
  }
}

/** Reports after which `explain` has something new to tell. */
const leadershipCodes = new Set([
  'PAIR_PRIMARY',
  'PAIR_SOLO',
  'PAIR_STEPPED_DOWN',
  'PEER_RED',
  'PROGRAM_FAULT',
]);
