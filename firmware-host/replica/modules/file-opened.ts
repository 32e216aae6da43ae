/** The synchronous calls of `fs` on open files. */
import fs from 'node:fs';
import { type FileDescriptors, openFlags } from './file-descriptors.ts';
import type { FileHistory } from './file-history.ts';
import { contentBytes, numericMode } from './file-writes.ts';

export type Position = number | bigint | null | undefined;

export interface ReadSpan {
  buffer: NodeJS.ArrayBufferView;
  offset: number;
  length: number;
  position: Position;
}

/** `read(fd, buffer, offset?, length?, position?)`, `read(fd, buffer, options?)` and `read(fd, options?)`. */
export function readSpan(parameters: unknown[]): ReadSpan {
  const [first, second, third, fourth] = parameters;
  let buffer = first as NodeJS.ArrayBufferView;
  let span = { offset: second, length: third, position: fourth } as Partial<ReadSpan>;
  if (!ArrayBuffer.isView(first)) {
    const options = (first ?? {}) as Partial<ReadSpan>;
    buffer = options.buffer ?? Buffer.alloc(16384);
    span = options;
  } else if (typeof second === 'object' && second !== null) span = second as Partial<ReadSpan>;
  const offset = Number(span.offset ?? 0);
  const length = Number(span.length ?? buffer.byteLength - offset);
  if (offset < 0 || length < 0 || offset + length > buffer.byteLength) {
    const message = `The value of "length" is out of range. It must be >= 0 && <= ${buffer.byteLength - offset}. Received ${length}`;
    throw Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
  }
  return { buffer, offset, length, position: span.position };
}

/** `write(fd, buffer, offset?, length?, position?)` or `(fd, buffer, options)` or `(fd, text, position?, encoding?)`. */
export function writeSpan(parameters: unknown[]): { bytes: Uint8Array; position: number | null } {
  const [first, second, third, fourth] = parameters;
  if (typeof first === 'string') {
    const position = typeof second === 'number' ? second : null;
    return { bytes: contentBytes(first, third), position };
  }
  const all = contentBytes(first, 'utf8');
  const named = typeof second === 'object' && second !== null ? (second as Partial<ReadSpan>) : null;
  const offset = Number((named ? named.offset : second) ?? 0);
  const length = Number((named ? named.length : third) ?? all.length - offset);
  const position = named ? named.position : fourth;
  if (offset < 0 || length < 0 || offset + length > all.length) {
    const message = `The value of "length" is out of range. Received ${length}`;
    throw Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
  }
  return {
    bytes: all.subarray(offset, offset + length),
    position: typeof position === 'number' ? position : null,
  };
}

export function openFiles(history: FileHistory, descriptors: FileDescriptors) {
  const read = (descriptor: number, ...parameters: unknown[]): number => {
    const { buffer, offset, length, position } = readSpan(parameters);
    if (length === 0) return 0;
    const bytes = descriptors.read(descriptor, length, position ?? null);
    new Uint8Array(buffer.buffer, buffer.byteOffset + offset).set(bytes);
    return bytes.length;
  };
  const write = (descriptor: number, ...parameters: unknown[]): number => {
    const { bytes, position } = writeSpan(parameters);
    return descriptors.write(descriptor, bytes, position);
  };
  return {
    open(name: unknown, flags?: unknown, mode?: unknown): number {
      return descriptors.open(history.paths.absolute(name), openFlags(flags), numericMode(mode, 0o666));
    },
    close: (descriptor: number): void => descriptors.close(descriptor),
    read,
    write,

    readv(descriptor: number, buffers: NodeJS.ArrayBufferView[], position?: number | null): number {
      let total = 0;
      for (const buffer of buffers) {
        const at = typeof position === 'number' ? position + total : null;
        const count = read(descriptor, buffer, 0, buffer.byteLength, at);
        total += count;
        if (count < buffer.byteLength) break;
      }
      return total;
    },

    writev(descriptor: number, buffers: NodeJS.ArrayBufferView[], position?: number | null): number {
      const parts = buffers.map((buffer) => contentBytes(buffer, 'utf8'));
      return write(descriptor, Buffer.concat(parts), 0, undefined, position);
    },

    ftruncate: (descriptor: number, length = 0) =>
      descriptors.change('ftruncate', descriptor, (real) => fs.ftruncateSync(real, length)),
    fchmod: (descriptor: number, mode: fs.Mode) =>
      descriptors.change('fchmod', descriptor, (real) => fs.fchmodSync(real, mode)),
    fchown: (descriptor: number, user: number, group: number) =>
      descriptors.change('fchown', descriptor, (real) => fs.fchownSync(real, user, group)),
    futimes: (descriptor: number, accessed: fs.TimeLike, modified: fs.TimeLike) =>
      descriptors.change('futimes', descriptor, (real) => fs.futimesSync(real, accessed, modified)),
    fsync: (descriptor: number) => descriptors.change('fsync', descriptor, fs.fsyncSync),
    fdatasync: (descriptor: number) => descriptors.change('fdatasync', descriptor, fs.fdatasyncSync),
  };
}
