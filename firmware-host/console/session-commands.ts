/** The commands that show something, and the orders: what each answers. The session decides which one was meant. */
import type { OperatorCommand } from '../supervisor/effects.ts';
import { type CommandEntry, type CommandLine, commandNamed, commands, logLevels } from './command-line.ts';
import type { Confirmation } from './confirmation.ts';
import { columnLines, helpLines } from './console-text.ts';
import type { SessionLine } from './session-line.ts';
import { valuesOf } from './status-values.ts';
import { type WatchedValues, watchesMax, watchIntervalMs } from './watched-values.ts';

const countDefault = 20;
const countMax = 1000;

export class SessionCommands {
  readonly #line: SessionLine;
  readonly #watched: WatchedValues;
  readonly #confirmation: Confirmation;

  constructor(line: SessionLine, parts: { watched: WatchedValues; confirmation: Confirmation }) {
    this.#line = line;
    this.#watched = parts.watched;
    this.#confirmation = parts.confirmation;
  }

  /** Returns false when the command is none of those that are answered here. */
  run(entry: CommandEntry, given: CommandLine): boolean {
    const line = this.#line;
    const word = given.words[1] ?? null;
    switch (entry.name) {
      case 'status':
        line.tell({ kind: 'status', ...line.board.status() });
        return true;
      case 'links':
        line.tell({ kind: 'links', links: line.board.status().links });
        return true;
      case 'devices':
        line.tell({ kind: 'devices', devices: line.board.status().devices });
        return true;
      case 'events': {
        const count = this.#count(entry, word);
        if (count !== null) line.tell({ kind: 'events', events: line.board.events(count) });
        return true;
      }
      case 'version': {
        const { version, node, programHash } = line.board;
        line.tell({ kind: 'version', version, node, programHash });
        return true;
      }
      case 'journal':
        this.#journal(entry, given);
        return true;
      case 'explain':
        this.#explain(entry, word);
        return true;
      case 'watch':
        this.#watch(entry, given);
        return true;
      case 'log':
        this.#log(entry, given);
        return true;
      case 'bundle':
        this.#bundle();
        return true;
      case 'help':
        this.#help(entry, word);
        return true;
      default:
        return false;
    }
  }

  #count(entry: CommandEntry, word: string | null): number | null {
    if (word === null) return countDefault;
    const count = /^\d{1,6}$/.test(word) ? Number(word) : 0;
    if (count >= 1 && count <= countMax) return count;
    this.#line.usage(entry, `N must be 1..${countMax} (got ${JSON.stringify(word.slice(0, 20))})`);
    return null;
  }

  #journal(entry: CommandEntry, given: CommandLine): void {
    if (given.words[1] !== 'tail') {
      return this.#line.usage(entry, 'its tail is shown here, all of it by `understudy journal show`');
    }
    const count = this.#count(entry, given.words[2] ?? null);
    if (count !== null) this.#line.tell({ kind: 'journal', lines: this.#line.board.journalTail(count) });
  }

  #explain(entry: CommandEntry, word: string | null): void {
    const incidents = this.#line.board.incidents();
    let index = 1;
    if (word === 'takeover') {
      index = 1 + incidents.findIndex(({ outcome }) => outcome === 'takeover' || outcome === 'switchover');
    } else if (word !== null) {
      const count = this.#count(entry, word);
      if (count === null) return;
      index = count;
    }
    const incident = incidents[index - 1] ?? null;
    this.#line.tell({ kind: 'explain', incident, index, count: incidents.length });
  }

  #help(entry: CommandEntry, name: string | null): void {
    const shown = name === null ? null : commandNamed(name);
    if (name !== null && shown === null)
      return this.#line.usage(entry, `${JSON.stringify(name.slice(0, 20))} is no command`);
    if (this.#line.mode === 'text') return this.#line.lines(helpLines(shown?.name ?? null));
    const list = commands.filter((each) => shown === null || each === shown);
    this.#line.tell({ kind: 'help', commands: list.map(({ usage, text }) => ({ usage, text })) });
  }

  #bundle(): void {
    const line = this.#line;
    line.wait();
    line.board.writeBundle((result) => {
      if ('fault' in result) line.error('COMMAND_FAILED', `the bundle was not written: ${result.fault}`);
      else line.tell({ kind: 'bundle', ...result });
      line.goOn();
    });
  }

  #watch(entry: CommandEntry, given: CommandLine): void {
    const line = this.#line;
    const name = given.words[1] ?? null;
    const values = valuesOf(line.board.status());
    if (name === null) {
      if (line.mode === 'text') return line.lines(columnLines([...values.keys()]));
      for (const [each, value] of values) line.tell({ kind: 'value', name: each, value });
      return;
    }
    if (name === 'off') {
      this.#watched.clear();
      return line.tell({ kind: 'done', command: 'watch', text: 'nothing is watched' });
    }
    if (!values.has(name)) return line.usage(entry, `there is no value ${JSON.stringify(name.slice(0, 60))}`);
    const { least, most } = watchIntervalMs;
    const every = given.options.get('--every') ?? String(least);
    const everyMs = /^\d{1,7}$/.test(every) ? Number(every) : 0;
    if (everyMs < least || everyMs > most) return line.usage(entry, `--every must be ${least}..${most} ms`);
    if (!this.#watched.add(name, everyMs))
      line.usage(entry, `at most ${watchesMax} values can be watched: watch off`);
  }

  #log(entry: CommandEntry, given: CommandLine): void {
    const line = this.#line;
    const level = logLevels.find((each) => each === given.words[1]);
    if (level === undefined) return line.usage(entry, `LEVEL must be one of: ${logLevels.join(', ')}`);
    if (!given.options.has('--board')) {
      line.logLevel = level;
      return line.tell({ kind: 'done', command: 'log', text: `reports on this line: ${level}` });
    }
    if (level === 'off') return line.usage(entry, 'the board’s own log cannot be off');
    const reason = given.reason ?? '';
    if (reason === '') return line.usage(entry, 'a reason is needed: --reason TEXT');
    const text = `The board’s log tells ${level} and worse from here on.`;
    this.#confirmation.ask({ command: entry.name, text, yes: given.yes }, () => {
      line.board.setLogLevel(level, reason, line.name);
      line.tell({ kind: 'done', command: 'log', text: `the board’s log: ${level}` });
    });
  }

  /** What changes the pair: with a reason, after a confirmation. */
  order(entry: CommandEntry, given: CommandLine): void {
    const line = this.#line;
    const command = entry.name as OperatorCommand;
    const reason = given.reason ?? '';
    const extra = given.words[1];
    if (extra !== undefined) {
      return line.usage(entry, `${JSON.stringify(extra.slice(0, 20))} is one word too many`);
    }
    if (reason === '') return line.usage(entry, 'a reason is needed: --reason TEXT');
    const text = consequenceOf(command, line.board.board);
    this.#confirmation.ask({ command, text, yes: given.yes }, () => {
      const reports = line.board.order(command, reason, line.name);
      const refused = reports.find(({ code }) => code.endsWith('_REFUSED'));
      if (refused !== undefined) return line.error('COMMAND_REFUSED', refused.text);
      line.tell({ kind: 'done', command, text: `${command} is ordered; events tell what becomes of it` });
    });
  }
}

function consequenceOf(command: OperatorCommand, board: 'a' | 'b'): string {
  switch (command) {
    case 'switchover':
      return 'The backup leads from here on, and the primary becomes the backup.';
    case 'isolate':
      return `Board ${board} leaves the pair: until join, the next failure of the other board stops the program.`;
    case 'join':
      return `Board ${board} is part of the pair again.`;
    case 'safe':
      return (
        'The program stops on both boards, and every fenced device goes to its safe state when its hold time is over. ' +
        'Both boards end, and stay ended until somebody starts them.'
      );
    case 'lead':
      return `Board ${board} leads without the other one. What only the other one knows is lost.`;
  }
}
