/** `understudy doctor`: what is missing on this machine, and what to do. */
import { styleText } from 'node:util';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type BoardName, type Config, ConfigError, loadConfig } from '../../firmware-host/config/config.ts';
import { pairSchema } from '../../firmware-host/config/schema.ts';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { type Check, missing, type Verdict } from '../doctor/check.ts';
import { judgeLateness, measureLateness } from '../doctor/jitter.ts';
import { checkMachine } from '../doctor/machine.ts';
import { boardsHere, checkPair } from '../doctor/pair-files.ts';
import { judgeTiming, type Timing, type Trial } from '../doctor/timing-advice.ts';
import { wholeNumber } from '../program.ts';

interface DoctorOptions {
  config?: string;
  board?: BoardName;
  json?: true;
  jitter?: true;
  seconds: number;
}

const jitterMs = 2000;
/** What a board may meet: nothing beside it, every core busy, the memory bus busy, the disk busy. */
const trialLoads = ['none', 'cpu', 'memory', 'disk'] as const;
const secondsMax = 3600;
const refuse = (message: string): Error => new InvalidArgumentError(message);

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
    .option('--jitter', 'heartbeats between two processes under load: which timing this board can keep')
    .option(
      '--seconds <n>',
      'how long --jitter takes under each load',
      wholeNumber(refuse, 1, secondsMax),
      15,
    )
    .addHelpText(
      'after',
      `
Examples:
  understudy doctor
  understudy doctor --config pair.yaml --board a
  understudy doctor --config pair.yaml --jitter --seconds 60
  understudy doctor --json | jq '.checks[] | select(.verdict != "ok")'

Takes about 2 seconds: it measures how late timers run. Opens no serial port, so it may be run beside a running
board. But --jitter loads the machine on purpose, four loads one after the other: not beside a pair that is at work. It advises
timing.detectionTimeoutMs, and a setting at which it counted a living process as dead is refused. Exit code ${exitCodes.ok.code} when nothing is missing (warnings allowed), else ${exitCodes.machine.code}.`,
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
  const trials = options.jitter === true ? await runTrials(options, timing) : [];
  if (trials.length > 0) checks.push(judgeTiming(trials, timing));
  const isReady = checks.every((check) => check.verdict !== 'missing');
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ schema: 1, kind: 'doctor', ready: isReady, checks, lateness, ...(trials.length > 0 ? { trials } : {}) })}\n`,
    );
  } else {
    for (const check of checks) process.stdout.write(`${lineOf(check)}\n`);
    process.stdout.write(`\n${isReady ? 'Nothing is missing.' : 'Something is missing: see above.'}\n`);
  }
  return isReady ? exitCodes.ok.code : exitCodes.machine.code;
}

/** With the priority that boards have. */
async function runTrials({ seconds, json }: DoctorOptions, timing: Timing): Promise<Trial[]> {
  const { startLoad } = await import('../bench/load.ts');
  const { runHeartbeatTrial, trialTimeoutsMs } = await import('../doctor/heartbeat-trial.ts');
  const { heartbeatIntervalMs, detectionTimeoutMs } = timing;
  const timeoutsMs = [...new Set([...trialTimeoutsMs, detectionTimeoutMs])];
  const trials: Trial[] = [];
  for (const load of trialLoads) {
    if (json !== true) process.stderr.write(`heartbeats under load ${load}, ${seconds} s ...\n`);
    const running = await startLoad(load);
    try {
      const common = { durationMs: seconds * 1000, heartbeatIntervalMs, timeoutsMs };
      trials.push({
        load,
        priority: 'nice',
        result: await runHeartbeatTrial({ priority: 'nice', ...common }),
      });
    } finally {
      await running.stop();
    }
  }
  return trials;
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
