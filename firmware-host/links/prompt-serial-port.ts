/**
 * A serial port of this board: `serialport`'s stream and its opening, line settings and closing, with reads and writes
 * of our own where the system is Linux. Its descriptor does not block, so a read or a write is one system call that
 * returns at once; `serialport` hands each to a thread and waits for it, which costs more than the call
 * (docs/performance.md), and behaves badly in three cases that a port on a board meets, measured with serialport 13:
 *
 * - A read that begins while a write waits for room takes the write's place at the poller: the write is heard of
 *   again only when the other side sends something, which may be never. Here a write that finds no room is tried
 *   again from a timer and shares the poller with nobody.
 * - A read after a hang-up returns no bytes, and is repeated without pause, for ever: a whole core, and no word of the
 *   loss. Here it is the loss (termios with VMIN 1: no bytes now is EAGAIN, so 0 bytes is the end).
 * - Once a write has waited, every event is followed by one that nobody waits for.
 */
import { readSync, writeSync } from 'node:fs';
import { LinuxPortBinding } from '@serialport/bindings-cpp';
import type { BindingInterface, BindingPortInterface } from '@serialport/bindings-interface';
import { SerialPortStream } from '@serialport/stream';
import { SerialPort } from 'serialport';

export interface SerialPortOptions {
  /** Device file, such as /dev/ttyAMA0. */
  path: string;
  /** Bits a second. */
  baudRate: number;
  /** Whether DTR falls when the last opener closes, which resets many microcontrollers. Default true. */
  hupcl?: boolean;
}

const bitsPerByte = 10;
/** A write that found no room waits for as long as so many bytes need, within these bounds. */
const roomBytes = 64;
const roomMs = { least: 1, most: 20 };

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
const isNotYet = (error: unknown): boolean => ['EAGAIN', 'EWOULDBLOCK', 'EINTR'].includes(codeOf(error));

/** As `serialport`'s stream knows it: no loss, nobody is to be told. */
function closedError(): Error {
  return Object.assign(new Error('the port is closed'), { canceled: true });
}

function readable({ poller }: LinuxPortBinding): Promise<void> {
  return new Promise((resolve, reject) => {
    poller.once('readable', (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}

function room({ openOptions }: LinuxPortBinding): Promise<void> {
  const bytesMs = (roomBytes * bitsPerByte * 1000) / openOptions.baudRate;
  const waitMs = Math.min(Math.max(bytesMs, roomMs.least), roomMs.most);
  return new Promise((resolve) => setTimeout(resolve, waitMs));
}

async function read(port: LinuxPortBinding, buffer: Buffer, offset: number, length: number) {
  for (;;) {
    if (port.fd === null) throw closedError();
    // One read a turn of the event loop, however fast the line: nothing else may starve.
    await readable(port);
    if (port.fd === null) throw closedError();
    try {
      const bytesRead = readSync(port.fd, buffer, offset, length, null);
      if (bytesRead === 0) throw new Error('the line was hung up');
      return { buffer, bytesRead };
    } catch (error) {
      if (!isNotYet(error)) throw error;
    }
  }
}

async function write(port: LinuxPortBinding, buffer: Buffer): Promise<void> {
  let offset = 0;
  while (offset < buffer.length) {
    if (port.fd === null) throw closedError();
    try {
      offset += writeSync(port.fd, buffer, offset);
    } catch (error) {
      if (!isNotYet(error)) throw error;
      await room(port);
    }
  }
}

/** The same port, read and written promptly. */
function makePrompt(port: LinuxPortBinding): void {
  const drain = port.drain.bind(port);
  let written = Promise.resolve();
  port.read = (buffer, offset, length) => read(port, buffer, offset, length);
  port.write = (buffer) => {
    written = write(port, buffer);
    return written;
  };
  port.drain = async () => {
    await written;
    await drain();
  };
}

const binding: BindingInterface = {
  list: () => SerialPort.binding.list(),
  open: async (options) => {
    const port: BindingPortInterface = await SerialPort.binding.open(options as never);
    if (port instanceof LinuxPortBinding) makePrompt(port);
    return port;
  },
};

/** Not open yet: see `open`. */
export class PromptSerialPort extends SerialPortStream {
  constructor(options: SerialPortOptions) {
    super({ ...options, binding, autoOpen: false });
  }
}
