/** Another process that has a serial port open and locked, as a terminal program or ModemManager would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SerialPort } from 'serialport';

export interface PortHolder {
  /** Resolves when the process has ended and the port is free. May be called twice. */
  release(): Promise<void>;
}

/** Resolves when the port is held; rejects when it cannot be opened. */
export async function holdPort(path: string): Promise<PortHolder> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const held = await Promise.race([once(lines, 'line').then(() => true), ended.then(() => false)]);
  if (!held) throw new Error(`${path} cannot be held`);
  return { release: () => release(child, ended) };
}

async function release(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.stdin?.end();
  await ended;
}

function main(path: string): void {
  const port = new SerialPort({ path, baudRate: 9600 });
  port.on('data', () => {});
  port.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  port.on('open', () => process.stdout.write('held\n'));
  process.stdin.on('end', () => process.exit(0)).resume();
}

if (import.meta.main) main(process.argv[2]!);
