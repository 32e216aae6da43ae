/**
 * A grid of characters with a style each: what a screen is composed on before anyone knows how it is shown.
 *
 * Styles name a meaning, not a colour, and every character is one column wide: text from a program or an error message
 * may hold anything, and a terminal obeys some of it.
 */
export type Style =
  | 'plain'
  | 'dim'
  | 'strong'
  | 'good'
  | 'warning'
  | 'bad'
  | 'water'
  | 'title'
  | 'banner-good'
  | 'banner-warning'
  | 'banner-bad';

export interface CanvasOutput {
  color: boolean;
  /** False: nothing but ASCII leaves, for locales that are not UTF-8. */
  unicode: boolean;
}

const sgr: Record<Style, string> = {
  plain: '0',
  dim: '0;2',
  strong: '0;1',
  good: '0;32',
  warning: '0;33',
  bad: '0;1;31',
  water: '0;36',
  title: '0;7',
  'banner-good': '0;30;42',
  'banner-warning': '0;30;43',
  'banner-bad': '0;1;97;41',
};

/** Everything beyond ASCII that we draw, and what stands for it where only ASCII is possible. */
const ascii = new Map(
  Object.entries({
    ...{ '─': '-', '│': '|', '┌': '+', '┐': '+', '└': '+', '┘': '+', '┬': '+', '┴': '+' },
    ...{ '━': '=', '┃': 'H', '┏': '+', '┛': '+', '┳': '+', '┻': '+', '╌': '-', '╎': ':', '╭': '+', '╯': '+' },
    ...{ '═': '=', '╗': '+', '▼': 'v', '▶': '>', '◀': '<', '●': '*', '○': 'o', '•': 'o', '…': '~', '→': '>' },
    ...{ '█': '#', '▇': '#', '▆': '#', '▅': '+', '▄': '=', '▃': '-', '▂': '_', '▁': '_', '░': '.', '×': 'x' },
    ...{ '±': '+', '·': '.', '’': "'", '“': '"', '”': '"', '–': '-', '—': '-' },
  }),
);

/** One column per character: control characters, wide and combining ones become `?`. */
export function oneColumnEach(text: string): string {
  let clean = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const isNarrow = (code >= 0x20 && code <= 0x7e) || (code >= 0xa1 && code <= 0x24f && code !== 0xad);
    clean += isNarrow || ascii.has(character) ? character : character === '\t' ? ' ' : '?';
  }
  return clean;
}

/** Cut to `width` columns, with a mark where something is missing. */
export function fitted(text: string, width: number): string {
  const clean = oneColumnEach(text);
  if (clean.length <= width) return clean;
  return width <= 0 ? '' : `${clean.slice(0, width - 1)}…`;
}

/** Words onto lines of at most `width` columns; a longer word is cut into pieces. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of oneColumnEach(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    while (word.length > width) {
      lines.push(word.slice(0, width));
      word = word.slice(width);
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines;
}

export class Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly #characters: string[][];
  readonly #styles: Style[][];

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#characters = Array.from({ length: rows }, () => new Array<string>(columns).fill(' '));
    this.#styles = Array.from({ length: rows }, () => new Array<Style>(columns).fill('plain'));
  }

  /** What would lie outside is left out. */
  text(x: number, y: number, text: string, style: Style = 'plain', widthMax = this.columns - x): void {
    if (y < 0 || y >= this.rows) return;
    let column = x;
    for (const character of fitted(text, Math.min(widthMax, this.columns - x))) {
      if (column >= 0 && column < this.columns) {
        this.#characters[y]![column] = character;
        this.#styles[y]![column] = style;
      }
      column += 1;
    }
  }

  fill(x: number, y: number, width: number, character: string, style: Style = 'plain'): void {
    this.text(x, y, character.repeat(Math.max(0, width)), style);
  }

  /** A whole row in one style, so that a banner is a bar. */
  bar(y: number, text: string, style: Style): void {
    this.text(0, y, fitted(text, this.columns).padEnd(this.columns), style);
  }

  box(x: number, y: number, width: number, height: number, title: string, style: Style = 'dim'): void {
    this.text(x, y, `┌${'─'.repeat(width - 2)}┐`, style);
    for (let row = 1; row < height - 1; row++) {
      this.text(x, y + row, '│', style);
      this.text(x + width - 1, y + row, '│', style);
    }
    this.text(x, y + height - 1, `└${'─'.repeat(width - 2)}┘`, style);
    if (title !== '') this.text(x + 2, y, ` ${fitted(title, width - 6)} `, 'strong');
  }

  /** Blanks a region, to draw something in front. */
  clear(x: number, y: number, width: number, height: number): void {
    for (let row = 0; row < height; row++) this.fill(x, y + row, width, ' ');
  }

  /** Without blanks at the end of a line, unless they are coloured. */
  toLines({ color, unicode }: CanvasOutput): string[] {
    return this.#characters.map((characters, y) => {
      const styles = this.#styles[y]!;
      const plain = characters.map((each) => (unicode || each <= '~' ? each : (ascii.get(each) ?? '?')));
      if (!color) return plain.join('').trimEnd();
      let line = '';
      let current: Style = 'plain';
      for (const [x, character] of plain.entries()) {
        if (styles[x]! !== current) {
          current = styles[x]!;
          line += `\u001b[${sgr[current]}m`;
        }
        line += character;
      }
      return current === 'plain' ? line.trimEnd() : `${line}\u001b[0m`;
    });
  }
}
