/**
 * The parts of `crypto` that draw randomness inside OpenSSL, where no generator of ours reaches: key pairs, Diffie-
 * Hellman keys, signatures and paddings. The primary's results are recorded, keys as DER.
 */
import crypto from 'node:crypto';
import type { TurnContext } from '../turn-context.ts';

type Half =
  | { kind: 'key'; der: Uint8Array }
  | { kind: 'text'; text: string }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'jwk'; jwk: crypto.JsonWebKey };

type Encoding = { format?: string } | undefined;
type AnyFunction = (...parameters: unknown[]) => unknown;

export interface KeyCalls {
  [name: string]: unknown;
  generateKeyPairSync: (kind: string, options?: object) => { publicKey: unknown; privateKey: unknown };
}

export function keyCalls(context: TurnContext): KeyCalls {
  /** A key whose encrypted export, which has a random salt, is recorded. */
  const withRecordedExport = (key: crypto.KeyObject): crypto.KeyObject => {
    const real = key.export.bind(key) as (options?: unknown) => string | Buffer;
    const recorded = (options?: { cipher?: string }): unknown =>
      options?.cipher === undefined
        ? real(options)
        : ownBytes(context.value('crypto.KeyObject.export', () => real(options)));
    Object.defineProperty(key, 'export', { value: recorded, configurable: true });
    return key;
  };

  function halfOf(value: unknown, encoding: Encoding, side: 'publicKey' | 'privateKey'): Half {
    if (value instanceof crypto.KeyObject) {
      const type = side === 'publicKey' ? 'spki' : 'pkcs8';
      const exported = value.export({ type, format: 'der' } as crypto.KeyExportOptions<'der'>);
      return { kind: 'key', der: new Uint8Array(exported) };
    }
    if (encoding?.format === 'jwk') return { kind: 'jwk', jwk: value as crypto.JsonWebKey };
    if (typeof value === 'string') return { kind: 'text', text: value };
    return { kind: 'bytes', bytes: new Uint8Array(value as Uint8Array) };
  }

  function keyOf(half: Half, side: 'publicKey' | 'privateKey'): unknown {
    if (half.kind === 'text') return half.text;
    if (half.kind === 'bytes') return Buffer.from(half.bytes);
    if (half.kind === 'jwk') return half.jwk;
    const key = Buffer.from(half.der);
    return side === 'publicKey'
      ? crypto.createPublicKey({ key, format: 'der', type: 'spki' })
      : withRecordedExport(crypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
  }

  function generateKeyPairSync(
    kind: string,
    options: object = {},
  ): { publicKey: unknown; privateKey: unknown } {
    const { publicKeyEncoding, privateKeyEncoding } = options as Record<string, Encoding>;
    const pair = context.value(`crypto.generateKeyPair(${JSON.stringify(kind)})`, () => {
      const real = (crypto.generateKeyPairSync as unknown as AnyFunction)(kind, options) as Record<
        string,
        unknown
      >;
      return {
        publicKey: halfOf(real.publicKey, publicKeyEncoding, 'publicKey'),
        privateKey: halfOf(real.privateKey, privateKeyEncoding, 'privateKey'),
      };
    });
    return {
      publicKey: keyOf(pair.publicKey, 'publicKey'),
      privateKey: keyOf(pair.privateKey, 'privateKey'),
    };
  }

  function createECDH(curve: string): crypto.ECDH {
    const ecdh = crypto.createECDH(curve);
    const generateKeys = (encoding?: never, format?: never): unknown => {
      const secret = context.value(`crypto.ECDH.generateKeys(${JSON.stringify(curve)})`, () => {
        const fresh = crypto.createECDH(curve);
        fresh.generateKeys();
        return new Uint8Array(fresh.getPrivateKey());
      });
      ecdh.setPrivateKey(secret);
      return ecdh.getPublicKey(encoding, format);
    };
    return Object.assign(ecdh, { generateKeys });
  }

  function withRecordedKeys(diffieHellman: crypto.DiffieHellman): crypto.DiffieHellman {
    const real = diffieHellman.generateKeys.bind(diffieHellman) as (encoding?: unknown) => unknown;
    const generateKeys = (encoding?: unknown): unknown => {
      const secret = context.value('crypto.DiffieHellman.generateKeys()', () => {
        real();
        return new Uint8Array(diffieHellman.getPrivateKey());
      });
      // The public half follows from the private one: with one set, Node generates no other.
      diffieHellman.setPrivateKey(secret);
      return real(encoding);
    };
    return Object.assign(diffieHellman, { generateKeys });
  }

  function createDiffieHellman(prime: unknown, ...more: unknown[]): crypto.DiffieHellman {
    const create = crypto.createDiffieHellman as unknown as (
      ...parameters: unknown[]
    ) => crypto.DiffieHellman;
    if (typeof prime !== 'number') return withRecordedKeys(create(prime, ...more));
    const found = context.value(`crypto.createDiffieHellman(${prime})`, () => {
      const fresh = create(prime, ...more);
      return { prime: new Uint8Array(fresh.getPrime()), generator: new Uint8Array(fresh.getGenerator()) };
    });
    return withRecordedKeys(crypto.createDiffieHellman(found.prime, found.generator));
  }

  function getDiffieHellman(name: string): crypto.DiffieHellman {
    const group = crypto.getDiffieHellman(name);
    return createDiffieHellman(group.getPrime(), group.getGenerator());
  }

  function createSign(algorithm: string, options?: never): crypto.Sign {
    const sign = crypto.createSign(algorithm, options);
    const real = sign.sign.bind(sign) as AnyFunction;
    return Object.assign(sign, {
      sign: (...parameters: unknown[]) =>
        ownBytes(context.value('crypto.Sign.sign()', () => real(...parameters))),
    });
  }

  /** A call whose result is recorded; the last parameter may be a callback. */
  const recorded =
    (name: string, real: AnyFunction): AnyFunction =>
    (...parameters) => {
      const callback = parameters.at(-1);
      if (typeof callback !== 'function')
        return ownBytes(context.value(`crypto.${name}()`, () => real(...parameters)));
      try {
        const value = ownBytes(context.value(`crypto.${name}()`, () => real(...parameters.slice(0, -1))));
        context.completeSoon(() => callback(null, value));
      } catch (error) {
        context.completeSoon(() => callback(error));
      }
      return undefined;
    };
  const named = (
    name: 'sign' | 'publicEncrypt' | 'privateEncrypt' | 'encapsulate' | 'generatePrimeSync',
  ): AnyFunction => recorded(name, crypto[name] as unknown as AnyFunction);

  return {
    generateKeyPairSync,
    createECDH,
    ECDH: constructible(createECDH as AnyFunction, crypto.ECDH),
    createDiffieHellman,
    DiffieHellman: constructible(createDiffieHellman, crypto.DiffieHellman),
    getDiffieHellman,
    createDiffieHellmanGroup: getDiffieHellman,
    DiffieHellmanGroup: constructible(getDiffieHellman as AnyFunction, crypto.DiffieHellmanGroup),
    createSign,
    Sign: constructible(createSign as AnyFunction, crypto.Sign),
    createPrivateKey: (...parameters: Parameters<typeof crypto.createPrivateKey>) =>
      withRecordedExport(crypto.createPrivateKey(...parameters)),
    sign: named('sign'),
    publicEncrypt: named('publicEncrypt'),
    privateEncrypt: named('privateEncrypt'),
    encapsulate: named('encapsulate'),
    generatePrimeSync: named('generatePrimeSync'),
    // Node's asynchronous form takes the options in between: (size, options?, callback).
    generatePrime: recorded('generatePrime', crypto.generatePrimeSync as unknown as AnyFunction),
  };
}

/** A class of Node that may be called without `new`, over our own creating function. */
function constructible(create: AnyFunction, real: { prototype?: unknown } | undefined): unknown {
  function Made(...parameters: unknown[]): unknown {
    return create(...parameters);
  }
  if (real?.prototype) Made.prototype = real.prototype;
  return Made;
}

/** Bytes from a record as Buffers of their own, also one level deep. */
function ownBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, ownBytes(member)]));
}
