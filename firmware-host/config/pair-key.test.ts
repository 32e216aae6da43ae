import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConfigError } from './config.ts';
import { readPairKey } from './pair-key.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

describe('readPairKey', () => {
  const hex = '0123456789abcdef'.repeat(4);
  const keyFile = (content: string, mode = 0o600) => {
    const directory = mkdtempSync(join(tmpdir(), 'pair-key-'));
    directories.push(directory);
    const path = join(directory, 'pair.key');
    writeFileSync(path, content);
    chmodSync(path, mode);
    return { pairKey: { kind: 'file', path } as const };
  };
  const codeOf = (config: Parameters<typeof readPairKey>[0]): string => {
    try {
      readPairKey(config);
    } catch (error) {
      expect((error as Error).message).not.toContain(hex.slice(0, 8));
      return (error as ConfigError).code;
    }
    return 'no error';
  };

  it('gives 32 bytes from the file or the config', () => {
    const key = new Uint8Array(Buffer.from(hex, 'hex'));
    expect(readPairKey(keyFile(`${hex}\n`))).toEqual(key);
    expect(readPairKey({ pairKey: { kind: 'hex', hex: hex.toUpperCase() } })).toEqual(key);
  });

  it('refuses a key that is missing, malformed or open to everyone, and shows none of it', () => {
    expect(codeOf({ pairKey: { kind: 'file', path: '/nowhere/pair.key' } })).toBe('CONFIG_KEY_MISSING');
    expect(codeOf(keyFile(hex.slice(1)))).toBe('CONFIG_KEY_FORMAT');
    expect(codeOf(keyFile(`${hex}${hex}`))).toBe('CONFIG_KEY_FORMAT');
    expect(codeOf(keyFile(hex, 0o644))).toBe('CONFIG_KEY_EXPOSED');
  });
});
