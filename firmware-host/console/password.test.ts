import { expect, test } from 'vitest';
import { hashPassword, isPassword, parsePasswordHash } from './password.ts';

test('a hash is of its password alone, and two hashes of one password differ', async () => {
  const hash = await hashPassword('correct horse');
  expect(parsePasswordHash(hash)).not.toBeNull();
  expect(await isPassword('correct horse', hash)).toBe(true);
  expect(await isPassword('correct horsf', hash)).toBe(false);
  expect(await isPassword('', hash)).toBe(false);
  expect(await hashPassword('correct horse')).not.toBe(hash);
});

test('the same letters typed on another keyboard are the same password', async () => {
  const hash = await hashPassword('Gr\u00fc\u00dfe');
  expect(await isPassword('Gru\u0308\u00dfe', hash)).toBe(true);
});

const salt = '0'.repeat(32);
const key = 'a'.repeat(64);

test.each([
  ['a plain password', 'hunter2'],
  ['a cost that is no power of two', `scrypt:5000:${salt}:${key}`],
  ['a cost that would take all memory', `scrypt:524288:${salt}:${key}`],
  ['a cost that is nothing', `scrypt:1024:${salt}:${key}`],
  ['a short salt', `scrypt:32768:00:${key}`],
  ['a short hash', `scrypt:32768:${salt}:aa`],
])('%s is no hash', async (_name, text) => {
  expect(parsePasswordHash(text)).toBeNull();
  expect(await isPassword('x', text)).toBe(false);
});
