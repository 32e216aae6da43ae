/**
 * The monitor's picture: `drawMonitor` turns a model into lines, and nothing else.
 *
 *   title                              which consoles, what time
 *   PROTECTED / NOT PROTECTED          from across the room
 *   budget | if A died now ...         how far from a stop, how long a takeover would last
 *   board A        | board B           the same fact on the same row
 *   turns of both boards               the same turn on the same row (large screens; else a page)
 *   page           | what happened     both boards' events in one order
 *   notice or question, keys
 */
import { milliseconds, Telling } from '../dev/words.ts';
import { Canvas, type CanvasOutput, type Style, wrapped } from '../terminal/canvas.ts';
import { boardRows, drawBoardColumns } from './board-columns.ts';
import { drawDialog, keysWords, promptLine } from './dialogs.ts';
import type { Mode } from './keyboard.ts';
import type { MonitorModel } from './model.ts';
import { drawPage, drawTurns, type PageOptions, type Region } from './pages.ts';
import type { TimelineEvent } from './timeline.ts';
import { bannerWords, budgetWords, shortLabel, takeoverWords, timeOfDay } from './words.ts';

export interface MonitorView extends PageOptions {
  mode: Mode;
  notice: string;
  /** Events that lie below the lower edge. */
  scrolledEvents: number;
  /** Times of the events as time of day; otherwise how long ago. */
  isTimeOfDay: boolean;
  /** File that is written to just now. */
  logFile: string | null;
}

export interface ScreenOptions extends CanvasOutput {
  columns: number;
  rows: number;
}

export const columnsMin = 80;
export const rowsMin = 24;
const tallRows = 40;
const wideColumns = 120;

export function drawMonitor(model: MonitorModel, view: MonitorView, options: ScreenOptions): string[] {
  const { columns, rows, color, unicode } = options;
  const canvas = new Canvas(columns, rows);
  if (columns < columnsMin || rows < rowsMin) drawSmall(canvas, model, view);
  else drawFull(canvas, model, view);
  return canvas.toLines({ color, unicode });
}

/** Too small for the picture: what matters, as lines. */
function drawSmall(canvas: Canvas, model: MonitorModel, view: MonitorView): void {
  const [banner, budget, takeover] = [bannerWords(model), budgetWords(model), takeoverWords(model, false)];
  canvas.bar(0, banner.text, banner.style);
  canvas.text(0, 1, `${budget.text}. ${takeover.text}`, budget.style);
  canvas.text(0, 2, `(${columnsMin} x ${rowsMin} characters show the whole picture)`, 'dim');
  const events = saidEvents(model.events).slice(-Math.max(0, canvas.rows - 4));
  for (const [row, { text, style }] of events.entries()) canvas.text(0, 3 + row, text, style);
  if (canvas.rows > 4) drawFooter(canvas, canvas.rows - 1, view);
}

function drawFull(canvas: Canvas, model: MonitorModel, view: MonitorView): void {
  const { columns, rows } = canvas;
  const isTall = rows >= tallRows;
  drawHead(canvas, model, view);
  const top = 3 + boardRows(model, isTall);
  drawBoardColumns(canvas, 3, model, isTall);
  let below = top;
  if (isTall && view.page !== 'turns') {
    const height = Math.max(8, Math.floor((rows - top) / 3));
    canvas.box(0, top, columns, height, 'TURNS: the same turn on the same row');
    drawTurns(canvas, { x: 1, y: top + 1, width: columns - 2, height: height - 2 }, model);
    below += height;
  }
  const height = rows - 2 - below;
  // Pins are narrow; sentences and turns are not.
  const share = view.page === 'pins' ? 0.45 : 0.6;
  const pageWidth = Math.max(36, Math.min(view.page === 'pins' ? 76 : 120, Math.floor(columns * share)));
  const isSplit = isTall && view.page !== 'why';
  const pageHeight = isSplit ? height - (height >> 1) : height;
  drawPage(canvas, { x: 0, y: below, width: pageWidth, height: pageHeight }, model, view);
  if (isSplit) {
    const region = { x: 0, y: below + pageHeight, width: pageWidth, height: height - pageHeight };
    drawPage(canvas, region, model, { ...view, page: 'why' });
  }
  drawTimeline(canvas, { x: pageWidth, y: below, width: columns - pageWidth, height }, model, view);
  drawFooter(canvas, rows - 2, view);
  drawDialog(canvas, view.mode);
}

function drawHead(canvas: Canvas, model: MonitorModel, view: MonitorView): void {
  const { columns } = canvas;
  const clock = `${timeOfDay(model.wallTimeMs).slice(0, 8)} `;
  const labels = model.ports.map(
    ({ label, board }) =>
      `${board?.toUpperCase() ?? '?'}: ${shortLabel(label, columns < wideColumns ? 18 : 40)}`,
  );
  const log =
    view.logFile === null ? '' : `   log ${shortLabel(view.logFile, columns < wideColumns ? 12 : 40)}`;
  canvas.bar(0, ` UNDERSTUDY MONITOR   ${labels.join('   ')}${log}`, 'title');
  canvas.text(columns - clock.length - 1, 0, ` ${clock}`, 'title');
  const banner = bannerWords(model);
  canvas.bar(1, ` ${banner.text}`, banner.style);
  const budget = budgetWords(model);
  const isWide = columns >= wideColumns;
  const takeover = takeoverWords(model, isWide);
  canvas.text(1, 2, `${budget.text}.`, budget.style === 'plain' ? 'strong' : budget.style);
  let x = budget.text.length + 3;
  canvas.text(x, 2, takeover.text, takeover.style);
  x += takeover.text.length;
  const last = model.lastTakeoverMs === null ? '' : `  Last one: ${milliseconds(model.lastTakeoverMs)}.`;
  // On a banner of another colour than green, they are not said yet.
  const isSaid = banner.text.startsWith('PROTECTED');
  const weak = isSaid ? '' : model.outlook.weaknesses.map((each) => `  ${each}.`).join('');
  if (x + last.length < columns) canvas.text(x, 2, last, 'dim');
  if (isWide && x + last.length + 10 < columns) canvas.text(x + last.length, 2, weak, 'warning');
}

interface SaidEvent {
  event: TimelineEvent;
  text: string;
  style: Style;
}

/** In words, without what comes and goes all the time. */
function saidEvents(events: readonly TimelineEvent[]): SaidEvent[] {
  const telling = new Telling();
  return events.flatMap((event) => {
    const { source, atMs, report } = event;
    const { level, code, text } = report;
    const said = telling.tell({ atMs, source: source === 'monitor' ? 'rig' : source, level, code, text });
    if (said === null) return [];
    return [{ event, text: said.text, style: said.style }];
  });
}

function drawTimeline(canvas: Canvas, region: Region, model: MonitorModel, view: MonitorView): void {
  const { x, y, width, height } = region;
  const bound = model.betweenBoards;
  const clocks = bound === null ? '' : ` (clocks ±${milliseconds(bound.boundMs)})`;
  const scrolled = view.scrolledEvents > 0 ? ` -${view.scrolledEvents}` : '';
  canvas.box(x, y, width, height, `WHAT HAPPENED${clocks}${scrolled}`);
  const said = saidEvents(model.events);
  const end = Math.max(0, said.length - view.scrolledEvents);
  const timeWidth = view.isTimeOfDay ? (width >= 60 ? 13 : 10) : 9;
  const inner = width - 4 - timeWidth;
  const lines: { time: string; mark: string; text: string; style: Style }[] = [];
  for (let index = end - 1; index >= 0 && lines.length < height; index--) {
    const { event, text, style } = said[index]!;
    const parts = wrapped(text, inner).slice(0, 3);
    const time = eventTime(event, model, view.isTimeOfDay, timeWidth);
    const mark = event.isOrderUncertain ? '~' : ' ';
    lines.unshift(
      ...parts.map((part, row) => ({
        time: row === 0 ? time : '',
        mark: row === 0 ? mark : ' ',
        text: part,
        style,
      })),
    );
  }
  for (const [row, line] of lines.slice(-(height - 2)).entries()) {
    canvas.text(x + 1, y + 1 + row, line.time, 'dim');
    canvas.text(x + 1 + timeWidth, y + 1 + row, line.mark, 'dim');
    canvas.text(x + 2 + timeWidth, y + 1 + row, line.text, line.style, inner);
  }
}

function eventTime(event: TimelineEvent, model: MonitorModel, isTimeOfDay: boolean, width: number): string {
  const agoMs = Math.max(0, model.atMs - event.atMs);
  // Narrow: without the hours, which the title has.
  if (isTimeOfDay) return timeOfDay(model.wallTimeMs - agoMs).slice(1 - width);
  const seconds = agoMs / 1000;
  const text =
    seconds < 100
      ? `${seconds.toFixed(1)} s`
      : seconds < 6000
        ? `${Math.round(seconds / 60)} min`
        : `${Math.round(seconds / 3600)} h`;
  return `-${text}`.padStart(width - 1);
}

function drawFooter(canvas: Canvas, y: number, view: MonitorView): void {
  const { columns } = canvas;
  const line = promptLine(view.mode);
  if (line !== null) canvas.bar(y, ` ${line}`, 'banner-warning');
  else if (view.notice !== '') canvas.text(1, y, view.notice, 'strong', columns - 2);
  if (y + 1 < canvas.rows) canvas.text(1, y + 1, keysWords(view.mode, columns), 'dim', columns - 2);
}
