/** The device and the plant behind it: the tank as a tank, any other plant as a list. */
import type { Canvas } from '../terminal/canvas.ts';
import { fitted } from '../terminal/canvas.ts';
import type { ScreenModel } from './model.ts';

const eighths = [...' ▁▂▃▄▅▆▇'];
const tankX = 3;
const tankWidth = 14;
/** Pins of boards/plants/water-tank.ts and examples/tank.js. */
const barPin = '9';
const lampPin = '13';

export function deviceTitle(model: ScreenModel): string {
  const { attachedBoard, safe, term } = model.device;
  if (safe) return 'DEVICE: SAFE STATE, nobody controls it';
  if (attachedBoard === null) return 'DEVICE: waits for a board';
  return `DEVICE: obeys board ${attachedBoard.toUpperCase()}, term ${term}`;
}

export function drawPlant(
  canvas: Canvas,
  x: number,
  y: number,
  width: number,
  height: number,
  model: ScreenModel,
): void {
  canvas.box(x, y, width, height, deviceTitle(model), model.device.safe ? 'bad' : 'dim');
  if (model.plantName === 'tank' && typeof model.plant.levelShare === 'number') {
    drawTank(canvas, x + 1, y + 1, width - 2, height - 2, model);
  } else drawList(canvas, x + 1, y + 1, width - 2, height - 2, model);
}

function drawTank(
  canvas: Canvas,
  x: number,
  y: number,
  width: number,
  height: number,
  { plant, pins }: ScreenModel,
): void {
  const number = (key: string): number => Number(plant[key] ?? 0);
  const tankRows = Math.min(40, height - 4);
  const left = x + tankX;
  const notes = left + tankWidth + 1;
  const notesWidth = width - tankX - tankWidth - 1;
  const isOpen = number('valveOpenShare') > 0.5;
  const isPumping = number('pumpSpeedShare') > 0.5;

  // The pipe comes from the left and drips into the tank.
  canvas.text(x, y, isOpen ? '══════▼' : '══════×', isOpen ? 'water' : 'dim');
  canvas.text(x + 8, y, `valve ${isOpen ? 'OPEN  ' : 'closed'}`, isOpen ? 'strong' : 'plain');
  canvas.text(
    notes + 4,
    y,
    isOpen ? `${number('inflowLitresPerSecond').toFixed(1)} l/s in` : '',
    'water',
    notesWidth - 4,
  );

  const level = Math.max(0, Math.min(1, number('levelShare'))) * tankRows;
  for (let row = 0; row < tankRows; row++) {
    const fromBottom = tankRows - 1 - row;
    const filled = Math.max(0, Math.min(1, level - fromBottom));
    const character = filled >= 1 ? '█' : eighths[Math.floor(filled * 8)]!;
    canvas.text(left - 1, y + 1 + row, '│');
    canvas.fill(left, y + 1 + row, tankWidth, character, 'water');
    canvas.text(left + tankWidth, y + 1 + row, '│');
  }
  if (isOpen && tankRows - level > 1) canvas.text(x + 6, y + 1, '╎', 'water');
  canvas.text(left - 1, y + 1 + tankRows, `└${'─'.repeat(tankWidth)}┘`);

  const isFloating = plant.floatSwitchClosed === true;
  canvas.text(
    notes,
    y + 1,
    `◀ float: ${isFloating ? 'FULL' : 'not full'}`,
    isFloating ? 'warning' : 'plain',
    notesWidth,
  );
  const middle = 1 + Math.ceil(tankRows / 2);
  canvas.text(notes, y + middle, `  level ${Math.round(number('levelShare') * 100)} %`, 'strong', notesWidth);
  canvas.text(
    notes,
    y + tankRows,
    isPumping ? `══▶ pump ON ${number('pumpLitresPerSecond').toFixed(1)} l/s` : '══× pump off',
    isPumping ? 'water' : 'dim',
    notesWidth,
  );

  const barWidth = Math.min(24, width - 20);
  const duty = Math.max(0, Math.min(255, pins[barPin] ?? 0));
  const lit = Math.round((duty / 255) * barWidth);
  const below = y + 2 + tankRows;
  canvas.text(x + 1, below, 'bar ', 'plain');
  canvas.fill(x + 6, below, lit, '█', 'good');
  canvas.fill(x + 6 + lit, below, barWidth - lit, '░', 'dim');
  canvas.text(x + 7 + barWidth, below, `${Math.round(duty)}/255`);
  const isLit = (pins[lampPin] ?? 0) > 0;
  canvas.text(x + 1, below + 1, 'lamp ');
  canvas.text(x + 6, below + 1, isLit ? '●' : '○', isLit ? 'warning' : 'dim');
  canvas.text(x + 8, below + 1, isLit ? 'on' : 'off', isLit ? 'plain' : 'dim');
  const rest = `taken out ${Math.round(number('consumedLitres'))} l`;
  const spilled = number('overflowLitres');
  canvas.text(
    x + 13,
    below + 1,
    spilled > 0 ? `SPILLED ${spilled.toFixed(1)} l` : rest,
    spilled > 0 ? 'bad' : 'dim',
    width - 14,
  );
}

function drawList(
  canvas: Canvas,
  x: number,
  y: number,
  width: number,
  height: number,
  { plant, pins }: ScreenModel,
): void {
  const shown: [string, string][] = Object.entries(plant).map(([key, value]) => [
    key,
    typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(Math.round(value * 1000) / 1000),
  ]);
  for (const [pin, value] of Object.entries(pins)) shown.push([`output pin ${pin}`, String(value)]);
  const half = shown.length > height ? Math.floor(width / 2) : width;
  for (const [index, [key, value]] of shown.slice(0, half === width ? height : 2 * height).entries()) {
    const column = x + 1 + (index >= height ? half : 0);
    const room = half - 2 - value.length;
    canvas.text(
      column,
      y + (index % height),
      `${fitted(key, room - 1).padEnd(room)}${value}`,
      'plain',
      half - 1,
    );
  }
  if (shown.length === 0) canvas.text(x + 1, y, 'nothing heard from the device yet', 'dim', width - 2);
}
