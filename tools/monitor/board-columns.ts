/** The upper half: both boards side by side, the same fact on the same row. */
import { grouped, milliseconds } from '../dev/words.ts';
import type { Canvas, Style } from '../terminal/canvas.ts';
import { sparkline } from '../terminal/sparkline.ts';
import type { Board, BoardColumn, MonitorModel } from './model.ts';
import { boards, otherBoard } from './model.ts';
import { columnTitle, lagWords, linkErrors, portWords, type Said, verdictStyle } from './words.ts';

interface Row extends Said {
  /** Drawn at the right end, as wide as there is room. */
  samples?: readonly number[];
}

/** Wide enough for the bytes and the kinds of error beside the counts. */
const wideColumns = 70;

export function boardRows(model: MonitorModel, isTall: boolean): number {
  return 2 + Math.max(...boards.map((board) => rowsOf(board, model, 36, isTall).length));
}

export function drawBoardColumns(canvas: Canvas, y: number, model: MonitorModel, isTall: boolean): void {
  const height = boardRows(model, isTall);
  const half = canvas.columns >> 1;
  for (const board of boards) {
    const x = board === 'a' ? 0 : half;
    const width = board === 'a' ? half : canvas.columns - half;
    const column = model.boards[board];
    const title = columnTitle(board, column);
    const isLeader = model.outlook.leader === board && column.isFresh;
    canvas.box(x, y, width, height, '', isLeader ? 'good' : 'dim');
    canvas.text(x + 2, y, ` ${title.text} `, title.style === 'plain' ? 'strong' : title.style, width - 4);
    const rows = rowsOf(board, model, width - 4, isTall);
    for (const [index, row] of rows.entries()) drawRow(canvas, x + 2, y + 1 + index, width - 4, row);
  }
}

function drawRow(canvas: Canvas, x: number, y: number, width: number, row: Row): void {
  canvas.text(x, y, row.text, row.style, width);
  if (row.samples === undefined) return;
  const room = Math.min(60, width - row.text.length - 2);
  if (room < 4) return;
  const spark = sparkline(row.samples, room);
  canvas.text(x + width - spark.length, y, spark, row.style === 'plain' ? 'good' : row.style);
}

/** The same number of rows for both boards, whatever is known of them. */
function rowsOf(board: Board, model: MonitorModel, width: number, isTall: boolean): Row[] {
  const column = model.boards[board];
  const { status } = column;
  const names = linkNames(model);
  const devices = deviceNames(model);
  const port = portWords(column.port, width < wideColumns ? 16 : 40);
  const rows: Row[] =
    status === null
      ? Array.from({ length: 3 + names.length + devices.length }, () => ({ text: '', style: 'plain' }))
      : [
          turnRow(column, width),
          lagWords(board, column),
          hearsRow(board, column, width),
          ...names.map((name) => linkRow(name, column, width)),
          ...devices.map((name) => deviceRow(name, column, width)),
        ];
  if (isTall) rows.push(...detailRows(column));
  const age =
    column.isFresh || column.statusAgeMs === null ? '' : ` (heard ${milliseconds(column.statusAgeMs)} ago)`;
  rows.push({ text: `${port.text}${age}`, style: port.style });
  // What was is not what is: only the console's row keeps its colour.
  if (!column.isFresh) {
    for (const row of rows.slice(0, -1)) {
      row.style = 'dim';
      delete row.samples;
    }
  }
  return rows;
}

function linkNames(model: MonitorModel): string[] {
  return [
    ...new Set(boards.flatMap((board) => model.boards[board].status?.links.map(({ name }) => name) ?? [])),
  ];
}

function deviceNames(model: MonitorModel): string[] {
  const names = boards.flatMap((board) => model.boards[board].status?.devices.map(({ name }) => name) ?? []);
  // More than three would push the rest off a small screen; the page of pins has them all.
  return [...new Set(names)].slice(0, 3);
}

function turnRow({ status, turnsPerSecond }: BoardColumn, width: number): Row {
  const { term, turns, divergences } = status!;
  if (divergences > 0) return { text: `term ${term}   DIVERGED ${divergences} times`, style: 'bad' };
  const rate = turnsPerSecond === null || width < 30 ? '' : `   ${Math.round(turnsPerSecond)}/s`;
  return { text: `term ${term}   turn ${grouped(turns)}${rate}`, style: 'plain' };
}

function hearsRow(board: Board, { status, arrivals }: BoardColumn, width: number): Row {
  const { verdict, silentForMs } = status!;
  const other = otherBoard(board).toUpperCase();
  if (silentForMs === null) return { text: `hears  board ${other} never yet`, style: 'warning' };
  const text =
    verdict === 'red'
      ? `hears  board ${other} NOT for ${milliseconds(silentForMs)}`
      : `hears  board ${other} ${milliseconds(silentForMs)} ago`;
  const row: Row = { text, style: verdictStyle(verdict) };
  // Where there is no room for a line a link, one for all of them.
  if (width < wideColumns) row.samples = sumOf(Object.values(arrivals));
  return row;
}

/** Sample by sample, the newest at the end. */
function sumOf(rows: readonly (readonly number[])[]): number[] {
  const length = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length }, (_, index) =>
    rows.reduce((sum, row) => sum + (row[row.length - length + index] ?? 0), 0),
  );
}

function linkRow(name: string, column: BoardColumn, width: number): Row {
  const link = column.status!.links.find((each) => each.name === name);
  if (link === undefined) return { text: `${name}  none`, style: 'dim' };
  const errors = linkErrors(link.discarded);
  const isSilent = link.silentForMs === null || link.silentForMs > 500;
  const time = isSilent ? 'SILENT' : link.roundTripMs === null ? '-' : milliseconds(link.roundTripMs);
  let text = `${name.padEnd(8)} ${time.padEnd(7)} ${errors} bad ${link.retransmitted} again`;
  if (width >= wideColumns) {
    const kinds = Object.entries(link.discarded)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `${reason} ${count}`);
    const kilobytes = (bytes: number): string => `${grouped(Math.round(bytes / 1000))} kB`;
    text += `  ${link.duplicates} twice  out ${kilobytes(link.bytesSent)}  in ${kilobytes(link.bytesReceived)}`;
    if (kinds.length > 0) text += `  (${kinds.join(', ')})`;
  }
  const row: Row = { text, style: isSilent ? 'bad' : 'plain' };
  if (width >= wideColumns) row.samples = column.arrivals[name] ?? [];
  return row;
}

function deviceRow(name: string, column: BoardColumn, width: number): Row {
  const device = column.status!.devices.find((each) => each.name === name);
  if (device === undefined) return { text: `${name}  none`, style: 'dim' };
  const waiting = device.produced - device.confirmed;
  const short = name.replace(/^\/dev\//, '');
  if (!device.open) return { text: `${short}  NOT CONNECTED`, style: 'bad' };
  let text = `${short}  ${device.attached ? 'obeys this board' : 'connected, waits'}`;
  // A few bytes are always on the way.
  const worthSaying = width >= wideColumns ? 1 : 64;
  if (device.attached && waiting >= worthSaying) text += `, ${grouped(waiting)} B on the way`;
  if (width >= wideColumns) text += `   out ${grouped(device.confirmed)} B  in ${grouped(device.inputs)} B`;
  const style: Style = device.inputsLost > 0 ? 'warning' : 'plain';
  if (device.inputsLost > 0) text += `, ${device.inputsLost} B of input LOST`;
  return { text, style };
}

function detailRows(column: BoardColumn): Row[] {
  const { clock, version, program } = column;
  const offset =
    clock === null
      ? 'clock    not measured yet'
      : `clock    ${Math.round(clock.offsetMs).toLocaleString('en')} ms ahead of ours, within ${milliseconds(clock.boundMs)}`;
  return [
    {
      text: program === null ? '' : `program  ${program.split('/').at(-1)}   understudy ${version}`,
      style: 'plain',
    },
    { text: offset, style: 'plain' },
  ];
}
