/** `understudy doctor`: what is missing on this machine, and what to do. */
import { styleText } from 'node:util';
import { type Command, Option } from 'commander';
import { type BoardName, type Config, ConfigError, loadConfig } from '../../firmware-host/config/config.ts';
import { pairSchema } from '../../firmware-host/config/schema.ts';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { type Check, missing, type Verdict } from '../doctor/check.ts';
import { judgeLateness, measureLateness } from '../doctor/jitter.ts';
import { checkMachine } from '../doctor/machine.ts';
import { boardsHere, checkPair } from '../doctor/pair-files.ts';

interface DoctorOptions {
  config?: string;
  board?: BoardName;
  json?: true;
}

const jitterMs = 2000;

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'look at this machine and, with --config, at what the pair needs on it: what is missing, and the remedy',
    )
    .option('--config <file>', "check this pair's ports, addresses, key, program and disk too")
    .addOption(
      new Option(
        '--board <a|b>',
        'which board this machine is (default: told by the Ethernet addresses)',
      ).choices(['a', 'b']),
    )
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  understudy doctor
  understudy doctor --config pair.yaml --board a
  understudy doctor --json | jq '.checks[] | select(.verdict != "ok")'

Takes about 2 seconds: it measures how late timers run. Opens no serial port, so it may be run beside a running
board. Exit code ${exitCodes.ok.code} when nothing is missing (warnings allowed), else ${exitCodes.machine.code}.`,
    )
    .action(async (options: DoctorOptions) => {
      process.exitCode = await examine(options);
    });
}

async function examine(options: DoctorOptions): Promise<number> {
  const lateness = await measureLateness(jitterMs);
  const checks = await checkMachine();
  let timing = pairSchema.shape.timing.parse(undefined);
  if (options.config !== undefined) {
    const config = readConfig(options.config);
    if ('verdict' in config) checks.push(config);
    else {
      timing = config.timing;
      checks.push(...(await checkPair(config, boardsHere(config, options.board))));
    }
  }
  checks.push(judgeLateness(lateness, timing));
  const isReady = checks.every((check) => check.verdict !== 'missing');
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ schema: 1, kind: 'doctor', ready: isReady, checks, lateness })}\n`,
    );
  } else {
    for (const check of checks) process.stdout.write(`${lineOf(check)}\n`);
    process.stdout.write(`\n${isReady ? 'Nothing is missing.' : 'Something is missing: see above.'}\n`);
  }
  return isReady ? exitCodes.ok.code : exitCodes.machine.code;
}

function readConfig(file: string): Config | Check {
  try {
    return loadConfig(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return missing(
      'config',
      `${error.code}: ${error.message}`,
      'docs/config.md has every key with its range.',
    );
  }
}

const colours = { ok: 'green', warning: 'yellow', missing: 'red', skipped: 'dim' } as const satisfies Record<
  Verdict,
  Parameters<typeof styleText>[0]
>;

function lineOf({ verdict, id, found, remedy }: Check): string {
  // styleText heeds NO_COLOR and a stream that is no terminal.
  const mark = styleText(colours[verdict], verdict.padEnd(8), { stream: process.stdout });
  const line = `${mark} ${id.padEnd(22)} ${found.replaceAll('\n', `\n${' '.repeat(32)}`)}`;
  return remedy === null ? line : `${line}\n${' '.repeat(9)}-> ${remedy}`;
}
