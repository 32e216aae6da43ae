import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { everyChecker } from './every-checker.ts';
import { end, facts, violationOf } from './hand-made-life.fake.ts';

test('every checker is there, is called as its file, says which promise it guards, and has its test', () => {
  const checkers = everyChecker.map((create) => create(facts()));
  const files = new Set(readdirSync(import.meta.dirname));
  const names = checkers.map((checker) => checker.name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, promise } of checkers) {
    expect(promise).toMatch(/^[1-7]\b/);
    expect(files).toContain(`${name}.ts`);
    expect(files).toContain(`${name}.test.ts`);
  }
});

test('a life in which nothing happened before it was over breaks no promise', () => {
  for (const create of everyChecker) {
    const nothing = facts({ quietAt: 0, endsAt: 100 });
    expect(violationOf(create(nothing), [], end({ at: 100 }))).toBeNull();
  }
});
