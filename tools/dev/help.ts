/** What the keys do and what the words mean, in front of the picture. */
import type { Canvas } from '../terminal/canvas.ts';

export const keysWords = 'k kill  f freeze  s/e/b cut serial/Ethernet/both  r fix  w swap  ? help  q end';

const lines = [
  'k  kill the primary at once, as if its power failed',
  'f  freeze the primary for 3 seconds (r: thaw it now)',
  's  cut the serial cable between the boards',
  'e  cut the Ethernet cable between the boards',
  'b  cut both',
  'r  repair everything: cables, frozen and dead boards',
  'w  switch over on purpose: the backup becomes primary',
  'q  end, with a summary        ?  close this help',
  '',
  'Both boards run the same program. The primary acts on',
  'the device; the backup repeats every step and waits.',
  'turn   one step of the program, on both boards the same',
  'term   number of a reign; the device obeys the newest',
];

export function drawHelp(canvas: Canvas): void {
  const width = 60;
  const height = lines.length + 2;
  const x = (canvas.columns - width) >> 1;
  const y = (canvas.rows - height) >> 1;
  canvas.clear(x, y, width, height);
  canvas.box(x, y, width, height, 'HELP', 'strong');
  for (const [row, line] of lines.entries()) canvas.text(x + 3, y + 1 + row, line);
}
