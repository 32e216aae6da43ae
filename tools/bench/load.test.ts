import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { loadKinds, startLoad } from './load.ts';

const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('understudy-load-'));

test.each(loadKinds)('load %s begins, ends and leaves nothing behind', async (kind) => {
  const before = folders();
  const load = await startLoad(kind);
  expect(folders().length).toBeGreaterThanOrEqual(before.length + (kind === 'none' ? 0 : 1));
  await load.stop();
  expect(folders().filter((name) => !before.includes(name))).toEqual([]);
});
