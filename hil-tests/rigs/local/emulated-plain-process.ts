/**
 * A third party's firmware on the emulated Mega, in a process of its own: one line (UART0) that both boards are wired to, no fence.
 *
 *     board a: serialport --> pseudo-terminal --\
 *                                                >--> USART0 --> firmware --> pins --> plant
 *     board b: serialport --> pseudo-terminal --/
 *
 * It takes the place of device-process.ts in plain mode. Nothing is known of the firmware's own mind: outputs are what the boards
 * wrote, and effects what happened at the pins. Opening a port resets nothing, as on a line without DTR. Exit codes: 0 told to end, 2 wrong
 * options or no firmware.
 */
import process from 'node:process';
import { z } from 'zod';
import { Mega2560 } from '../../../boards/mega-2560/emulator/machine.ts';
import { Pacer } from '../../../boards/mega-2560/emulator/pacer.ts';
import { type DeviceEvent, monotonicMs } from './device-events.ts';
import { EmulatedBench } from './emulated-bench.ts';
import { firmwareFor } from './emulated-firmware.ts';
import { EmulatedUart } from './emulated-uart.ts';
import { OutputLedger } from './output-ledger.ts';

const optionsSchema = z.object({
  mode: z.literal('plain'),
  plant: z.enum(['water-tank', 'bench', 'none']).default('water-tank'),
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  firmwareFile: z.string().min(1),
  linkPaths: z.tuple([z.string().min(1), z.string().min(1)]),
  reportIntervalMs: z.int().min(10).max(60_000).default(100),
});

const catchUpMsMax = 100;
const session = 1;

function emit(event: DeviceEvent): void {
  process.stdout.write(`${JSON.stringify({ ...event, monotonicMs: monotonicMs() })}\n`);
}

function run(options: z.infer<typeof optionsSchema>, program: Uint8Array): void {
  const machine = new Mega2560({ program, ramSeed: options.seed });
  const bench = new EmulatedBench(machine, options);
  const ledger = new OutputLedger();
  ledger.beginSession(session);
  const carried: [number[], number[]] = [[], []];
  const uart = (port: 0 | 1): EmulatedUart =>
    new EmulatedUart({
      machine,
      port: 0,
      linkPath: options.linkPaths[port],
      carried: (byte) => carried[port].push(byte),
      wrongSpeed: (baudRate) => emit({ event: 'wrong-speed', port, baudRate }),
    });
  const uarts = [uart(0), uart(1)] as const;
  machine.onSerialOut((from, byte) => {
    if (from === 0) for (const each of uarts) each.sent(byte);
  });
  const pacer = new Pacer({ machine, clock: monotonicMs, catchUpMsMax });
  let lastPort: 0 | 1 | null = null;
  const pace = setInterval(() => {
    pacer.run();
    for (const port of [0, 1] as const) {
      uarts[port].flush();
      const bytes = Uint8Array.from(carried[port].splice(0));
      if (bytes.length === 0) continue;
      if (lastPort !== null && lastPort !== port) ledger.takeovers += 1;
      lastPort = port;
      const offset = ledger.output(port, bytes);
      const base64 = Buffer.from(bytes).toString('base64');
      emit({ event: 'output', port, term: 0, session, offset, base64 });
    }
  }, 1);
  const reports = setInterval(() => {
    for (const each of uarts) each.poll();
    emit({ event: 'state', pins: bench.pins, plant: bench.plant, effects: bench.effects });
  }, options.reportIntervalMs);
  let isStopped = false;
  const stop = (): void => {
    // A rig ends our input and sends SIGTERM too: the second must not cut off the summary.
    if (isStopped) return;
    isStopped = true;
    clearInterval(pace);
    clearInterval(reports);
    for (const each of uarts) each.close();
    process.stdin.destroy();
    emit({ event: 'summary', ...ledger.summary(bench.effects) });
  };
  process.on('SIGTERM', stop);
  process.stdin.resume().once('end', stop);
  emit({ event: 'ready', mode: 'plain', paths: [uarts[0].path, uarts[1].path], session, term: 0 });
  emit({ event: 'session', session, term: 0 });
}

function refuse(text: string): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = 2;
}

function main(): void {
  // Whoever started us and read our output is gone: nothing is left to do but to release the ports.
  process.stdout.on('error', () => process.exit(0));
  const at = process.argv.indexOf('--options');
  let given: unknown;
  try {
    given = JSON.parse(process.argv[at + 1] ?? '');
  } catch {
    return refuse('options must be JSON, after --options');
  }
  const options = optionsSchema.safeParse(given);
  if (!options.success) return refuse(`options are wrong:\n${z.prettifyError(options.error)}`);
  const firmware = firmwareFor({ holdTimeMs: 0, firmwareFile: options.data.firmwareFile });
  if (firmware.kind === 'fault') return refuse(firmware.text);
  run(options.data, firmware.bytes);
}

main();
