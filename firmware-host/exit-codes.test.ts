import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ExitCode, exitCodeFor, exitCodes, exitCodesTable } from './exit-codes.ts';

const all = Object.values<ExitCode>(exitCodes);

describe('exit codes', () => {
  it('are documented as they are', () => {
    const document = readFileSync(new URL('../docs/exit-codes.md', import.meta.url), 'utf8');
    const table = document.split('\n').filter((line) => line.startsWith('|'));
    expect(table.join('\n')).toBe(exitCodesTable());
  });

  it('are all different and fit a byte', () => {
    expect(new Set(all.map((end) => end.code)).size).toBe(all.length);
    expect(all.every((end) => end.code >= 0 && end.code <= 255)).toBe(true);
  });

  it('claim no error code twice', () => {
    const claimed = all.flatMap((end) => end.errorCodes);
    expect(new Set(claimed).size).toBe(claimed.length);
  });
});

describe('exitCodeFor', () => {
  it.each([
    ['CONFIG_INVALID', 3],
    ['CONFIG_KEY_FORMAT', 6],
    ['BUNDLE_SYNTAX', 4],
    ['PROGRAM_FAILED', 5],
    ['PAIR_MISMATCH', 7],
    ['JOURNAL_DAMAGED', 8],
    ['JOURNAL_DISK_FULL', 11],
    ['JOURNAL_WRITE_FAILED', 11],
    ['LINK_ADDRESS_IN_USE', 10],
    ['DEVICE_PORT_MISSING', 9],
    ['ENOENT', 70],
    [undefined, 70],
  ])('%s ends with %i', (errorCode, code) => {
    expect(exitCodeFor(errorCode)).toBe(code);
  });
});
