/** `understudy key`: makes the secret that the two boards share. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { Command } from 'commander';
import { exitCodes } from '../../firmware-host/exit-codes.ts';

const keyBytes = 32;

export function registerKey(program: Command): void {
  program
    .command('key')
    .description('make a pair key: 32 random bytes as 64 hex digits, in a file that only you can read')
    .argument('[file]', 'an existing file is never overwritten', 'pair.key')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  understudy key /etc/understudy/pair.key
  scp /etc/understudy/pair.key board-b:/etc/understudy/pair.key

Both boards need the same key (pairKeyFile in the config). Whoever has it can command the pair.`,
    )
    .action((file: string, options: { json?: true }) => {
      process.exitCode = makeKey(file, options.json === true);
    });
}

function makeKey(file: string, isJson: boolean): number {
  let descriptor: number;
  try {
    // Exclusive and private from its first moment: no one reads it before a chmod.
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const text =
      code === 'EEXIST'
        ? `KEY_EXISTS: ${file} is there already and is not overwritten: remove it first if no board needs it`
        : `KEY_NOT_WRITTEN: ${message}`;
    process.stderr.write(`understudy: ${text}\n`);
    return exitCodes.pairKey.code;
  }
  try {
    writeSync(descriptor, `${randomBytes(keyBytes).toString('hex')}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  const text = `${file}: a new pair key. Copy it to the other board, and keep its mode 600.`;
  process.stdout.write(`${isJson ? JSON.stringify({ schema: 1, kind: 'key', file }) : text}\n`);
  return exitCodes.ok.code;
}
