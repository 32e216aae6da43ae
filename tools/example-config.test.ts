import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadConfig } from '../firmware-host/config/config.ts';

test('the sample configuration is valid and names a program that is there', () => {
  const config = loadConfig(fileURLToPath(new URL('../examples/pair.yaml', import.meta.url)));
  expect(existsSync(config.program)).toBe(true);
  const { a, b } = config.boards;
  expect(a.ethernet!.listen).toEqual(b.ethernet!.peer);
  expect(b.ethernet!.listen).toEqual(a.ethernet!.peer);
  expect(config.devices).toMatchObject([{ kind: 'fenced', arbiter: true }]);
  // johnny-five looks for its board by this pattern.
  expect(config.devices[0]!.name).toMatch(/usb|acm|^com/i);
});
