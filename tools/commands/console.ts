/** `understudy console password`: makes what the config holds of a console's password. */
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { hashPassword, passwordCharactersMin } from '../../firmware-host/console/password.ts';
import { exitCodes } from '../../firmware-host/exit-codes.ts';

export function registerConsole(program: Command): void {
  const command = program.command('console').description('what belongs to the consoles of a board');
  command
    .command('password')
    .description('read a password from standard input, and print the line that the config takes for it')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  understudy console password                       asks for it twice; it is not shown
  pass show pump-house | understudy console password

The line belongs into boards.a.console.ports of the config, beside the port's path. Only a hash (scrypt) is in it.`,
    )
    .action(async (options: { json?: true }) => {
      process.exitCode = await makeHash(options.json === true);
    });
}

async function makeHash(isJson: boolean): Promise<number> {
  const [first, second] = process.stdin.isTTY ? await askTwice() : await readOnce();
  const fault = faultOf(first, second);
  if (fault !== null) {
    process.stderr.write(`understudy: ${fault}\n`);
    return exitCodes.usage.code;
  }
  const hash = await hashPassword(first!);
  const text = isJson
    ? JSON.stringify({ schema: 1, kind: 'console-password', password: hash })
    : `password: ${hash}`;
  process.stdout.write(`${text}\n`);
  return exitCodes.ok.code;
}

function faultOf(first: string | null, second: string | null): string | null {
  if (first === null) return 'USAGE_PASSWORD: standard input ended before a password came';
  if (first !== second) return 'USAGE_PASSWORD: the two passwords differ';
  if ([...first].length < passwordCharactersMin)
    return `USAGE_PASSWORD: a password must have at least ${passwordCharactersMin} characters (got ${[...first].length})`;
  if (/\p{Cc}/u.test(first))
    return 'USAGE_PASSWORD: a password must have no control characters: they cannot be typed';
  return null;
}

/** The first line of a pipe. */
async function readOnce(): Promise<[string | null, string | null]> {
  for await (const line of createInterface({ input: process.stdin })) return [line, line];
  return [null, null];
}

/** What is typed is not shown: raw mode echoes nothing. */
async function askTwice(): Promise<[string | null, string | null]> {
  const answers: (string | null)[] = [];
  process.stdin.setRawMode(true);
  try {
    for (const prompt of ['Password: ', 'Once more: ']) answers.push(await askUnseen(prompt));
  } finally {
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }
  return [answers[0] ?? null, answers[1] ?? null];
}

function askUnseen(prompt: string): Promise<string | null> {
  process.stderr.write(prompt);
  return new Promise((resolve) => {
    let text = '';
    const finish = (answer: string | null): void => {
      process.stdin.off('data', take);
      process.stderr.write('\n');
      resolve(answer);
    };
    const take = (chunk: Buffer): void => {
      for (const character of chunk.toString()) {
        if (character === '\r' || character === '\n') return finish(text);
        if (character === '\u0003' || character === '\u0004') return finish(null);
        if (character === '\u007f' || character === '\b') text = [...text].slice(0, -1).join('');
        else text += character;
      }
    };
    process.stdin.on('data', take);
  });
}
