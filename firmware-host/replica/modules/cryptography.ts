/**
 * `crypto` as the program sees it. Hashes, ciphers and verification are computed alike on both boards. Random bytes
 * come from the pair's seeded generator: unpredictable to devices, but known to whoever has the record. What draws
 * randomness inside OpenSSL is recorded (crypto-keys.ts). Asynchronous forms compute at the call and complete soon.
 */
import crypto from 'node:crypto';
import { refusedFunction } from '../refusal.ts';
import type { TurnContext } from '../turn-context.ts';
import { keyCalls } from './crypto-keys.ts';
import { copyOfModule } from './module-copy.ts';

type AnyFunction = (...parameters: unknown[]) => unknown;

/** Random integers are drawn from 48 bits, as in Node. */
const randomIntegerMax = 2 ** 48 - 1;
const webRandomBytesMax = 65_536;

const background = {
  reason: 'it computes on another thread.',
  remedy: 'Use the synchronous calls of node:crypto (createHash, createHmac, createCipheriv, sign).',
};
const engines = { reason: 'it changes the runtime, which must be equal on both boards.' };

export interface Cryptography {
  crypto: typeof crypto;
  /** For `globalThis.crypto`. */
  globalCrypto: crypto.webcrypto.Crypto;
}

export function createCryptography(context: TurnContext): Cryptography {
  const mediated = copyOfModule(crypto);
  const define = (name: string, value: unknown): void => {
    Object.defineProperty(mediated, name, { value, writable: true, enumerable: true, configurable: true });
  };
  const members = {
    ...keyCalls(context),
    ...randomCalls(context),
    setEngine: refusedFunction('crypto.setEngine', engines),
    setFips: refusedFunction('crypto.setFips', engines),
    secureHeapUsed: () => context.value('crypto.secureHeapUsed()', () => crypto.secureHeapUsed()),
  };
  for (const [name, value] of Object.entries(members)) define(name, value);
  Object.defineProperty(mediated, 'fips', {
    get: () => crypto.getFips() === 1,
    set: refusedFunction('crypto.fips', engines),
    configurable: true,
  });
  for (const name of ['pseudoRandomBytes', 'prng', 'rng']) define(name, mediated.randomBytes);

  // The asynchronous form of each of these is the synchronous one with a callback at the end.
  const asynchronous = ['pbkdf2', 'scrypt', 'hkdf', 'argon2', 'checkPrime', 'generateKey'];
  for (const name of asynchronous) define(name, completing(context, mediated[`${name}Sync`] as AnyFunction));
  const pair = mediated.generateKeyPairSync as (...parameters: unknown[]) => {
    publicKey: unknown;
    privateKey: unknown;
  };
  define('generateKeyPair', (...parameters: unknown[]) => {
    const callback = parameters.pop() as AnyFunction;
    try {
      const { publicKey, privateKey } = pair(...parameters);
      context.completeSoon(() => callback(null, publicKey, privateKey));
    } catch (error) {
      context.completeSoon(() => callback(error));
    }
  });
  Object.defineProperty(mediated.generateKeyPair as object, promisified, {
    value: (...parameters: unknown[]) =>
      new Promise((resolve, reject) => {
        (mediated.generateKeyPair as AnyFunction)(
          ...parameters,
          (error: Error | null, publicKey: unknown, privateKey: unknown) =>
            error ? reject(error) : resolve({ publicKey, privateKey }),
        );
      }),
  });
  for (const name of ['sign', 'verify', 'diffieHellman', 'decapsulate', 'encapsulate'])
    define(name, completing(context, mediated[name] as AnyFunction));

  const globalCrypto = webCrypto(mediated);
  define('webcrypto', globalCrypto);
  define('subtle', (globalCrypto as unknown as { subtle: unknown }).subtle);
  define('getRandomValues', (globalCrypto as unknown as { getRandomValues: unknown }).getRandomValues);
  return { crypto: mediated as unknown as typeof crypto, globalCrypto };
}

const promisified = Symbol.for('nodejs.util.promisify.custom');

/** Takes a callback as last parameter and calls it in order; without one, computes at once. */
function completing(context: TurnContext, synchronous: AnyFunction): AnyFunction {
  return (...parameters) => {
    const callback = parameters.at(-1);
    if (typeof callback !== 'function') return synchronous(...parameters);
    let result: unknown;
    try {
      result = synchronous(...parameters.slice(0, -1));
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (typeof code === 'string' && code.startsWith('ERR_')) throw error;
      context.completeSoon(() => callback(error));
      return undefined;
    }
    context.completeSoon(() => callback(null, result));
    return undefined;
  };
}

function randomCalls(context: TurnContext): Record<string, unknown> {
  const randomBytes = completing(context, (size) => {
    if (typeof size !== 'number' || !(size >= 0 && size <= 2 ** 31 - 1)) {
      const code = typeof size === 'number' ? 'ERR_OUT_OF_RANGE' : 'ERR_INVALID_ARG_TYPE';
      const message = `The "size" argument must be a number from 0 to ${2 ** 31 - 1}. Received ${String(size)}`;
      throw Object.assign(new (code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError)(message), { code });
    }
    return Buffer.from(context.randomBytes(size));
  });

  const randomFillSync = (target: ArrayBufferView | ArrayBuffer, offset = 0, size?: number): unknown => {
    // Offsets and sizes count elements of the array, as in Node.
    const width = (target as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
    const bytes = ArrayBuffer.isView(target)
      ? new Uint8Array(target.buffer, target.byteOffset, target.byteLength)
      : new Uint8Array(target);
    const from = offset * width;
    const length = size === undefined ? bytes.length - from : size * width;
    if (from < 0 || length < 0 || from + length > bytes.length)
      throw Object.assign(new RangeError('The value of "size" is out of range.'), {
        code: 'ERR_OUT_OF_RANGE',
      });
    bytes.set(context.randomBytes(length), from);
    return target;
  };

  const integer = (minimum: number, maximum: number): number => {
    const range = maximum - minimum;
    if (
      !Number.isSafeInteger(minimum) ||
      !Number.isSafeInteger(maximum) ||
      range <= 0 ||
      range > randomIntegerMax
    ) {
      const message = `The value of "max" is out of range. Received ${maximum}`;
      throw Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
    }
    // Draws above the last whole multiple of the range would favour small results.
    const limit = randomIntegerMax - (randomIntegerMax % range);
    for (;;) {
      const bytes = context.randomBytes(6);
      const drawn = Buffer.from(bytes).readUIntBE(0, 6);
      if (drawn < limit) return minimum + (drawn % range);
    }
  };

  const randomUUID = (): string => {
    const bytes = context.randomBytes(16);
    return uuidText(bytes, 4);
  };

  const randomUUIDv7 = (): string => {
    const bytes = Buffer.from(context.randomBytes(16));
    bytes.writeUIntBE(Math.floor(context.nowUs() / 1000), 0, 6);
    return uuidText(bytes, 7);
  };

  const generateKeySync = (kind: string, options: { length: number }): crypto.KeyObject => {
    const allowed =
      kind === 'aes' ? [128, 192, 256].includes(options?.length) : kind === 'hmac' && options?.length >= 8;
    if (!allowed) {
      const message = `The property 'options.length' is invalid for a key of kind ${kind}`;
      throw Object.assign(new RangeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
    }
    return crypto.createSecretKey(context.randomBytes(Math.floor(options.length / 8)));
  };

  return {
    randomBytes,
    randomFillSync,
    randomFill: completing(context, randomFillSync as unknown as AnyFunction),
    randomInt: completing(context, (first, second) =>
      second === undefined ? integer(0, first as number) : integer(first as number, second as number),
    ),
    randomUUID,
    randomUUIDv7,
    generateKeySync,
  };
}

/** RFC 9562: version in the high half of byte 6, variant 10 in the top bits of byte 8. */
function uuidText(bytes: Uint8Array, version: 4 | 7): string {
  bytes[6] = (bytes[6]! & 0x0f) | (version << 4);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function webCrypto(mediated: Record<string, unknown>): crypto.webcrypto.Crypto {
  const getRandomValues = (target: ArrayBufferView): ArrayBufferView => {
    if (!ArrayBuffer.isView(target) || target instanceof DataView || /Float/.test(target.constructor.name))
      throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
    if (target.byteLength > webRandomBytesMax)
      throw new DOMException(`The requested length exceeds ${webRandomBytesMax} bytes`, 'QuotaExceededError');
    return (mediated.randomFillSync as AnyFunction)(target) as ArrayBufferView;
  };
  const subtle: Record<string, unknown> = {};
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(crypto.webcrypto.subtle)))
    if (name !== 'constructor') {
      const refused = refusedFunction(`crypto.subtle.${name}`, background);
      subtle[name] = async () => refused();
    }
  const prototype = Object.getPrototypeOf(crypto.webcrypto) as object;
  return defineAll(Object.create(prototype), { getRandomValues, randomUUID: mediated.randomUUID, subtle });
}

function defineAll(target: object, members: Record<string, unknown>): crypto.webcrypto.Crypto {
  for (const [name, value] of Object.entries(members))
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  return target as crypto.webcrypto.Crypto;
}
