import crypto from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { RefusedError } from '../refusal.ts';
import { FakeTurnContext } from '../turn-context.fake.ts';
import { createCryptography } from './cryptography.ts';

type Program = (crypto: typeof import('node:crypto'), tell: (value: unknown) => void) => unknown;

async function runOn(context: FakeTurnContext, program: Program): Promise<unknown[]> {
  const told: unknown[] = [];
  const { crypto } = createCryptography(context);
  let over = false;
  const done = Promise.resolve()
    .then(() => program(crypto, (value) => told.push(value)))
    .finally(() => {
      over = true;
    });
  while (!over) await context.drain();
  await done;
  await context.drain();
  return told;
}

/** Runs a program as primary and as backup; both must be told the same. */
async function pair(program: Program): Promise<{ told: unknown[]; calls: string[] }> {
  const primary = new FakeTurnContext();
  const told = await runOn(primary, program);
  const backup = new FakeTurnContext({ replayOf: primary });
  expect(await runOn(backup, program)).toEqual(told);
  expect(backup.finished).toBe(true);
  return { told, calls: primary.records.map((record) => record.call) };
}

describe('randomness', () => {
  test('is the pair’s: equal on both boards, and nothing is recorded', async () => {
    const { told, calls } = await pair(async (crypto, tell) => {
      tell(crypto.randomBytes(16).toString('hex'));
      tell(await promisify(crypto.randomBytes)(8));
      tell(crypto.randomUUID());
      tell((crypto as unknown as { randomUUIDv7(): string }).randomUUIDv7());
      tell(crypto.randomInt(10));
      tell(crypto.randomInt(-5, 5));
      crypto.randomInt(3, (_error, value) => tell(value));
      tell(crypto.randomFillSync(new Uint16Array(4), 1, 2));
      crypto.randomFill(new Uint8Array(4), (_error, filled) => tell(filled));
      tell(crypto.getRandomValues(new Uint8Array(4)));
      tell(crypto.webcrypto.randomUUID());
      tell(crypto.generateKeySync('aes', { length: 128 }).export());
      tell(crypto.pseudoRandomBytes(3));
    });
    expect(calls).toEqual([]);
    expect(told[2]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(told[3]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    const filled = told.find((value) => value instanceof Uint16Array)!;
    expect([filled[0], filled[3]]).toEqual([0, 0]);
    expect(filled[1]! + filled[2]!).toBeGreaterThan(0);
  });

  test('integers stay in range and reach its ends', () => {
    const { crypto } = createCryptography(new FakeTurnContext());
    const drawn = Array.from({ length: 300 }, () => crypto.randomInt(2, 5));
    expect(new Set(drawn)).toEqual(new Set([2, 3, 4]));
    for (const bad of [
      () => crypto.randomInt(0),
      () => crypto.randomInt(5, 5),
      () => crypto.randomInt(0, 2 ** 49),
    ])
      expect(bad).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(() => crypto.randomBytes(-1)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(() => crypto.getRandomValues(new Float32Array(1) as never)).toThrow(DOMException);
  });
});

describe('what is random inside OpenSSL is recorded', () => {
  test('key pairs: as objects, PEM, DER and JWK, with signatures that verify', async () => {
    const { told } = await pair(async (crypto, tell) => {
      const data = Buffer.from('level 3');
      const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
      tell(ec.privateKey.export({ type: 'pkcs8', format: 'pem' }));
      tell(ec.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }));
      const signature = crypto.sign('sha256', data, ec.privateKey);
      tell(signature);
      tell(crypto.verify('sha256', data, ec.publicKey, signature));
      tell(crypto.createSign('sha256').update(data).sign(ec.privateKey, 'hex'));
      const encodings = {
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'der' },
      } as const;
      tell(crypto.generateKeyPairSync('ed25519', encodings));
      const later = await promisify(crypto.generateKeyPair)('x25519');
      tell(later.publicKey.export({ format: 'jwk' }));
      crypto.sign('sha256', data, ec.privateKey, (_error, value) =>
        tell(crypto.verify('sha256', data, ec.publicKey, value)),
      );
    });
    expect(told[3]).toBe(true);
    expect(told.at(-1)).toBe(true);
    expect(told[4]).toMatch(/^30[0-9a-f]+$/);
  });

  test('encryption with padding, which decrypts', async () => {
    const { told } = await pair((crypto, tell) => {
      const keys = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 });
      const sealed = crypto.publicEncrypt(keys.publicKey, Buffer.from('secret'));
      tell(sealed);
      tell(crypto.privateDecrypt(keys.privateKey, sealed).toString());
    });
    expect(told[1]).toBe('secret');
  });

  test('Diffie-Hellman keys: both sides reach the same secret', async () => {
    const { told } = await pair((crypto, tell) => {
      const ECDH = crypto.ECDH as unknown as new (curve: string) => typeof a;
      const a = crypto.createECDH('secp256k1');
      const b = new ECDH('secp256k1');
      tell(a.generateKeys('hex'));
      tell(a.computeSecret(b.generateKeys()).equals(b.computeSecret(a.getPublicKey())));
      const c = crypto.getDiffieHellman('modp5');
      const d = crypto.createDiffieHellmanGroup('modp5');
      c.generateKeys();
      d.generateKeys();
      tell(c.getPublicKey('hex'));
      tell(c.computeSecret(d.getPublicKey()).equals(d.computeSecret(c.getPublicKey())));
      tell(crypto.createDiffieHellman(512).generateKeys('hex'));
    });
    expect([told[1], told[3]]).toEqual([true, true]);
  });

  test('primes', async () => {
    await pair(async (crypto, tell) => {
      const prime = crypto.generatePrimeSync(64, { bigint: true });
      tell(prime);
      tell(crypto.checkPrimeSync(prime));
      crypto.generatePrime(32, (_error, value) => tell(value));
    });
  });
});

test('what computes is as in Node, asynchronous forms in order', async () => {
  const { told, calls } = await pair(async (ours, tell) => {
    tell(ours.createHash('sha256').update('x').digest('hex'));
    await new Promise<void>((resolve) => {
      ours.pbkdf2('p', 's', 10, 8, 'sha1', (_error, key) => tell(key.toString('hex')));
      ours.scrypt('p', 's', 8, { N: 16 }, (_error, key) => tell(key.toString('hex')));
      ours.hkdf('sha256', 'k', 's', 'i', 8, (_error, key) => {
        tell(Buffer.from(key).toString('hex'));
        resolve();
      });
    });
  });
  expect(calls).toEqual([]);
  expect(told).toEqual([
    crypto.createHash('sha256').update('x').digest('hex'),
    crypto.pbkdf2Sync('p', 's', 10, 8, 'sha1').toString('hex'),
    crypto.scryptSync('p', 's', 8, { N: 16 }).toString('hex'),
    Buffer.from(crypto.hkdfSync('sha256', 'k', 's', 'i', 8)).toString('hex'),
  ]);
});

test('subtle and engines are refused', async () => {
  const { crypto: ours } = createCryptography(new FakeTurnContext());
  await expect(ours.subtle.digest('SHA-256', new Uint8Array(1))).rejects.toThrow(RefusedError);
  expect(() => ours.setFips(true)).toThrow(RefusedError);
  expect(() => ours.setEngine('x')).toThrow(RefusedError);
});

test('every function of crypto is one of Node that computes, or ours', () => {
  const { crypto: ours } = createCryptography(new FakeTurnContext());
  // Reviewed: these give the same for the same arguments, within the call.
  const computing = new Set(
    `argon2Sync checkPrimeSync createCipheriv createDecipheriv createHash createHmac createPublicKey createSecretKey
     createVerify getCiphers getCipherInfo getCurves getHashes hkdfSync pbkdf2Sync privateDecrypt publicDecrypt scryptSync
     timingSafeEqual getFips hash Certificate Cipheriv Decipheriv Hash Hmac KeyObject Verify X509Certificate`
      .trim()
      .split(/\s+/),
  );
  for (const [name, member] of Object.entries(crypto)) {
    if (typeof member !== 'function') continue;
    const own = (ours as unknown as Record<string, unknown>)[name];
    if (computing.has(name)) expect(own, name).toBe(member);
    else expect(own, name).not.toBe(member);
  }
});
