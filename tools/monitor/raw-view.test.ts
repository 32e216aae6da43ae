import { describe, expect, it } from 'vitest';
import { type RawEffect, type RawOptions, RawView } from './raw-view.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (effects: readonly RawEffect[], kind: 'screen' | 'port'): string =>
  effects.map((effect) => (effect.kind === kind ? new TextDecoder().decode(effect.bytes) : '')).join('');
const at = new Date(2026, 10, 23, 12, 34, 56, 789).getTime();

function view(options: Partial<RawOptions> = {}): RawView {
  return new RawView({ label: 'ttyUSB0', isHex: false, hasTimestamps: false, hasMenu: true, ...options });
}

describe('RawView', () => {
  it('passes bytes on as they are, both ways', () => {
    expect(text(view().received(at, bytes('a\u001b[1mb\r\n')), 'screen')).toBe('a\u001b[1mb\r\n');
    expect(text(view().typed(bytes('status\r\u0003')), 'port')).toBe('status\r\u0003');
  });

  it('puts the time before each line, also before one that comes in pieces', () => {
    const raw = view({ hasTimestamps: true });
    const shown = ['he', 'llo\r\nne', 'xt\r\n']
      .map((part) => text(raw.received(at, bytes(part)), 'screen'))
      .join('');
    expect(shown).toBe('[12:34:56.789] hello\r\n[12:34:56.789] next\r\n');
  });

  it('shows every byte as hex', () => {
    const shown = text(view({ isHex: true }).received(at, Uint8Array.of(0, 0x41, 0xff)), 'screen');
    expect(shown).toMatch(/^00 41 ff +\.A\.\r\n$/);
  });

  it('logs whole lines', () => {
    const raw = view();
    const logged = ['one\r\ntw', 'o\n'].flatMap((part) => raw.received(at, bytes(part)));
    expect(logged.filter(({ kind }) => kind === 'log')).toEqual([
      { kind: 'log', line: 'one' },
      { kind: 'log', line: 'two' },
    ]);
  });

  it('has a way out, a way to reconnect, and switches, behind Ctrl-T', () => {
    const raw = view();
    expect(raw.typed(bytes('\u0014q'))).toEqual([{ kind: 'quit' }]);
    expect(raw.typed(bytes('\u0014r'))).toContainEqual({ kind: 'reconnect' });
    expect(raw.typed(bytes('\u0014f'))).toEqual([{ kind: 'toggle-log' }]);
    expect(text(raw.typed(bytes('\u0014o')), 'screen')).toContain('hex on');
    expect(text(raw.typed(bytes('\u0014t')), 'screen')).toContain('timestamps on');
    expect(text(raw.typed(bytes('\u0014?')), 'screen')).toContain('quit');
    expect(text(raw.typed(bytes('ab\u0014\u0014c')), 'port')).toBe('ab\u0014c');
  });

  it('sends a typed line at once, or not at all', () => {
    const raw = view();
    expect(text(raw.typed(bytes('\u0014xstat')), 'port')).toBe('');
    expect(text(raw.typed(bytes('uz\u007fs\r')), 'port')).toBe('status\r');
    expect(text(raw.typed(bytes('\u0014xsafe\u001b')), 'port')).toBe('');
  });

  it('leaves Ctrl-T to the port where nobody types', () => {
    expect(text(view({ hasMenu: false }).typed(bytes('\u0014q')), 'port')).toBe('\u0014q');
  });

  it('counts what went both ways', () => {
    const raw = view();
    raw.received(at, bytes('12345'));
    raw.typed(bytes('ab'));
    expect(text(raw.typed(bytes('\u0014s')), 'screen')).toContain('5 bytes in, 2 bytes out');
  });
});
