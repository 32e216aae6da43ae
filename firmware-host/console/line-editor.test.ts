import { describe, expect, test } from 'vitest';
import { type EditorItem, LineEditor } from './line-editor.ts';

const encoder = new TextEncoder();

function editor(words: string[] = []): LineEditor {
  const made = new LineEditor({ lineBytesMax: 100, complete: () => words });
  made.prompt = '> ';
  return made;
}

function type(to: LineEditor, text: string | Uint8Array): EditorItem[] {
  return [...to.push(typeof text === 'string' ? encoder.encode(text) : text)];
}

const linesOf = (items: EditorItem[]): string[] =>
  items.flatMap((item) => (item.kind === 'line' ? [item.text] : []));

const shown = (items: EditorItem[]): string =>
  items.map((item) => (item.kind === 'show' ? item.text : '')).join('');

describe('lines', () => {
  test.each([
    ['a carriage return', 'status\r'],
    ['a newline', 'status\n'],
    ['both', 'status\r\n'],
  ])('end with %s', (_name, text) => {
    const one = editor();
    expect(linesOf(type(one, text + text))).toEqual(['status', 'status']);
  });

  test('may end with both in two pieces', () => {
    const one = editor();
    expect(linesOf([...type(one, 'a\r'), ...type(one, '\nb\r'), ...type(one, '\n\n')])).toEqual([
      'a',
      'b',
      '',
    ]);
  });

  test('are echoed as they are typed', () => {
    expect(shown(type(editor(), 'hi\r'))).toBe('hi\r\n');
  });

  test('are not echoed to programs', () => {
    const one = editor();
    one.interactive = false;
    expect(type(one, 'a\tb\u001b[A\r')).toEqual([{ kind: 'line', text: 'ab', tooLong: false }]);
  });

  test('that are too long are not cut to another command', () => {
    const one = editor();
    const items = type(one, `${'x'.repeat(101)}\rstatus\r`);
    expect(items.filter((item) => item.kind === 'line')).toEqual([
      { kind: 'line', text: 'x'.repeat(100), tooLong: true },
      { kind: 'line', text: 'status', tooLong: false },
    ]);
  });

  test('are measured in bytes', () => {
    const one = editor();
    const [long] = type(one, `${'ü'.repeat(51)}\r`).filter((item) => item.kind === 'line');
    expect(long).toMatchObject({ tooLong: true });
  });
});

describe('editing', () => {
  test.each([
    ['backspace', 'stax\u007ftus\r', 'status'],
    ['the other backspace', 'stax\btus\r', 'status'],
    ['left, insert, end', 'satus\u001b[D\u001b[D\u001b[D\u001b[Dt\u001b[F!\r', 'status!'],
    ['arrows of application mode', 'ac\u001bODb\u001bOC!\r', 'abc!'],
    ['home and end keys of old terminals', 'bc\u001b[1~a\u001b[4~d\r', 'abcd'],
    ['delete', 'xstatus\u0001\u001b[3~\r', 'status'],
    ['ctrl-d within a line deletes', 'xstatus\u0001\u0004\r', 'status'],
    ['kill to the end', 'status now\u001bb\u000b\r', 'status '],
    ['kill to the beginning', 'bad status\u001bb\u0015\r', 'status'],
    ['kill a word', 'status now\u0017\r', 'status '],
    ['word by word', 'a b c\u001b[1;5D\u001b[1;5Dx\u001b[1;5Cy\r', 'a xby c'],
    ['ctrl-b and ctrl-f', 'ac\u0002b\u0006!\r', 'abc!'],
  ])('%s', (_name, keys, line) => {
    expect(linesOf(type(editor(), keys))).toEqual([line]);
  });

  test('what is shown after an edit within the line is the line, with the cursor where it is', () => {
    const one = editor();
    expect(shown(type(one, 'ac\u001b[Db'))).toBe('ac\r> ac\u001b[K\u001b[1D\r> abc\u001b[K\u001b[1D');
  });

  test('a line longer than the terminal scrolls sideways', () => {
    const one = editor();
    type(one, 'x'.repeat(90));
    expect(one.redraw().length).toBeLessThan(90);
    expect(linesOf(type(one, '\r'))).toEqual(['x'.repeat(90)]);
  });

  test('ctrl-c drops the line, ctrl-d on an empty one is an end', () => {
    const one = editor();
    expect(type(one, 'safe --yes\u0003').at(-1)).toEqual({ kind: 'cancel' });
    expect(one.text).toBe('');
    expect(type(one, '\u0004')).toEqual([{ kind: 'end' }]);
  });

  test('history: up, down, and back to what was typed', () => {
    const one = editor();
    type(one, 'first\rsecond\rsecond\r');
    expect(linesOf(type(one, 'dra\u001b[A\u001b[A\u001b[A\r'))).toEqual(['first']);
    expect(linesOf(type(one, 'dra\u001b[A\u001b[A\u001b[B\u001b[Bft\r'))).toEqual(['draft']);
    expect(linesOf(type(one, '\u0010\u0010\u000e\r'))).toEqual(['draft']);
  });

  test('a password is neither shown nor remembered', () => {
    const one = editor();
    type(one, 'status\r');
    one.secret = true;
    const items = type(one, 'secret!\r');
    expect(shown(items)).toBe('\r\n');
    one.secret = false;
    type(one, 'login open sesame\r');
    expect(linesOf(type(one, '\u001b[A\r'))).toEqual(['status']);
  });

  test('tab completes as far as it is certain, then lists', () => {
    const one = editor(['status', 'stop']);
    expect(shown(type(one, 's\t'))).toBe('st');
    expect(shown(type(one, '\t'))).toContain('status  stop');
    expect(linesOf(type(one, 'a\t\r'))).toEqual(['status ']);
    expect(shown(type(one, 'zz\t'))).toBe('zz\u0007');
  });
});

describe('noise', () => {
  test.each([
    ['NUL and other control bytes', 'sta\u0000\u0001\u0005\u0007tus\r', 'status'],
    ['colours of a log', '\u001b[31msta\u001b[0;1mtus\r', 'status'],
    ['a window title', '\u001b]0;root@pi\u0007status\r', 'status'],
    ['a window title that ends otherwise', '\u001b]0;root@pi\u001b\\status\r', 'status'],
    ['invisible and reversing characters', 'sta\u200b\u202e\ufefftus\r', 'status'],
    ['C1 controls', 'sta\u0085\u009btus\r', 'status'],
  ])('%s', (_name, keys, line) => {
    expect(linesOf(type(editor(), keys))).toEqual([line]);
  });

  test('what is no UTF-8 is dropped, a character in two pieces is not', () => {
    const one = editor();
    type(one, Uint8Array.of(0xff, 0xfe, 0x73, 0xc3));
    expect(linesOf(type(one, Uint8Array.of(0xbc, 0xed, 0xa0, 0x80, 0x0d)))).toEqual(['sü']);
  });

  test('a torn control sequence does not swallow the next line', () => {
    const one = editor();
    expect(linesOf(type(one, '\u001b[12\rstatus\r'))).toEqual(['', 'status']);
    expect(linesOf(type(one, `\u001b]0;${'x'.repeat(1000)}\rstatus\r`)).at(-1)).toBe('status');
  });
});
