/** `understudy monitor`: watch one or both boards over their consoles. */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../program.ts';

interface Options {
  config?: string;
  directory?: string;
  plain?: true;
  json?: true;
  raw?: true;
  hex?: true;
  timestamps?: true;
  list?: true;
  atBaud: number;
  log?: string;
  logSize: number;
  logKeep: number;
  passwordFile?: string;
  reconnect: boolean;
}

const refuse = (message: string): Error => new InvalidArgumentError(message);

export function registerMonitor(program: Command): void {
  program
    .command('monitor')
    .description('watch a pair over the consoles of its boards: serial ports, pseudo-terminals, sockets')
    .argument('[port...]', 'one or two of: a device file, a socket, a or b for a board of the configuration')
    .option(
      '--config <file>',
      'the pair.yaml that a and b are looked up in (default: the one here, or a running dev)',
    )
    .option('--directory <path>', 'the directory of a running `understudy dev --directory`')
    .option('--plain', 'lines: what happens on both boards, in one order')
    .option('--json', 'NDJSON: every item, and once a second what follows from them')
    .option('--raw', 'pass bytes through, between one port and this terminal')
    .option('--hex', 'with --raw: bytes as hex')
    .option('--timestamps', 'with --raw: the time at the beginning of each line')
    .option('--list', 'the serial ports of this computer')
    .option('--at-baud <rate>', 'speed of serial ports', wholeNumber(refuse, 300, 4_000_000), 115_200)
    .option('--log <file>', 'append what happens to this file, dated')
    .option(
      '--log-size <kilobytes>',
      'rotate the log at this size',
      wholeNumber(refuse, 1, 10_000_000),
      10_000,
    )
    .option('--log-keep <count>', 'keep so many older logs', wholeNumber(refuse, 0, 1000), 5)
    .option('--password-file <file>', 'first line: the password of consoles that want one')
    .option('--no-reconnect', 'end when a port cannot be opened or is lost, instead of looking for it')
    .addHelpText(
      'after',
      `
Examples:
  understudy monitor                               both boards of ./pair.yaml, or of the dev that runs here
  understudy monitor /dev/ttyUSB0 /dev/ttyUSB1     two cables, whichever board is on which
  understudy monitor a --config pair.yaml --plain  one board, as lines
  understudy monitor --json | jq 'select(.kind == "outlook").takeover'
  understudy monitor /dev/ttyUSB0 --raw --hex --timestamps --at-baud 9600

Keys: w switches over (after a question), : sends a command, e explains, Tab turns the page, ? helps, Ctrl-T is the
menu, q quits. A port that vanishes is looked for until it is back.`,
    )
    .action(async (words: string[], options: Options) => {
      process.exitCode = await run(words, options);
    });
}

async function run(words: string[], options: Options): Promise<number> {
  const { MonitorError, resolveTargets } = await import('../monitor/targets.ts');
  if (options.list === true) return await list();
  const { config, directory, atBaud: baudRate, reconnect } = options;
  const chosen = [options.plain, options.json, options.raw].filter((each) => each === true);
  if (chosen.length > 1) {
    throw new MonitorError('USAGE_PORTS', 'at most one of --plain, --json and --raw can be given');
  }
  const targets = resolveTargets(words, {
    ...(config === undefined ? {} : { config }),
    ...(directory === undefined ? {} : { directory }),
    baudRate,
  });
  if (options.raw === true && (words.length !== 1 || targets.length !== 1)) {
    throw new MonitorError('USAGE_PORTS', '--raw needs exactly one port: bytes of two would mix');
  }
  const { ownSurroundings, runMonitor } = await import('../monitor/session.ts');
  const { LogFile } = await import('../monitor/log-file.ts');
  const log =
    options.log === undefined
      ? null
      : new LogFile({ path: options.log, bytesMax: options.logSize * 1000, keep: options.logKeep });
  if (options.raw === true) {
    const { runRaw } = await import('../monitor/raw-session.ts');
    const [target] = targets;
    return await runRaw(
      {
        ...{ target: target!, reconnect, log },
        isHex: options.hex === true,
        hasTimestamps: options.timestamps === true,
      },
      ownSurroundings(),
    );
  }
  const password = options.passwordFile === undefined ? null : passwordOf(options.passwordFile, MonitorError);
  const view = options.json === true ? 'json' : options.plain === true ? 'plain' : 'screen';
  return await runMonitor({ targets, view, reconnect, password, log }, ownSurroundings());
}

function passwordOf(
  file: string,
  MonitorError: typeof import('../monitor/targets.ts')['MonitorError'],
): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[0]!;
  } catch (error) {
    throw new MonitorError('USAGE_PASSWORD_FILE', `--password-file ${file}: ${(error as Error).message}`);
  }
}

async function list(): Promise<number> {
  const { listPorts } = await import('../monitor/port-list.ts');
  const { runningDevPairs } = await import('../monitor/targets.ts');
  const ports = listPorts();
  for (const { path, description, stablePath } of ports) {
    process.stdout.write(
      `${path.padEnd(16)} ${description}${stablePath === null ? '' : `\n${' '.repeat(17)}${stablePath}`}\n`,
    );
  }
  if (ports.length === 0) process.stdout.write('no serial port on this computer\n');
  for (const config of runningDevPairs()) {
    process.stdout.write(`a, b             \`understudy dev\`, running here: --config ${config}\n`);
  }
  return 0;
}
