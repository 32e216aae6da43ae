/** What asks, and what helps. */
import type { Canvas } from '../terminal/canvas.ts';
import { type Mode, menuLines, promptTitles } from './keyboard.ts';

export function keysWords(mode: Mode, columns: number): string {
  switch (mode.kind) {
    case 'prompt':
      return 'Enter: go on   Esc: leave it   Ctrl-U: begin anew';
    case 'question':
      return 'y: yes   any other key: no';
    case 'menu':
      return 'Ctrl-T: ? help  q quit  l clear  r reconnect  t times  o hex  f log  x command';
    default:
      return columns >= 100
        ? 'w switch over   : command   e why   Tab page (pins, turns, why, line)   arrows scroll   ? help   Ctrl-T menu   q quit'
        : 'w switch over  : command  e why  Tab page  ? help  Ctrl-T menu  q quit';
  }
}

/** The line of what is typed or asked; null when nothing is. */
export function promptLine(mode: Mode): string | null {
  if (mode.kind === 'question') return `${mode.text}  (y/n)`;
  if (mode.kind !== 'prompt') return null;
  const typed = mode.purpose === 'password' ? '*'.repeat(mode.text.length) : mode.text;
  return `${promptTitles[mode.purpose]}: ${typed}_`;
}

const helpLines = [
  'w    switch over: the backup leads, after a question',
  ':    send any command of the console (help lists them)',
  'e    why the last takeover happened',
  'Tab  next page: pins, turns, why, line',
  'up, down, Page up, Page down, End   scroll the events',
  'p    give a console its password',
  'q    quit',
  '',
  'Ctrl-T, then:',
  ...menuLines.map((line) => `  ${line}`),
  '',
  '~    two events so close that either was the first',
  'bad / again / twice: datagrams refused, sent again, known',
] as const;

export function drawDialog(canvas: Canvas, mode: Mode): void {
  if (mode.kind !== 'help') return;
  const width = 64;
  const height = helpLines.length + 2;
  const x = (canvas.columns - width) >> 1;
  const y = Math.max(0, (canvas.rows - height) >> 1);
  canvas.clear(x, y, width, height);
  canvas.box(x, y, width, height, 'HELP', 'strong');
  for (const [row, line] of helpLines.entries()) canvas.text(x + 3, y + 1 + row, line, 'plain', width - 5);
}
