/** The upper half of the screen: both boards, and the two cables of the bus between them. */
import type { Canvas, Style } from '../terminal/canvas.ts';
import { sparkline } from '../terminal/sparkline.ts';
import type { BoardPicture, CablePicture, ScreenModel } from './model.ts';
import { type BoardName, otherBoard } from './pair-rig.ts';
import { boardTitle, conditionWords, grouped, milliseconds } from './words.ts';

export const boardPanelRows = 7;

export function drawBoards(
  canvas: Canvas,
  y: number,
  model: ScreenModel,
): { wires: Record<BoardName, number> } {
  const width = Math.max(30, Math.min(64, Math.floor(canvas.columns * 0.375)));
  const right = canvas.columns - width;
  drawBoard(canvas, 0, y, width, 'a', model);
  drawBoard(canvas, right, y, width, 'b', model);
  drawCable(canvas, width, y, right - width, 'serial', model.cables.serial);
  drawCable(canvas, width, y + 3, right - width, 'Ethernet', model.cables.ethernet);
  return { wires: { a: 6, b: right + 6 } };
}

function drawBoard(
  canvas: Canvas,
  x: number,
  y: number,
  width: number,
  name: BoardName,
  model: ScreenModel,
): void {
  const picture = model.boards[name];
  const said = conditionWords(picture);
  canvas.box(x, y, width, boardPanelRows, boardTitle(name), picture.condition === 'primary' ? 'good' : 'dim');
  const inner = width - 4;
  canvas.text(x + 2, y + 1, said.text, said.style, inner);
  for (const [row, fact] of factsOf(picture, name, model).entries()) {
    canvas.text(x + 2, y + 2 + row, fact.text, fact.style, inner);
  }
}

function factsOf(
  picture: BoardPicture,
  name: BoardName,
  model: ScreenModel,
): { text: string; style: Style }[] {
  const { facts } = picture;
  if (facts === null || picture.condition === 'off') return [];
  const isStale = picture.condition === 'frozen';
  const style: Style = isStale ? 'dim' : 'plain';
  const other = otherBoard(name).toUpperCase();
  const hears = facts.silentForMs !== null && facts.silentForMs < 1000;
  const lag = facts.lagTurns ?? 0;
  const follows = model.device.attachedBoard === name;
  return [
    { text: `term ${facts.term}   turn ${grouped(facts.turns)}`, style },
    picture.condition === 'primary'
      ? { text: facts.protected ? `backup has every turn` : 'no backup has its turns', style }
      : picture.condition === 'backup'
        ? {
            text:
              lag === 0
                ? 'its program: in step'
                : `its program: ${grouped(lag)} turn${lag === 1 ? '' : 's'} behind`,
            style,
          }
        : picture.condition === 'joining'
          ? { text: `its program: ${grouped(facts.executedTurns)} of ${grouped(facts.turns)}`, style }
          : { text: '', style },
    isStale
      ? { text: 'silent', style: 'dim' }
      : {
          text: hears ? `hears board ${other}` : `does not hear board ${other}`,
          style: hears ? 'plain' : 'warning',
        },
    facts.divergences > 0
      ? { text: `DIVERGED ${facts.divergences} times`, style: 'bad' }
      : {
          text: follows
            ? 'device: obeys this board'
            : facts.deviceOpen
              ? 'device: connected, waits'
              : 'device: not connected',
          style,
        },
  ];
}

function drawCable(
  canvas: Canvas,
  x: number,
  y: number,
  width: number,
  name: string,
  cable: CablePicture,
): void {
  const isCut = cable.state === 'cut';
  const time = cable.roundTripMs === null ? 'silent' : milliseconds(cable.roundTripMs);
  const title = isCut ? `${name} CUT` : `${name} ${time}`;
  const isAlive = cable.arrivals.at(-1) !== undefined && cable.arrivals.at(-1)! > 0;
  const style: Style = isCut ? 'bad' : isAlive ? 'good' : 'warning';
  canvas.text(x + Math.max(0, (width - title.length) >> 1), y + 1, title, isCut ? 'bad' : 'plain', width);
  if (isCut) {
    const gap = 6;
    const left = (width - gap) >> 1;
    canvas.fill(x, y + 2, left, '━', style);
    canvas.text(x + left, y + 2, '  ××  ', style);
    canvas.fill(x + left + gap, y + 2, width - left - gap, '━', style);
  } else {
    canvas.fill(x, y + 2, width, '━', style);
    // One pulse each way, moved only by what really arrived.
    const at = cable.beats % width;
    if (isAlive) {
      canvas.text(x + at, y + 2, '●', 'strong');
      canvas.text(x + width - 1 - at, y + 2, '●', 'strong');
    }
  }
  const spark = sparkline(cable.arrivals, width - 4);
  canvas.text(x + 2 + (width - 4 - spark.length), y + 3, spark, 'dim');
}
