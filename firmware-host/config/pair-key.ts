/** The secret that the two boards share (protocol/README.md: session keys are derived from it). */
import { readFileSync, statSync } from 'node:fs';
import { type Config, ConfigError } from './config.ts';

const readableByOthers = 0o004;
const writableByOthers = 0o002;

/** The 32 bytes of the pair key. Throws ConfigError CONFIG_KEY_*; no message holds a part of the key. */
export function readPairKey(config: Pick<Config, 'pairKey'>): Uint8Array {
  const { pairKey } = config;
  if (pairKey.kind === 'hex') return decode(pairKey.hex, 'pairKey');
  let content: string;
  let mode: number;
  try {
    content = readFileSync(pairKey.path, 'utf8');
    mode = statSync(pairKey.path).mode;
  } catch (error) {
    throw new ConfigError(
      'CONFIG_KEY_MISSING',
      `the pair key ${pairKey.path} cannot be read (${(error as NodeJS.ErrnoException).code}): ` +
        'make one on one board with "openssl rand -hex 32" and copy it to the other',
      [],
      error,
    );
  }
  if ((mode & (readableByOthers | writableByOthers)) !== 0) {
    throw new ConfigError(
      'CONFIG_KEY_EXPOSED',
      `every user of this machine may read or write the pair key: chmod 600 ${pairKey.path}`,
    );
  }
  return decode(content.trim(), pairKey.path);
}

function decode(hex: string, origin: string): Uint8Array {
  if (!/^[0-9a-fA-F]{64}$/.test(hex)) {
    throw new ConfigError(
      'CONFIG_KEY_FORMAT',
      `${origin} must hold 64 hex digits and nothing else (got ${hex.length} characters)`,
    );
  }
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
