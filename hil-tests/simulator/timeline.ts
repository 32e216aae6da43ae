/**
 * What happened in a life, side by side: time, board a, board b, the links, the devices. For reading, so it holds what
 * turns a story: faults, processes, roles, reports, attaches, sessions, the first output of each reign. Heartbeats,
 * turns and bytes are thousands and are left out.
 */

import type { BoardName, Fault } from './fault.ts';
import { faultText } from './fault-text.ts';
import type { Observed } from './observation.ts';

export type Column = BoardName | 'links' | 'device';

export interface TimelineRow {
  /** Milliseconds of virtual time. */
  at: number;
  column: Column;
  text: string;
  /** Faults and roles are shown however far from the violation they are. */
  isLandmark: boolean;
}

export interface TimelineWindow {
  at: number;
  /** The line that marks the moment. */
  mark: string;
  rowsBefore: number;
  rowsAfter: number;
}

const columns: readonly { name: Column; width: number }[] = [
  { name: 'a', width: 38 },
  { name: 'b', width: 38 },
  { name: 'links', width: 32 },
  { name: 'device', width: 32 },
];
const timeWidth = 11;
/** Landmarks outside the window: with more than these, only the nearest to it are shown. */
const landmarksMax = 60;

export function timelineRows(observed: Iterable<Observed>): TimelineRow[] {
  const story = new Story();
  for (const each of observed) story.tell(each);
  return story.rows;
}

class Story {
  readonly rows: TimelineRow[] = [];
  /** What was told last of a board or device, so that only news makes a row. */
  readonly #last = new Map<string, string>();

  tell(observed: Observed): void {
    switch (observed.kind) {
      case 'fault':
        this.#tellFault(observed.at, observed.phase, observed.fault);
        return;
      case 'board-up': {
        const journal =
          observed.historyId === null
            ? 'no journal'
            : `${observed.turns} turns of ${shortId(observed.historyId)}`;
        this.#row(observed.at, observed.board, `process ${observed.process} begins with ${journal}`);
        return;
      }
      case 'board-down':
        this.#row(observed.at, observed.board, `down: ${observed.exit ?? observed.cause}`);
        return;
      case 'report': {
        const { level, code, text } = observed.report;
        this.#row(observed.at, observed.board, `${level === 'alarm' ? '! ' : ''}${code} ${text}`);
        return;
      }
      case 'role':
        this.#tellRole(observed);
        return;
      case 'forged':
        if (observed.changed.length > 0) {
          const changed = observed.changed.join(', ');
          this.#row(
            observed.at,
            'links',
            `forged (${observed.how}), and ${observed.board} changed: ${changed}`,
          );
        }
        return;
      case 'device-attached':
      case 'device-released':
      case 'device-session':
      case 'device-safe':
      case 'device-output':
      case 'device-stale':
      case 'device-input-lost':
        this.#tellDevice(observed);
        return;
      case 'status':
      case 'heard':
      case 'stored':
      case 'durable':
      case 'turn':
      case 'device-input':
        return;
    }
  }

  #tellFault(at: number, phase: 'begins' | 'ends', fault: Fault): void {
    const mark = 'until' in fault ? (phase === 'begins' ? '[ ' : '] end: ') : '* ';
    this.#row(at, columnOf(fault), `${mark}${faultText(fault)}`, true);
  }

  #tellRole({ at, board, status }: Extract<Observed, { kind: 'role' }>): void {
    const { role, term, historyId, turns } = status;
    // A replica alone is only worth a word in those who lead.
    const cover = role === 'primary' ? (status.protected ? ', protected' : ', solo') : '';
    const news = `${role}, term ${term}${cover}, ${historyId === null ? 'no history' : shortId(historyId)}`;
    if (this.#isNews(`role ${board}`, news)) this.#row(at, board, `= ${news}, turn ${turns}`, true);
  }

  #tellDevice(observed: Extract<Observed, { device: number }>): void {
    const { at, device } = observed;
    const tell = (text: string): void => this.#row(at, 'device', `${device}: ${text}`);
    switch (observed.kind) {
      case 'device-attached':
        tell(`follows ${observed.board}, term ${observed.term}, session ${observed.session}`);
        return;
      case 'device-released':
        tell(`released by ${observed.board}, term ${observed.term}`);
        return;
      case 'device-session':
        tell(`session ${observed.session} begins`);
        return;
      case 'device-safe':
        tell('safe state');
        this.#last.delete(`output ${device}`);
        return;
      case 'device-output': {
        const source = `${observed.board}, term ${observed.term}, session ${observed.session}`;
        if (this.#isNews(`output ${device}`, source)) {
          tell(`first output of ${source}, from byte ${observed.offset}`);
        }
        return;
      }
      case 'device-stale': {
        const source = `${observed.board}, term ${observed.term}`;
        if (this.#isNews(`stale ${device}`, source)) tell(`rejects output of ${source}: stale`);
        return;
      }
      case 'device-input-lost':
        tell(`${observed.bytes} bytes of input lost`);
        return;
      case 'device-input':
        return;
    }
  }

  #isNews(topic: string, text: string): boolean {
    if (this.#last.get(topic) === text) return false;
    this.#last.set(topic, text);
    return true;
  }

  #row(at: number, column: Column, text: string, isLandmark = false): void {
    this.rows.push({ at, column, text: text.replaceAll(/\s+/g, ' ').trim(), isLandmark });
  }
}

function columnOf(fault: Fault): Column {
  if ('link' in fault) return 'links';
  return 'device' in fault ? 'device' : fault.board;
}

/** Ids are 128 bits in hex; their beginning tells them apart. */
const shortId = (id: string): string => id.slice(0, 8);

/** Lines of text, header first; what is left out is counted where it would have stood. */
export function renderTimeline(rows: readonly TimelineRow[], window: TimelineWindow): string[] {
  const firstAfter = rows.findIndex(({ at }) => at > window.at);
  const middle = firstAfter === -1 ? rows.length : firstAfter;
  const isInWindow = (index: number): boolean =>
    index >= middle - window.rowsBefore && index < middle + window.rowsAfter;
  const landmarks = rows.keys().filter((index) => rows[index]!.isLandmark && !isInWindow(index));
  const near = new Set(
    [...landmarks]
      .toSorted((left, right) => Math.abs(left - middle) - Math.abs(right - middle))
      .slice(0, landmarksMax),
  );
  const lines = [
    cells('time ms', Object.fromEntries(columns.map(({ name }) => [name, [columnTitle[name]]]))),
    '-'.repeat(timeWidth + columns.reduce((sum, { width }) => sum + width + 2, 0)),
  ].flat();
  let elided = 0;
  const flush = (): void => {
    if (elided > 0)
      lines.push(`${'...'.padStart(timeWidth)}  ${elided} more ${elided === 1 ? 'row' : 'rows'}`);
    elided = 0;
  };
  for (const [index, row] of rows.entries()) {
    if (index === middle) {
      flush();
      lines.push(markLine(window));
    }
    if (!isInWindow(index) && !near.has(index)) {
      elided++;
      continue;
    }
    flush();
    lines.push(...cells(row.at.toFixed(1), { [row.column]: wrapped(row.text, widthOf(row.column)) }));
  }
  flush();
  if (middle === rows.length) lines.push(markLine(window));
  return lines;
}

const columnTitle: Record<Column, string> = {
  a: 'board a',
  b: 'board b',
  links: 'links',
  device: 'device',
};

function markLine({ at, mark }: TimelineWindow): string {
  return `${at.toFixed(1).padStart(timeWidth)}  >>> ${mark.split('\n')[0]}`;
}

function widthOf(column: Column): number {
  return columns.find(({ name }) => name === column)!.width;
}

/** One row of the table, as high as its highest cell. */
function cells(time: string, contents: Partial<Record<Column, string[]>>): string[] {
  const height = Math.max(1, ...Object.values(contents).map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) => {
    const words = columns.map(({ name, width }) => (contents[name]?.[line] ?? '').padEnd(width));
    return [(line === 0 ? time : '').padStart(timeWidth), ...words].join('  ').trimEnd();
  });
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => each.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [])) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
