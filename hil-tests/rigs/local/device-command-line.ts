/** What every device process is told and tells: options as one JSON argument, commands and events as NDJSON lines. */
import process from 'node:process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { type DeviceEvent, monotonicMs } from './device-events.ts';

/** Ends the process with 2, for its caller's fault. */
export function refuse(text: string): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = 2;
}

/** Null: they were refused. */
export function deviceOptionsFrom<T>(words: readonly string[], schema: z.ZodType<T>): T | null {
  const at = words.indexOf('--options');
  const parsed = schema.safeParse(at < 0 ? {} : parseJson(words[at + 1] ?? ''));
  if (parsed.success) return parsed.data;
  refuse(`options are wrong:\n${z.prettifyError(parsed.error)}`);
  return null;
}

export function tellDeviceEvents(): (event: DeviceEvent) => void {
  // Whoever started us and read our output is gone: nothing is left to do but to release the ports.
  process.stdout.on('error', () => process.exit(0));
  return (event) => {
    process.stdout.write(`${JSON.stringify({ ...event, monotonicMs: monotonicMs() })}\n`);
  };
}

/** Until it is told to stop, its input ends or a signal comes. */
export function obeyDeviceCommands<C extends { command: string }>(
  schema: z.ZodType<C>,
  device: { command(command: Exclude<C, { command: 'stop' }>): void; stop(): void },
  emit: (event: DeviceEvent) => void,
): void {
  const lines = createInterface({ input: process.stdin });
  const stop = () => {
    lines.close();
    process.stdin.destroy();
    device.stop();
  };
  lines.on('line', (line) => {
    const parsed = schema.safeParse(parseJson(line));
    if (!parsed.success) emit({ event: 'bad-command', reason: z.prettifyError(parsed.error) });
    else if (parsed.data.command === 'stop') stop();
    else device.command(parsed.data as Exclude<C, { command: 'stop' }>);
  });
  lines.on('close', stop);
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
