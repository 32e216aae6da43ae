/** The three ways to watch: a live picture, lines, NDJSON. */
import type { ConsoleItem } from '../../firmware-host/console/console-schema.ts';
import { Telling } from '../dev/words.ts';
import type { MonitorModel } from './model.ts';
import type { TimelineEvent } from './timeline.ts';
import type { PairWatch } from './watch.ts';
import { bannerWords, budgetWords, takeoverWords, timeOfDay } from './words.ts';

const schema = 1;

/** One line of the log and of `--plain`, without its date. */
export function eventLine(event: TimelineEvent): string {
  const { level, code, text } = event.report;
  const who = event.source === 'monitor' ? '-' : event.source;
  return `${who} ${level.padEnd(7)} ${code} ${text}`;
}

/**
 * Events as lines, in the order in which they happened: each is kept back for `mergeDelayMs`, so that one of the other
 * board that happened before it can still come. What arrives later than that is printed late rather than lost.
 */
export class PlainView {
  static readonly mergeDelayMs = 300;
  readonly #write: (text: string) => void;
  readonly #telling = new Telling();
  #waiting: TimelineEvent[] = [];
  #state = '';

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  event(event: TimelineEvent): void {
    this.#waiting.push(event);
  }

  /** To be called a few times a second. */
  tick(model: MonitorModel, isLast = false): void {
    const dueMs = isLast ? Number.POSITIVE_INFINITY : model.atMs - PlainView.mergeDelayMs;
    const due = this.#waiting.filter((event) => event.atMs <= dueMs);
    this.#waiting = this.#waiting.filter((event) => event.atMs > dueMs);
    for (const event of due.toSorted((left, right) => left.atMs - right.atMs)) {
      const { source, atMs, report } = event;
      const { level, code, text } = report;
      const said = this.#telling.tell({
        atMs,
        source: source === 'monitor' ? 'rig' : source,
        level,
        code,
        text,
      });
      if (said === null) continue;
      const time = timeOfDay(model.wallTimeMs - (model.atMs - atMs));
      this.#write(`${time}  ${level === 'alarm' ? '!' : ' '} ${said.text}\n`);
    }
    this.#status(model);
  }

  /** Whenever it is another one. */
  #status(model: MonitorModel): void {
    if (model.atMs < PlainView.mergeDelayMs && model.outlook.budget === 'unknown') return;
    const state = `${bannerWords(model).text}. ${budgetWords(model).text}.`;
    if (state === this.#state) return;
    this.#state = state;
    this.#write(`${timeOfDay(model.wallTimeMs)}  = ${state} ${takeoverWords(model, true).text}\n`);
  }
}

/** Everything, for programs: docs/monitor.md has the fields. */
export class JsonView {
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  #line(kind: string, fields: Record<string, unknown>): void {
    this.#write(`${JSON.stringify({ schema, kind, ...fields })}\n`);
  }

  item(atMs: number, wallTimeMs: number, port: string, item: ConsoleItem): void {
    this.#line('item', { atMs, wallTimeMs, port, item });
  }

  noise(atMs: number, wallTimeMs: number, port: string, text: string): void {
    this.#line('noise', { atMs, wallTimeMs, port, text });
  }

  phase(atMs: number, wallTimeMs: number, watch: PairWatch, port: number, text: string): void {
    const { label, phase, board } = watch.ports[port]!;
    this.#line('port', { atMs, wallTimeMs, port: label, phase, board, text });
  }

  outlook(model: MonitorModel): void {
    const { atMs, wallTimeMs, outlook, betweenBoards, lastTakeoverMs, boards } = model;
    const side = ({
      isFresh,
      status,
      lagMs,
      clock,
      turnsPerSecond,
    }: MonitorModel['boards']['a']): unknown => ({
      ...{ isFresh, role: status?.role ?? null, term: status?.term ?? null, turns: status?.turns ?? null },
      ...{ lagTurns: status?.lagTurns ?? null, lagMs, clock, turnsPerSecond },
    });
    this.#line('outlook', {
      ...{ atMs, wallTimeMs, ...outlook, betweenBoards, lastTakeoverMs },
      boards: { a: side(boards.a), b: side(boards.b) },
    });
  }
}
