/**
 * Puts together what the consoles say: one picture of a pair from up to two lines. Pure: items and times are inputs.
 *
 * Items are told apart by the board that speaks, not by the port: cables get swapped, and a monitor that believed its
 * command line would then show the boards the wrong way round.
 */
import type {
  ConsoleItem,
  EventOnConsole,
  Incident,
  JournalLine,
  StatusOnConsole,
} from '../../firmware-host/console/console-schema.ts';
import type { AttachmentPhase } from './attachment.ts';
import { betweenBoards, ClockOffset, SharedTurns } from './clock-offset.ts';
import {
  type Board,
  type BoardColumn,
  boards,
  type MonitorModel,
  otherBoard,
  type PortPicture,
} from './model.ts';
import { type BoardView, outlookOf } from './outlook.ts';
import { TakeoverTimes } from './takeover-times.ts';
import { Timeline, type TimelineEvent } from './timeline.ts';
import { lagMs, TurnHistory } from './turn-history.ts';
import { shortLabel } from './words.ts';

const samplesKept = 160;
/** Older than this, a status says what was. Several of them fit in, also on a slow line. */
const freshMsLeast = 1000;

type Hello = Extract<ConsoleItem, { kind: 'hello' }>;

class BoardWatch {
  hello: Hello | null = null;
  status: StatusOnConsole | null = null;
  statusAtMs = Number.NEGATIVE_INFINITY;
  lagMs: number | null = null;
  journal: readonly JournalLine[] = [];
  incident: Incident | null = null;
  readonly turns = new TurnHistory();
  readonly arrivals: Record<string, number[]> = {};
  readonly #received = new Map<string, number>();

  sample(status: StatusOnConsole, isAnswer: boolean): void {
    for (const { name, received } of status.links) {
      const before = this.#received.get(name);
      // Answers come between the regular ones: their samples would be shorter than the others.
      if (isAnswer && this.arrivals[name] !== undefined && this.hello?.statusIntervalMs !== 0) continue;
      this.#received.set(name, received);
      this.arrivals[name] ??= [];
      const samples = this.arrivals[name];
      if (before !== undefined) samples.push(Math.max(0, received - before));
      if (samples.length > samplesKept) samples.shift();
    }
  }
}

export class PairWatch {
  readonly #ports: PortPicture[];
  /** Why each port could not be opened, as it was told last. */
  readonly #refusals: string[] = [];
  readonly #clocks = { a: new ClockOffset(), b: new ClockOffset() };
  readonly #shared = new SharedTurns();
  readonly #boards = { a: new BoardWatch(), b: new BoardWatch() };
  readonly #timeline = new Timeline(this.#clocks);
  readonly #times = new TakeoverTimes();
  /** For every event, as soon as it is known. */
  onEvent: (event: TimelineEvent) => void = () => {};

  constructor(labels: readonly string[]) {
    this.#ports = labels.map((label) => ({ label, phase: 'waiting', text: '', board: null }));
  }

  get ports(): readonly PortPicture[] {
    return this.#ports;
  }

  phase(now: number, port: number, phase: AttachmentPhase, text: string): void {
    const picture = this.#ports[port]!;
    const before = picture.phase;
    Object.assign(picture, { phase, text });
    if (phase === 'live') {
      this.#refusals[port] = '';
      this.note(now, 'info', 'PORT_ATTACHED', `${shortLabel(picture.label)}: attached`);
    } else if ((before === 'live' && phase !== 'opening') || phase === 'locked') {
      this.note(now, 'warning', 'PORT_LOST', `${shortLabel(picture.label)}: ${text}`);
    } else if ((phase === 'waiting' || phase === 'ended') && this.#refusals[port] !== text) {
      // Told once, not at every attempt.
      this.#refusals[port] = text;
      this.note(now, 'warning', 'PORT_REFUSED', `${shortLabel(picture.label)}: ${text}`);
    }
  }

  note(now: number, level: 'info' | 'warning' | 'alarm', code: string, text: string): void {
    const event = this.#timeline.note(now, level, code, text);
    this.onEvent(event);
  }

  roundTrip(board: Board, sentAtMs: number, boardMs: number, receivedAtMs: number): void {
    const clock = this.#clocks[board];
    const { epoch } = clock;
    clock.roundTrip(sentAtMs, boardMs, receivedAtMs);
    if (clock.epoch !== epoch) this.#shared.forget();
  }

  item(now: number, port: number, item: ConsoleItem): void {
    const picture = this.#ports[port]!;
    picture.board = item.board;
    const watch = this.#boards[item.board];
    if (item.answers === undefined) this.#clocks[item.board].heard(item.monotonicMs, now);
    switch (item.kind) {
      case 'hello':
        watch.hello = item;
        break;
      case 'status':
        this.#status(now, item.board, item, item.monotonicMs, item.answers !== undefined);
        break;
      case 'report':
        this.#event(item.board, item);
        break;
      case 'events':
        for (const event of item.events) this.#event(item.board, event);
        break;
      case 'journal':
        watch.journal = item.lines;
        break;
      case 'explain':
        watch.incident = item.incident;
        break;
      case 'dropped':
        this.note(
          now,
          'warning',
          'ITEMS_DROPPED',
          `${shortLabel(picture.label)}: the line is too slow, ${item.items} items left out`,
        );
        break;
    }
  }

  #event(board: Board, event: EventOnConsole): void {
    const told = this.#timeline.add(board, event);
    if (told === null) return;
    this.#times.add(board, event);
    this.onEvent(told);
  }

  #status(now: number, board: Board, status: StatusOnConsole, boardMs: number, isAnswer: boolean): void {
    const watch = this.#boards[board];
    watch.status = status;
    watch.statusAtMs = now;
    watch.sample(status, isAnswer);
    const { historyId, role, turns, releasedTurns } = status;
    const atMs = this.#clocks[board].ours(boardMs);
    watch.turns.add(atMs, turns, historyId);
    this.#shared.status(board, {
      boardMs,
      historyId,
      role,
      protected: status.protected,
      turns,
      releasedTurns,
    });
    const leader = this.#boards[otherBoard(board)];
    const follows = role === 'backup' || role === 'joining';
    const isSameHistory = historyId !== null && leader.turns.historyId === historyId;
    // The primary's own measure needs no clock but its own.
    const told = leader.status?.role === 'primary' ? leader.status.lagMs : null;
    watch.lagMs = follows && isSameHistory ? (told ?? lagMs(leader.turns, status.executedTurns, atMs)) : null;
  }

  /** The console that is told what is to happen to the pair: the leader's, or the only one there is. */
  portOf(board: Board): number | null {
    const port = this.#ports.findIndex((each) => each.board === board && each.phase === 'live');
    return port < 0 ? null : port;
  }

  model(now: number, wallTimeMs: number): MonitorModel {
    const clocks = { a: this.#clocks.a.at(now), b: this.#clocks.b.at(now) };
    const between = betweenBoards(clocks.a, clocks.b, this.#shared);
    const columns = { a: this.#column(now, 'a'), b: this.#column(now, 'b') };
    return {
      ...{ atMs: now, wallTimeMs, ports: this.#ports, boards: columns },
      outlook: outlookOf({ a: this.#view(columns.a), b: this.#view(columns.b) }, this.#times.claimsMs),
      lastTakeoverMs: this.#times.lastTakeoverMs,
      betweenBoards: between,
      events: this.#timeline.events(between?.boundMs ?? null),
    };
  }

  #column(now: number, board: Board): BoardColumn {
    const watch = this.#boards[board];
    const port = this.#ports.findLast((each) => each.board === board) ?? null;
    const intervalMs = Math.max(watch.hello?.statusIntervalMs ?? 0, 0);
    const ageMs = watch.status === null ? null : now - watch.statusAtMs;
    return {
      port,
      status: watch.status,
      isFresh: port?.phase === 'live' && ageMs !== null && ageMs <= Math.max(freshMsLeast, 3 * intervalMs),
      statusAgeMs: ageMs,
      version: watch.hello?.version ?? null,
      program: watch.hello?.program ?? null,
      turnsPerSecond: watch.turns.turnsPerSecond,
      lagMs: watch.lagMs,
      arrivals: watch.arrivals,
      clock: this.#clocks[board].at(now),
      journal: watch.journal,
      incident: watch.incident,
    };
  }

  #view(column: BoardColumn): BoardView | null {
    if (column.status === null || !column.isFresh) return null;
    const board = boards.find((each) => this.#boards[each].status === column.status)!;
    return { status: column.status, timing: this.#boards[board].hello?.timing ?? null, lagMs: column.lagMs };
  }
}
