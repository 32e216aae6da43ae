/** The page in the lower left: pins, turns, why, line. One at a time; a large screen has room for the turns besides. */

import { grouped, milliseconds } from '../dev/words.ts';
import type { Canvas, Style } from '../terminal/canvas.ts';
import { fitted, wrapped } from '../terminal/canvas.ts';
import { hexLines } from './hex.ts';
import type { Page } from './keyboard.ts';
import type { Board, MonitorModel } from './model.ts';
import { boards, otherBoard } from './model.ts';
import { timeOfDay } from './words.ts';

export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A line that came over a port and was no item. */
export interface NoiseLine {
  wallTimeMs: number;
  label: string;
  text: string;
}

export interface PageOptions {
  page: Page;
  isHex: boolean;
  noise: readonly NoiseLine[];
}

const titles: Record<Page, string> = {
  pins: 'DEVICES AND PINS',
  turns: 'TURNS',
  why: 'WHY: the last incident',
  line: 'ON THE LINE, besides items',
};

export function drawPage(canvas: Canvas, region: Region, model: MonitorModel, options: PageOptions): void {
  const { x, y, width, height } = region;
  canvas.box(x, y, width, height, titles[options.page]);
  const inner: Region = { x: x + 1, y: y + 1, width: width - 2, height: height - 2 };
  switch (options.page) {
    case 'pins':
      return drawPins(canvas, inner, model);
    case 'turns':
      return drawTurns(canvas, inner, model);
    case 'why':
      return drawWhy(canvas, inner, model);
    case 'line':
      return drawLine(canvas, inner, options);
  }
}

interface PinRow {
  name: string;
  mode: string;
  values: Record<Board, number | null>;
}

/** Of both boards, one pin a row: the backup computes the same values and acts on nothing. */
function pinRows(model: MonitorModel): PinRow[] {
  const rows = new Map<string, PinRow>();
  for (const board of boards) {
    for (const device of model.boards[board].status?.devices ?? []) {
      for (const pin of device.pins ?? []) {
        const key = `${device.name} ${pin.name}`;
        const row = rows.get(key) ?? { name: pin.name, mode: '', values: { a: null, b: null } };
        row.mode = pin.mode ?? row.mode;
        row.values[board] = pin.value;
        rows.set(key, row);
      }
    }
  }
  return [...rows.values()];
}

/** A device a line: what the program has written, what the device has taken, what came from it; of both boards. */
function drawDevices(canvas: Canvas, { x, y, width, height }: Region, model: MonitorModel): number {
  const both = boards.map((board) => model.boards[board].status?.devices ?? []);
  const names = [...new Set(both.flatMap((devices) => devices.map(({ name }) => name)))].slice(
    0,
    height >> 1,
  );
  for (const [row, name] of names.entries()) {
    const [a, b] = both.map((devices) => devices.find((device) => device.name === name));
    const known = a ?? b!;
    const count = (each: typeof a, key: 'confirmed' | 'inputs'): string =>
      each === undefined ? '-' : grouped(each[key]);
    const [out, taken] = (['confirmed', 'inputs'] as const).map((key) => `${count(a, key)}|${count(b, key)}`);
    const short = name.replace(/^\/dev\//, '');
    canvas.text(x + 1, y + row, short, known.open ? 'strong' : 'bad', width - 2);
    const text = `${known.kind}${known.arbiter ? ', arbiter' : ''}  out ${out}  in ${taken}`;
    const shortText = `out ${out} in ${taken}`;
    const room = width - 3 - short.length;
    canvas.text(x + 2 + short.length, y + row, text.length <= room ? text : shortText, 'dim', room);
  }
  return names.length;
}

const barWidth = 8;
const isOutput = (mode: string): boolean => /OUTPUT|PWM|SERVO/i.test(mode);

function drawPins(canvas: Canvas, region: Region, model: MonitorModel): void {
  const taken = drawDevices(canvas, region, model);
  const { x, width } = region;
  const [y, height] = [region.y + taken, region.height - taken];
  const rows = pinRows(model);
  if (height < 2) return;
  if (rows.length === 0) {
    canvas.text(x + 1, y, 'no pin has been named yet', 'dim', width - 2);
    return;
  }
  const cell = 36;
  const across = Math.max(1, Math.floor(width / cell));
  const room = height - 1;
  const cellWidth = Math.floor(width / across);
  for (let column = 0; column < Math.min(across, Math.ceil(rows.length / room)); column++) {
    const head = `${'pin'.padEnd(5)}${'mode'.padEnd(8)}${'A'.padStart(5)}${'B'.padStart(7)}`;
    canvas.text(x + 1 + column * cellWidth, y, head, 'dim', cellWidth - 1);
  }
  for (const [index, row] of rows.slice(0, across * room).entries()) {
    const left = x + 1 + Math.floor(index / room) * cellWidth;
    drawPin(canvas, { x: left, y: y + 1 + (index % room), width: cellWidth - 2, height: 1 }, model, row);
  }
  const hidden = rows.length - across * room;
  if (hidden > 0) canvas.text(x + width - 10, y + height - 1, `${hidden} more…`, 'dim');
}

/** After the same turn both boards must have the same values; at another moment they need not. */
function areComparable({ boards: { a, b } }: MonitorModel): boolean {
  return (
    a.isFresh &&
    b.isFresh &&
    a.status?.historyId === b.status?.historyId &&
    a.status?.executedTurns === b.status?.executedTurns
  );
}

function drawPin(canvas: Canvas, region: Region, model: MonitorModel, { name, mode, values }: PinRow): void {
  const { x, y, width } = region;
  const isSame = values.a === values.b || values.a === null || values.b === null || !areComparable(model);
  const leader = model.outlook.leader ?? 'a';
  const value = values[leader] ?? values[otherBoard(leader)] ?? 0;
  const styleOf = (board: Board): Style =>
    !model.boards[board].isFresh ? 'dim' : isSame ? 'plain' : 'warning';
  const shown = (each: number | null): string => (each === null ? '-' : String(each));
  canvas.text(x, y, fitted(name, 4).padEnd(5), 'strong');
  canvas.text(x + 5, y, fitted(mode.toLowerCase(), 7), 'dim');
  canvas.text(x + 13, y, shown(values.a).padStart(5), styleOf('a'));
  canvas.text(x + 18, y, shown(values.b).padStart(7), styleOf('b'));
  if (width < 27 + barWidth - 2) return;
  const most = /PWM/i.test(mode) ? 255 : /ANALOG/i.test(mode) ? 1023 : /SERVO/i.test(mode) ? 180 : 1;
  const room = Math.min(barWidth, width - 26);
  const lit = Math.round(Math.min(1, Math.max(0, value / most)) * room);
  const style: Style = isOutput(mode) ? 'good' : 'water';
  if (most === 1) canvas.text(x + 26, y, value > 0 ? '●' : '○', value > 0 ? style : 'dim');
  else {
    canvas.fill(x + 26, y, lit, '█', style);
    canvas.fill(x + 26 + lit, y, room - lit, '░', 'dim');
  }
}

/** The same turn on the same row, as each board's journal has it. */
export function drawTurns(canvas: Canvas, { x, y, width, height }: Region, model: MonitorModel): void {
  const texts = {
    a: new Map(model.boards.a.journal.map((line) => [line.turn, line])),
    b: new Map(model.boards.b.journal.map((line) => [line.turn, line])),
  };
  const turns = [...new Set([...texts.a.keys(), ...texts.b.keys()])].toSorted((left, right) => left - right);
  if (turns.length === 0) {
    canvas.text(x + 1, y, 'no turn has been heard of yet', 'dim', width - 2);
    return;
  }
  const numberWidth = 11;
  const half = (width - numberWidth - 4) >> 1;
  canvas.text(
    x + 1,
    y,
    `${'turn'.padStart(numberWidth - 2)}  ${'board A'.padEnd(half + 1)}board B`,
    'dim',
    width - 2,
  );
  for (const [row, turn] of turns.slice(-(height - 1)).entries()) {
    const [a, b] = [texts.a.get(turn), texts.b.get(turn)];
    canvas.text(x + 1, y + 1 + row, grouped(turn).padStart(numberWidth - 2), 'dim');
    canvas.text(x + numberWidth + 1, y + 1 + row, a?.text ?? '·', a === undefined ? 'dim' : 'plain', half);
    const isSame = a !== undefined && b !== undefined && a.text === b.text;
    const text = isSame ? 'the same' : (b?.text ?? '·');
    const style: Style = isSame ? 'good' : b === undefined ? 'dim' : 'plain';
    canvas.text(x + numberWidth + 2 + half, y + 1 + row, text, style, half);
  }
}

function drawWhy(canvas: Canvas, { x, y, width, height }: Region, model: MonitorModel): void {
  const found = boards.flatMap((board) => {
    const { incident } = model.boards[board];
    return incident === null ? [] : [{ board, incident }];
  });
  if (found.length === 0) {
    canvas.text(x + 1, y, 'nothing has happened since the boards started', 'dim', width - 2);
    return;
  }
  const newest = found.toSorted((left, right) => (right.incident.term ?? 0) - (left.incident.term ?? 0))[0]!;
  const { board, incident } = newest;
  const lasted = incident.decidedAtMs === null ? null : incident.decidedAtMs - incident.beganAtMs;
  const head = `${incident.outcome} on board ${board.toUpperCase()}${lasted === null ? '' : `, decided in ${milliseconds(lasted)}`}`;
  const rule = `${incident.cause}, ${incident.rule} (${incident.section})`;
  const lines: { text: string; style: Style }[] = [
    { text: head, style: 'strong' },
    ...wrapped(rule, width - 2).map((text) => ({ text, style: 'dim' as const })),
  ];
  for (const sentence of incident.sentences) {
    lines.push(...wrapped(sentence, width - 2).map((text) => ({ text, style: 'plain' as const })));
  }
  for (const [row, line] of lines.slice(0, height).entries()) {
    canvas.text(x + 1, y + row, line.text, line.style, width - 2);
  }
}

function drawLine(canvas: Canvas, { x, y, width, height }: Region, { noise, isHex }: PageOptions): void {
  const lines = noise
    .slice(-height)
    .flatMap(({ wallTimeMs, text }) => {
      const time = `${timeOfDay(wallTimeMs)} `;
      const parts = isHex ? hexLines(new TextEncoder().encode(text), 8) : [text];
      return parts.map((part, index) => ({ time: index === 0 ? time : ' '.repeat(time.length), part }));
    })
    .slice(-height);
  if (lines.length === 0) canvas.text(x + 1, y, 'nothing but items has come', 'dim', width - 2);
  for (const [row, { time, part }] of lines.entries()) {
    canvas.text(x + 1, y + row, time, 'dim');
    canvas.text(x + 1 + time.length, y + row, part, 'plain', width - 2 - time.length);
  }
}
