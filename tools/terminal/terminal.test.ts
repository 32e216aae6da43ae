import { PassThrough } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { describe, expect, it } from 'vitest';
import { keysOf, pictureChanges, Terminal, terminalAbilities } from './terminal.ts';

describe('terminalAbilities', () => {
  const utf8 = { TERM: 'xterm', LANG: 'en_GB.UTF-8' };

  it('draws in colour in an ordinary terminal only', () => {
    expect(terminalAbilities(utf8, true)).toEqual({ canDraw: true, color: true, unicode: true });
    expect(terminalAbilities(utf8, false).canDraw).toBe(false);
    expect(terminalAbilities({ ...utf8, TERM: 'dumb' }, true).canDraw).toBe(false);
    expect(terminalAbilities({ LANG: 'en_GB.UTF-8' }, true).canDraw).toBe(false);
  });

  it('obeys NO_COLOR unless it is empty', () => {
    expect(terminalAbilities({ ...utf8, NO_COLOR: '1' }, true).color).toBe(false);
    expect(terminalAbilities({ ...utf8, NO_COLOR: '' }, true).color).toBe(true);
  });

  it('takes the locale from the first of LC_ALL, LC_CTYPE, LANG that is set', () => {
    expect(terminalAbilities({ ...utf8, LC_ALL: 'C' }, true).unicode).toBe(false);
    expect(terminalAbilities({ ...utf8, LC_ALL: '', LC_CTYPE: 'C.utf8', LANG: 'C' }, true).unicode).toBe(
      true,
    );
    expect(terminalAbilities({ TERM: 'xterm' }, true).unicode).toBe(false);
  });
});

describe('pictureChanges', () => {
  it('writes only the lines that differ', () => {
    const text = pictureChanges(['one', 'two', 'three'], ['one', 'TWO', 'three']);
    expect(text).toContain('\u001b[2;1H');
    expect(text).toContain('TWO');
    expect(text).not.toContain('one');
    expect(pictureChanges(['one'], ['one'])).toBe('');
  });

  it('erases a line before it is written: behind a full line the cursor stands on its last character', () => {
    expect(pictureChanges(['a'], ['full'])).toMatch(/\[Kfull$/);
  });

  it('clears everything for the first picture', () => {
    expect(pictureChanges(null, ['one']).startsWith('\u001b[2J')).toBe(true);
  });
});

describe('keysOf', () => {
  it('names keys as they were typed', () => {
    expect(keysOf('kQ')).toEqual(['k', 'Q']);
    expect(keysOf('\u0003\u0014')).toEqual(['ctrl-c', 'ctrl-t']);
    expect(keysOf('\r\u007f\t\u001b')).toEqual(['enter', 'backspace', 'tab', 'escape']);
  });

  it('knows the arrows, and leaves out control sequences that are no keys of ours', () => {
    expect(keysOf('\u001b[A\u001bOBx')).toEqual(['up', 'down', 'x']);
    expect(keysOf('\u001b[200~a\u001b[201~\u001b[1;5C')).toEqual(['a']);
  });
});

describe('Terminal', () => {
  function open(): { raw: boolean[]; keys: string[]; input: PassThrough; terminal: Terminal } {
    const raw: boolean[] = [];
    const keys: string[] = [];
    const input = Object.assign(new PassThrough(), {
      isRaw: false,
      setRawMode(mode: boolean) {
        this.isRaw = mode;
        raw.push(mode);
      },
    });
    const output = Object.assign(new PassThrough(), { columns: 0, rows: 0, fd: -1 });
    const terminal = new Terminal(output as unknown as WriteStream, input as unknown as ReadStream, (key) =>
      keys.push(key),
    );
    terminal.open();
    return { raw, keys, input, terminal };
  }

  it('gives raw mode back, once, and hears no key afterwards', () => {
    const { raw, keys, input, terminal } = open();
    input.emit('data', Buffer.from('k'));
    terminal.close();
    terminal.close();
    input.emit('data', Buffer.from('q'));
    expect(raw).toEqual([true, false]);
    expect(keys).toEqual(['k']);
  });

  it('gives raw mode back when the process exits without closing it', () => {
    const before = process.listeners('exit');
    const { raw, terminal } = open();
    const added = process.listeners('exit').filter((listener) => !before.includes(listener));
    expect(added).toHaveLength(1);
    added[0]!(0);
    expect(raw).toEqual([true, false]);
    terminal.close();
    process.off('exit', added[0]!);
  });

  it('takes a terminal that says it is 0 x 0 for 80 x 24', () => {
    const { terminal } = open();
    expect(terminal.size).toEqual({ columns: 80, rows: 24 });
    terminal.close();
  });
});
