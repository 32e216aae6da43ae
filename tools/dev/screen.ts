/**
 * The live picture of a pair: `drawScreen` turns a model into lines, and nothing else.
 *
 *   title                          what runs, for how long
 *   PROTECTED / NOT PROTECTED      the one thing that must be understood from across the room
 *   board A ==cables== board B
 *      |  device wires  |
 *   device and plant | what happened
 *   who acts, last fault, keys
 *
 * Rejected: a terminal library with widgets. The picture is one page, and drawn from nothing but the model it can be
 * compared with a golden text in a test.
 */

import { Canvas, type CanvasOutput, type Style, wrapped } from '../terminal/canvas.ts';
import { boardPanelRows, drawBoards } from './board-panel.ts';
import { drawHelp, keysWords } from './help.ts';
import type { ScreenModel } from './model.ts';
import type { BoardName } from './pair-rig.ts';
import { drawPlant } from './plant-panel.ts';
import { lastFaultWords, protectionWords } from './words.ts';

export interface ScreenOptions extends CanvasOutput {
  columns: number;
  rows: number;
}

export const columnsMin = 80;
export const rowsMin = 24;

export function drawScreen(model: ScreenModel, { columns, rows, color, unicode }: ScreenOptions): string[] {
  const canvas = new Canvas(columns, rows);
  if (columns < columnsMin || rows < rowsMin) drawSmall(canvas, model);
  else drawFull(canvas, model);
  return canvas.toLines({ color, unicode });
}

/** Too small for the picture: what matters, as lines. */
function drawSmall(canvas: Canvas, model: ScreenModel): void {
  const said = protectionWords(model);
  const lines: [string, Style][] = [
    [said.text, said.style],
    [`(${columnsMin} x ${rowsMin} characters show the whole picture)`, 'dim'],
  ];
  for (const event of model.events.slice(-canvas.rows)) {
    lines.push([event.text, event.style]);
  }
  const kept = [...lines.slice(0, 2), ...lines.slice(2).slice(-Math.max(0, canvas.rows - 3))];
  for (const [row, [text, style]] of kept.entries()) canvas.text(0, row, text, style);
  if (canvas.rows > 3) canvas.text(0, canvas.rows - 1, keysWords, 'dim');
}

function drawFull(canvas: Canvas, model: ScreenModel): void {
  const { columns, rows } = canvas;
  const clock = `${(model.elapsedMs / 1000).toFixed(1)} s `;
  const title = ` UNDERSTUDY  two boards run ${model.program}`;
  canvas.bar(0, title, 'title');
  canvas.text(columns - clock.length, 0, clock, 'title');
  const said = protectionWords(model);
  canvas.bar(1, ` ${said.text}`, said.style);

  const { wires } = drawBoards(canvas, 2, model);
  const wireRow = 2 + boardPanelRows;
  const plantWidth = Math.max(40, Math.min(64, columns >> 1));
  const top = wireRow + 1;
  const footerRows = rows >= 28 ? 4 : 3;
  const height = rows - footerRows - top;
  drawPlant(canvas, 0, top, plantWidth, height, model);
  drawWires(canvas, wireRow, wires, plantWidth - 5, model);
  drawEvents(canvas, plantWidth, top, columns - plantWidth, height, model);
  drawFooter(canvas, rows - footerRows, footerRows, model);
  if (model.isHelpShown) drawHelp(canvas);
}

/** Both boards have a wire to the device; the heavy one is obeyed. */
function drawWires(
  canvas: Canvas,
  y: number,
  wires: Record<BoardName, number>,
  entry: number,
  model: ScreenModel,
): void {
  const kindOf = (board: BoardName): { obeyed: boolean; style: Style; label: string } | null => {
    const { condition, facts } = model.boards[board];
    if (condition === 'off' || facts?.deviceOpen !== true) return null;
    const obeyed = model.device.attachedBoard === board && !model.device.safe;
    const label = obeyed ? ' the device obeys ' : ' waits ';
    return { obeyed, style: obeyed ? 'good' : 'dim', label };
  };
  const a = kindOf('a');
  if (a !== null) {
    canvas.text(wires.a, y - 1, a.obeyed ? '┳' : '┬', a.style);
    canvas.text(wires.a, y, a.obeyed ? '┃' : '╎', a.style);
    canvas.text(wires.a + 1, y, a.label, a.style);
  }
  const b = kindOf('b');
  if (b === null) return;
  canvas.text(wires.b, y - 1, b.obeyed ? '┳' : '┬', b.style);
  canvas.fill(entry, y, wires.b - entry, b.obeyed ? '━' : '╌', b.style);
  canvas.text(entry, y, b.obeyed ? '┏' : '╭', b.style);
  canvas.text(wires.b, y, b.obeyed ? '┛' : '╯', b.style);
  canvas.text(wires.b - b.label.length - 2, y, b.label, b.style);
}

function drawEvents(
  canvas: Canvas,
  x: number,
  y: number,
  width: number,
  height: number,
  model: ScreenModel,
): void {
  canvas.box(x, y, width, height, 'WHAT HAPPENED');
  const timeWidth = 7;
  const inner = width - 3 - timeWidth;
  const lines: { time: string; text: string; style: Style }[] = [];
  for (let index = model.events.length - 1; index >= 0 && lines.length < height; index--) {
    const event = model.events[index]!;
    const time = `${(event.atMs / 1000).toFixed(2)} `.padStart(timeWidth);
    const parts = wrapped(event.text, inner).slice(0, 3);
    lines.unshift(...parts.map((text, part) => ({ time: part === 0 ? time : '', text, style: event.style })));
  }
  for (const [row, line] of lines.slice(-(height - 2)).entries()) {
    canvas.text(x + 1, y + 1 + row, line.time, 'dim');
    canvas.text(x + 1 + timeWidth, y + 1 + row, line.text, line.style, inner);
  }
}

function drawFooter(canvas: Canvas, y: number, footerRows: number, model: ScreenModel): void {
  let row = y;
  if (footerRows > 3) canvas.text(1, row++, `program says: ${model.programSays}`, 'dim', canvas.columns - 2);
  if (model.notice !== '') canvas.text(1, row, model.notice, 'strong', canvas.columns - 2);
  else if (model.script !== null) {
    const { step, steps, text } = model.script;
    canvas.text(1, row, `SCRIPT ${step} of ${steps}: ${text}`, 'strong', canvas.columns - 2);
    const hint = ' any key: your turn ';
    canvas.text(canvas.columns - hint.length, row, hint, 'dim');
  } else canvas.text(1, row, 'YOUR TURN: break something, then press r to repair it', 'strong');
  row += 1;
  if (model.lastFault !== null) {
    const said = lastFaultWords(model.lastFault);
    canvas.bar(row, ` ${said.text}`, said.style);
  } else canvas.text(1, row, 'no fault yet', 'dim');
  canvas.text(1, row + 1, keysWords, 'dim', canvas.columns - 2);
}
