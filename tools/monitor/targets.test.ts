import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveTargets, runningDevPairs } from './targets.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-targets-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function config(directory: string): string {
  mkdirSync(directory, { recursive: true });
  const board = (port: number, peer: number, name: string): object => ({
    ethernet: { listen: `127.0.0.1:${port}`, peer: `127.0.0.1:${peer}` },
    ...{ state: `board-${name}`, console: `${name}.sock` },
  });
  const file = join(directory, 'pair.yaml');
  const pair = {
    ...{ program: 'program.js', pairKey: '0'.repeat(64) },
    boards: { a: board(7411, 7412, 'a'), b: board(7412, 7411, 'b') },
    devices: [{ name: '/dev/ttyACM0', kind: 'fenced', ports: { a: '/dev/ttyS1', b: '/dev/ttyS2' } }],
  };
  writeFileSync(file, JSON.stringify(pair));
  return file;
}

describe('resolveTargets', () => {
  it('looks a and b up in the configuration, and takes both without a word', () => {
    const file = config(folder);
    const both = resolveTargets([], { config: file, baudRate: 9600 });
    expect(both).toMatchObject([
      { path: join(folder, 'a.sock'), board: 'a', baudRate: 9600 },
      { path: join(folder, 'b.sock'), board: 'b' },
    ]);
    expect(resolveTargets(['b'], { directory: folder, baudRate: 9600 })).toEqual([both[1]]);
  });

  it('takes anything else as a port, and needs no configuration for it', () => {
    expect(resolveTargets(['/dev/ttyUSB7'], { baudRate: 115_200 })).toEqual([
      { label: '/dev/ttyUSB7', path: '/dev/ttyUSB7', baudRate: 115_200, board: null },
    ]);
  });

  it.each([[['x', 'y', 'z']], [['x', './x']]])('refuses %j', (words) => {
    expect(() => resolveTargets(words, { baudRate: 9600 })).toThrow(
      expect.objectContaining({ code: 'USAGE_PORTS' }),
    );
  });

  it('says what is wrong with a configuration', () => {
    expect(() => resolveTargets(['a'], { config: join(folder, 'none.yaml'), baudRate: 9600 })).toThrow(
      expect.objectContaining({ code: 'CONFIG_MISSING' }),
    );
  });
});

describe('runningDevPairs', () => {
  it('finds those with a console, and no directory that was left behind', () => {
    const running = config(join(folder, 'understudy-dev-1'));
    writeFileSync(join(folder, 'understudy-dev-1', 'b.sock'), '');
    config(join(folder, 'understudy-dev-2'));
    config(join(folder, 'other'));
    expect(runningDevPairs(folder)).toEqual([running]);
  });
});
