/**
 * A terminal's screen as an SVG picture: `tmux capture-pane -e` in, a file for a document out.
 *
 * Lines and blocks are drawn as shapes, so that they join whatever font the reader has; every run of text is stretched to
 * the width of its cells, for the same reason.
 */
const cellWidth = 8.4;
const cellHeight = 18;
const margin = 12;
const fontSize = 14;

const colors = ['#1e2127', '#e06c75', '#7ec878', '#e5b567', '#61afef', '#c678dd', '#56b6c2', '#c8ccd4'];
const brightColors = ['#7f848e', '#ff7b86', '#98e08f', '#ffd27f', '#7cc4ff', '#df9bf0', '#7adbe5', '#ffffff'];
const foreground = '#c8ccd4';
const background = '#16181d';

interface Pen {
  color: string | null;
  paper: string | null;
  isBold: boolean;
  isDim: boolean;
  isReversed: boolean;
}

interface Cell extends Pen {
  character: string;
}

const newPen = (): Pen => ({ color: null, paper: null, isBold: false, isDim: false, isReversed: false });

function applySgr(pen: Pen, text: string): void {
  const codes = text === '' ? [0] : text.split(';').map(Number);
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index]!;
    if (code === 0) Object.assign(pen, newPen());
    else if (code === 1) pen.isBold = true;
    else if (code === 2) pen.isDim = true;
    else if (code === 7) pen.isReversed = true;
    else if (code === 22) Object.assign(pen, { isBold: false, isDim: false });
    else if (code === 27) pen.isReversed = false;
    else if (code >= 30 && code <= 37) pen.color = colors[code - 30]!;
    else if (code === 39) pen.color = null;
    else if (code >= 40 && code <= 47) pen.paper = colors[code - 40]!;
    else if (code === 49) pen.paper = null;
    else if (code >= 90 && code <= 97) pen.color = brightColors[code - 90]!;
    // Colours of a larger palette (38;5;n, 38;2;r;g;b) are none of ours: their numbers are no codes.
    else if (code === 38 || code === 48) index += codes[index + 1] === 5 ? 2 : 4;
  }
}

function cellsOf(line: string, pen: Pen): Cell[] {
  const cells: Cell[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours begin with one.
  for (const [found, sgr] of line.matchAll(/\u001b\[([0-9;]*)m|\u001b[^m]*m|[^\u001b]/gu)) {
    if (sgr !== undefined) applySgr(pen, sgr);
    else if (!found.startsWith('\u001b')) cells.push({ ...pen, character: found });
  }
  return cells;
}

/** Where a line of this character goes from the middle of its cell: left, right, up, down; and how thick it is. */
const strokes: Record<string, [directions: string, width: number, dash?: string]> = {
  ...{ '─': ['lr', 1], '│': ['ud', 1], '┌': ['rd', 1], '┐': ['ld', 1], '└': ['ru', 1], '┘': ['lu', 1] },
  ...{ '┬': ['lrd', 1], '┴': ['lru', 1], '━': ['lr', 3], '┃': ['ud', 3], '┏': ['rd', 3], '┛': ['lu', 3] },
  ...{ '┳': ['lrd', 3], '┻': ['lru', 3], '╌': ['lr', 1, '3 2'], '╎': ['ud', 1, '3 2'] },
  ...{ '╭': ['rd', 1], '╯': ['lu', 1], '═': ['lr', 2] },
};
const blocks = new Map([...'▁▂▃▄▅▆▇█'].map((character, index) => [character, (index + 1) / 8]));

const number = (value: number): string => String(Math.round(value * 100) / 100);
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function colorOf(cell: Cell): string {
  return cell.isReversed ? (cell.paper ?? background) : (cell.color ?? foreground);
}

function paperOf(cell: Cell): string | null {
  return cell.isReversed ? (cell.color ?? foreground) : cell.paper;
}

function shapeOf(cell: Cell, x: number, y: number): string | null {
  const style = `"${colorOf(cell)}"${cell.isDim ? ' opacity="0.6"' : ''}`;
  const share = blocks.get(cell.character);
  if (share !== undefined) {
    const height = share * cellHeight;
    return `<rect x="${number(x)}" y="${number(y + cellHeight - height)}" width="${number(cellWidth)}" height="${number(height)}" fill=${style}/>`;
  }
  if (cell.character === '░') {
    return `<rect x="${number(x)}" y="${number(y)}" width="${number(cellWidth)}" height="${cellHeight}" fill="${colorOf(cell)}" opacity="0.2"/>`;
  }
  const stroke = strokes[cell.character];
  if (stroke === undefined) return null;
  const [directions, width, dash] = stroke;
  const [middleX, middleY] = [x + cellWidth / 2, y + cellHeight / 2];
  const ends: Record<string, [number, number]> = {
    l: [x, middleY],
    r: [x + cellWidth, middleY],
    u: [middleX, y],
    d: [middleX, y + cellHeight],
  };
  const path = [...directions]
    .map((each) => `M${number(middleX)} ${number(middleY)}L${ends[each]!.map(number).join(' ')}`)
    .join('');
  return `<path d="${path}" stroke=${style} stroke-width="${width}"${dash === undefined ? '' : ` stroke-dasharray="${dash}"`}/>`;
}

/** Cells next to each other that look the same, as one element. */
function runsOf<Key>(
  cells: readonly Cell[],
  keyOf: (cell: Cell) => Key,
): { key: Key; start: number; cells: Cell[] }[] {
  const runs: { key: Key; start: number; cells: Cell[] }[] = [];
  for (const [index, cell] of cells.entries()) {
    const key = keyOf(cell);
    const last = runs.at(-1);
    if (last !== undefined && last.key === key) last.cells.push(cell);
    else runs.push({ key, start: index, cells: [cell] });
  }
  return runs;
}

function rowElements(cells: readonly Cell[], y: number): string[] {
  const elements: string[] = [];
  const left = (index: number): number => margin + index * cellWidth;
  for (const { key, start, cells: run } of runsOf(cells, paperOf)) {
    if (key === null) continue;
    elements.push(
      `<rect x="${number(left(start))}" y="${number(y)}" width="${number(run.length * cellWidth)}" height="${cellHeight}" fill="${key}"/>`,
    );
  }
  const shapes = cells.map((cell, index) => shapeOf(cell, left(index), y));
  elements.push(...shapes.filter((shape) => shape !== null));
  const styleOf = (cell: Cell): string => `${colorOf(cell)} ${cell.isBold} ${cell.isDim}`;
  const written = cells.map((cell, index) => (shapes[index] === null ? cell : { ...cell, character: ' ' }));
  for (const { start, cells: run } of runsOf(written, styleOf)) {
    const text = run.map(({ character }) => character).join('');
    if (text.trim() === '') continue;
    const blanks = text.length - text.trimStart().length;
    const shown = text.trim();
    const [first] = run;
    const attributes = [
      `x="${number(left(start + blanks))}"`,
      `y="${number(y + cellHeight * 0.74)}"`,
      `fill="${colorOf(first!)}"`,
      `textLength="${number(shown.length * cellWidth)}"`,
      ...(first!.isBold ? ['font-weight="bold"'] : []),
      ...(first!.isDim ? ['opacity="0.65"'] : []),
    ];
    elements.push(`<text ${attributes.join(' ')}>${escaped(shown)}</text>`);
  }
  return elements;
}

/** `capture`: lines with SGR sequences, as `tmux capture-pane -e -p` prints them. */
export function terminalSvg(capture: string, title: string): string {
  const lines = capture.replace(/\n+$/, '').split('\n');
  const pen = newPen();
  const rows = lines.map((line) => cellsOf(line, pen));
  const columns = Math.max(...rows.map((cells) => cells.length));
  const width = Math.ceil(columns * cellWidth + 2 * margin);
  const height = Math.ceil(rows.length * cellHeight + 2 * margin);
  const elements = rows.flatMap((cells, row) => rowElements(cells, margin + row * cellHeight));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${background}"/>`,
    `<g font-family="'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${fontSize}" xml:space="preserve">`,
    ...elements,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}
