import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFile } from './log-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-log-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = Date.UTC(2026, 10, 23, 12, 0, 0, 5);

describe('LogFile', () => {
  it('appends dated lines, one a line, whatever is in the text', () => {
    const path = join(folder, 'pair.log');
    writeFileSync(path, 'before\n');
    const log = new LogFile({ path, bytesMax: 10_000, keep: 2 });
    log.line(at, 'a info CODE two\nlines');
    log.close();
    expect(readFileSync(path, 'utf8')).toBe('before\n2026-11-23T12:00:00.005Z a info CODE two\\nlines\n');
  });

  it('rotates, keeps as many as it was told, and loses no line of those', () => {
    const path = join(folder, 'pair.log');
    const log = new LogFile({ path, bytesMax: 1000, keep: 2 });
    for (let index = 0; index < 100; index++) log.line(at, `line ${index} `.padEnd(60, '.'));
    log.close();
    expect(readdirSync(folder).toSorted()).toEqual(['pair.log', 'pair.log.1', 'pair.log.2']);
    const kept = ['.2', '.1', ''].map((end) => readFileSync(path + end, 'utf8'));
    for (const part of kept) expect(part.length).toBeLessThanOrEqual(1000);
    const numbers = [...kept.join('').matchAll(/line (\d+)/g)].map(([, digits]) => Number(digits));
    expect(numbers.at(-1)).toBe(99);
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
  });

  it('keeps nothing old when told so', () => {
    const path = join(folder, 'pair.log');
    const log = new LogFile({ path, bytesMax: 100, keep: 0 });
    for (let index = 0; index < 10; index++) log.line(at, `line ${index} `.padEnd(60, '.'));
    log.close();
    expect(readdirSync(folder)).toEqual(['pair.log']);
    expect(readFileSync(path, 'utf8')).toContain('line 9');
  });

  it('can be switched off and on again', () => {
    const path = join(folder, 'pair.log');
    const log = new LogFile({ path, bytesMax: 1000, keep: 1 });
    expect(log.toggle()).toBe(false);
    log.line(at, 'unheard');
    expect(log.toggle()).toBe(true);
    log.line(at, 'heard');
    log.close();
    expect(readFileSync(path, 'utf8')).toMatch(/^\S+ heard\n$/);
  });

  it('refuses a path that cannot be written with a stable code', () => {
    const make = (): LogFile =>
      new LogFile({ path: join(folder, 'none', 'pair.log'), bytesMax: 1000, keep: 1 });
    expect(make).toThrow(expect.objectContaining({ code: 'USAGE_LOG_UNWRITABLE' }));
  });

  it('goes off with a word instead of ending the monitor when the disk refuses later', () => {
    const path = join(folder, 'pair.log');
    const log = new LogFile({ path, bytesMax: 50, keep: 1 });
    const said: string[] = [];
    log.onError = (text) => said.push(text);
    log.line(at, 'one'.padEnd(60, '.'));
    rmSync(folder, { recursive: true });
    log.line(at, 'two');
    log.line(at, 'three');
    expect(said).toHaveLength(1);
    expect(log.isOn).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });
});
