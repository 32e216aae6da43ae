/**
 * The password of a console that leaves the cabinet, as the config holds it: `scrypt:COST:SALT:HASH`, salt and hash in hex.
 *
 * scrypt (RFC 7914) with r = 8, p = 1 and COST = 2^15 takes 32 MB and about a tenth of a second on a Raspberry Pi: it runs in
 * libuv's threads, so that the board's heartbeats go on.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const cost = 2 ** 15;
const costMax = 2 ** 17;
const blockSize = 8;
const saltBytes = 16;
const hashBytes = 32;

export const passwordHashRule = 'must be a hash made by `understudy console password`: scrypt:COST:SALT:HASH';
export const passwordCharactersMin = 8;

interface PasswordHash {
  cost: number;
  salt: Uint8Array;
  hash: Uint8Array;
}

/** Null when it is none. */
export function parsePasswordHash(text: string): PasswordHash | null {
  const match = /^scrypt:(\d{4,6}):([0-9a-f]{32}):([0-9a-f]{64})$/.exec(text);
  if (match === null) return null;
  const [, digits, salt, hash] = match;
  const value = Number(digits);
  const isPowerOfTwo = Number.isInteger(Math.log2(value));
  if (!isPowerOfTwo || value < 2 ** 12 || value > costMax) return null;
  return { cost: value, salt: Buffer.from(salt!, 'hex'), hash: Buffer.from(hash!, 'hex') };
}

function derive(password: string, salt: Uint8Array, cost: number): Promise<Uint8Array> {
  const options = { cost, blockSize, parallelization: 1, maxmem: 256 * cost * blockSize };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, hashBytes, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await derive(password, salt, cost);
  return `scrypt:${cost}:${salt.toString('hex')}:${Buffer.from(hash).toString('hex')}`;
}

/** `hash` has passed `parsePasswordHash`, at the latest when the config was read. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const parsed = parsePasswordHash(hash);
  if (parsed === null) return false;
  return timingSafeEqual(await derive(password, parsed.salt, parsed.cost), parsed.hash);
}
