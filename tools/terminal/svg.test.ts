import { describe, expect, it } from 'vitest';
import { terminalSvg } from './svg.ts';

const texts = (svg: string): string[] =>
  [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);

describe('terminalSvg', () => {
  it('has as many cells as the screen, and each run of text as wide as its cells', () => {
    const svg = terminalSvg('abc\n  \u001b[32mdefg\u001b[0m h\n', 'a screen');
    expect(svg).toContain('<title>a screen</title>');
    expect(texts(svg)).toEqual(['abc', 'defg', 'h']);
    expect(svg).toMatch(/fill="#7ec878" textLength="33\.6">defg/);
    expect(svg).toContain('height="60"');
  });

  it('keeps a colour over lines until it is taken back, as tmux prints it', () => {
    const svg = terminalSvg('\u001b[1;31mone\ntwo\u001b[0m\nthree', 'x');
    expect(svg.match(/fill="#e06c75"[^>]*font-weight="bold"/g)).toHaveLength(2);
  });

  it('draws lines and blocks as shapes, which no font can tear apart', () => {
    const svg = terminalSvg('┌─┐█▁ x', 'x');
    expect(svg.match(/<path /g)).toHaveLength(3);
    expect(svg.match(/<rect x=/g)).toHaveLength(2);
    expect(texts(svg)).toEqual(['x']);
  });

  it('paints what is reversed', () => {
    expect(terminalSvg('\u001b[7mbar\u001b[0m', 'x')).toMatch(
      /<rect [^>]*width="25\.2" height="18" fill="#c8ccd4"\/>/,
    );
  });

  it('lets no text become markup, and no other control sequence be seen', () => {
    const svg = terminalSvg('<a> & \u001b[38;5;7mb', 'a < b');
    expect(texts(svg).join('')).toBe('&lt;a&gt; &amp; b');
    expect(svg).toContain('<title>a &lt; b</title>');
    expect(svg).not.toContain('\u001b');
  });
});
