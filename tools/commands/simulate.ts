/**
 * `understudy simulate`: the simulated device alone, for boards started by hand.
 *
 * It runs in a process of its own (hil-tests/rigs/local/device-process.ts), as it does under `understudy dev`.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DeviceEvent } from '../../hil-tests/rigs/local/device-events.ts';
import { wholeNumber } from '../program.ts';

interface SimulateOptions {
  board: string;
  plant: string;
  plain?: true;
  linkA?: string;
  linkB?: string;
  baudRate: number;
  holdTime: number;
  seed: number;
  stateFile?: string;
  json?: true;
}

const refuse = (message: string): Error => new InvalidArgumentError(message);

export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .description('host a simulated device: Firmata, one port per board, in front of a simulated plant')
    .addOption(
      new Option('--board <name>', 'what it looks like').choices(['uno', 'mega-2560']).default('uno'),
    )
    .addOption(
      new Option('--plant <name>', 'what it controls')
        .choices(['water-tank', 'bench', 'none'])
        .default('water-tank'),
    )
    .option('--plain', 'Firmata straight through, without the fence')
    .option('--link-a <path>', "make this a symbolic link to board a's port")
    .option('--link-b <path>', "make this a symbolic link to board b's port")
    .option('--baud-rate <bits>', 'of both ports', wholeNumber(refuse, 1200, 4_000_000), 115_200)
    .option(
      '--hold-time <ms>',
      'without a live controller for so long: safe state',
      wholeNumber(refuse, 10, 60_000),
      1000,
    )
    .option('--seed <number>', "of the plant's noise", wholeNumber(refuse, 0, 0xffff_ffff), 1)
    .option('--state-file <file>', 'keeps term and session over a restart, as the EEPROM of a device does')
    .option('--json', 'every event as NDJSON, outputs and plant included')
    .addHelpText(
      'after',
      `
Examples:
  understudy simulate --link-a /tmp/device-a --link-b /tmp/device-b
  understudy simulate --board mega-2560 --plant bench --json > device.ndjson

Prints the paths of its two ports, to be named in the config under devices. Takes commands on standard input, one
JSON object a line: {"command":"restart"}, {"command":"close-port","port":0}, {"command":"open-port","port":0},
{"command":"plant","action":"press-button"}, {"command":"stop"}. Ctrl-C ends it with a summary.`,
    )
    .action(async (options: SimulateOptions, command: Command) => {
      if ((options.linkA === undefined) !== (options.linkB === undefined)) {
        command.error('error: --link-a and --link-b must be given together');
      }
      process.exitCode = await host(options);
    });
}

function deviceOptions(options: SimulateOptions): Record<string, unknown> {
  return {
    mode: options.plain === true ? 'plain' : 'fenced',
    board: options.board,
    plant: options.plant,
    baudRate: options.baudRate,
    holdTimeMs: options.holdTime,
    seed: options.seed,
    ...(options.stateFile === undefined ? {} : { stateFile: options.stateFile }),
    ...(options.linkA === undefined ? {} : { linkPaths: [options.linkA, options.linkB] }),
  };
}

function host(options: SimulateOptions): Promise<number> {
  const entry = fileURLToPath(new URL('../../hil-tests/rigs/local/device-process.ts', import.meta.url));
  const words = [
    '--disable-warning=ExperimentalWarning',
    entry,
    '--options',
    JSON.stringify(deviceOptions(options)),
  ];
  // Of its own process group: Ctrl-C reaches it through us once, not twice.
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  // The device ends with its input. Ours may be /dev/null, which is no wish to end.
  process.stdin.pipe(child.stdin, { end: false });
  child.stdin.on('error', () => process.stdin.unpipe(child.stdin));
  let isStopping = false;
  const stop = (): void => {
    // As a command first, which a device that is only just starting obeys too, and ends with a summary.
    if (isStopping) child.kill('SIGTERM');
    else child.stdin.write('{"command":"stop"}\n');
    isStopping = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (options.json === true) process.stdout.write(`${line}\n`);
    else for (const text of describe(JSON.parse(line) as DeviceEvent)) process.stdout.write(`${text}\n`);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      process.stdin.unpipe(child.stdin);
      process.stdin.destroy();
      resolve(code ?? 1);
    });
  });
}

const boardOf = (port: number): string => (port === 0 ? 'a' : 'b');

/** The lines for people; outputs and the plant's state are many and shown with --json only. */
function describe(event: DeviceEvent): string[] {
  switch (event.event) {
    case 'ready':
      return [
        `${event.mode} device ready, term ${event.term}, session ${event.session}`,
        `  port of board a: ${event.paths[0]}`,
        `  port of board b: ${event.paths[1]}`,
      ];
    case 'attached':
      return [`board ${boardOf(event.port)} attached under term ${event.term}`];
    case 'released':
      return [`board ${boardOf(event.port)} released term ${event.term}`];
    case 'rejected-stale':
      return [
        `${event.bytes} bytes of board ${boardOf(event.port)} rejected: its term ${event.term} is stale`,
      ];
    case 'safe-state':
      return ['no live controller: outputs in the safe state'];
    case 'session':
      return [`session ${event.session} begins under term ${event.term}`];
    case 'input-lost':
      return [`${event.bytes} bytes of input lost: nobody took them in time`];
    case 'discarded':
      return [`discarded from board ${boardOf(event.port)}: ${event.reason}`];
    case 'wrong-speed':
      return [`board ${boardOf(event.port)} opened its port at ${event.baudRate} baud`];
    case 'bad-command':
      return [`command refused: ${event.reason}`];
    case 'summary': {
      const outputBytes = event.sessions.reduce((sum, session) => sum + session.outputBytes, 0);
      return [
        `${outputBytes} bytes of outputs accepted, ${event.rejectedBytes} rejected as stale; ${event.takeovers} takeovers; ` +
          `${event.inputBytes} bytes of input sent, ${event.inputBytesLost} lost; ${event.safeStates} times in the safe state`,
      ];
    }
    case 'output':
    case 'port':
    case 'state':
      return [];
  }
}
