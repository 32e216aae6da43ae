/**
 * Opens what a console hangs on: a Unix socket, a serial port, a pseudo-terminal. Used once: what was lost is opened anew
 * as another one.
 */
import { statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { PromptSerialPort } from '../../firmware-host/links/prompt-serial-port.ts';

export interface ConsolePort {
  /** Without effect before `opened` and after `closed`. */
  write(bytes: Uint8Array | string): void;
  /** Nothing is told afterwards. */
  close(): void;
}

export interface PortListener {
  opened(): void;
  /** It cannot be opened. */
  refused(text: string): void;
  /** It was open and is gone. */
  closed(text: string): void;
  bytes(bytes: Uint8Array): void;
}

export interface PortAddress {
  path: string;
  /** Serial ports: bits a second. */
  baudRate: number;
}

export type OpenPort = (address: PortAddress, listener: PortListener) => ConsolePort;

/** A path that is not there yet is a socket when it is called one. */
export function kindOf(path: string): 'socket' | 'line' {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return path.endsWith('.sock') ? 'socket' : 'line';
  return found.isSocket() ? 'socket' : 'line';
}

export const openConsolePort: OpenPort = (address, listener) =>
  kindOf(address.path) === 'socket' ? openSocket(address, listener) : openLine(address, listener);

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  const text = error.message;
  if (code === 'ENOENT' || /No such file/i.test(text)) return 'is not there';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'the board closed it';
  if (code === 'ECONNREFUSED') return 'no board listens on it';
  if (code === 'EACCES' || /Permission denied/i.test(text))
    return 'this user may not open it: be in group dialout, or the same user as the board';
  if (/Cannot lock|busy/i.test(text)) return 'another process has it open';
  return text;
}

function openSocket({ path }: PortAddress, listener: PortListener): ConsolePort {
  const socket = createConnection(path);
  let state: 'opening' | 'open' | 'ended' = 'opening';
  const end = (text: string): void => {
    const before = state;
    state = 'ended';
    socket.destroy();
    if (before === 'opening') listener.refused(text);
    else if (before === 'open') listener.closed(text);
  };
  socket.on('connect', () => {
    if (state !== 'opening') return;
    state = 'open';
    listener.opened();
  });
  socket.on('data', (bytes) => {
    if (state === 'open') listener.bytes(bytes);
  });
  socket.on('error', (error) => end(reasonOf(error)));
  socket.on('close', () => end('the board closed it'));
  return {
    write: (bytes) => {
      if (state === 'open') socket.write(bytes);
    },
    close: () => {
      if (state === 'ended') return;
      state = 'ended';
      // What was written just before is still wanted.
      socket.end();
      socket.unref();
    },
  };
}

function openLine({ path, baudRate }: PortAddress, listener: PortListener): ConsolePort {
  let state: 'opening' | 'open' | 'ended' = 'opening';
  const port = new PromptSerialPort({ path, baudRate });
  const shut = (): void => {
    // A port that is lost says `close` twice, and may say `error` after it.
    if (port.isOpen) port.close(() => {});
  };
  const end = (text: string): void => {
    const before = state;
    state = 'ended';
    shut();
    if (before === 'opening') listener.refused(text);
    else if (before === 'open') listener.closed(text);
  };
  port.on('error', (error) => end(reasonOf(error)));
  port.on('close', () => end('the port went away'));
  port.on('data', (bytes: Buffer) => {
    if (state === 'open') listener.bytes(bytes);
  });
  port.open((error) => {
    if (state === 'ended') return shut();
    if (error) return end(reasonOf(error));
    state = 'open';
    listener.opened();
  });
  return {
    write: (bytes) => {
      if (state !== 'open') return;
      port.write(bytes, undefined, (error) => {
        if (error) end(reasonOf(error));
      });
    },
    close: () => {
      if (state === 'ended') return;
      const wasOpen = state === 'open';
      state = 'ended';
      if (wasOpen) port.drain(() => shut());
    },
  };
}
