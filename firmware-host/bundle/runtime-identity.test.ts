import { expect, test } from 'vitest';
import { compareIdentities, runtimeIdentity } from './runtime-identity.ts';

test('a runtime equals itself, across a JSON round trip', () => {
  const identity = runtimeIdentity();
  expect(Object.values(identity).every((value) => value.length > 0)).toBe(true);
  expect(compareIdentities(identity, JSON.parse(JSON.stringify(identity)))).toEqual([]);
});

test.each(Object.keys(runtimeIdentity()))('a difference in %s is named with both values', (key) => {
  const identity = runtimeIdentity();
  const sentences = compareIdentities(identity, { ...identity, [key]: 'another' });
  expect(sentences).toHaveLength(1);
  expect(sentences[0]).toContain('another');
  expect(sentences[0]).toContain(identity[key as keyof typeof identity]);
});
