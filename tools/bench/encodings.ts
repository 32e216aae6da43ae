/**
 * A record in the encodings that people would reach for, written as their specifications say, for the sake of their sizes.
 *
 * MessagePack (github.com/msgpack/msgpack/blob/master/spec.md), CBOR (RFC 8949) and the Protocol Buffers wire format
 * (protobuf.dev/programming-guides/encoding). Integers in the shortest form, bytes as bytes, objects with their field
 * names, as a library does it without a schema; Protocol Buffers has a schema and so no names. JSON has no bytes: base64.
 */
import { eventKinds, type JournalRecord } from '../../protocol/record.ts';

export type Value =
  | number
  | boolean
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value };

const encoder = new TextEncoder();

function bytesOf(value: string): Uint8Array {
  return encoder.encode(value);
}

/** Big-endian, 1, 2, 4 or 8 bytes. */
function wide(value: number, bytes: 1 | 2 | 4 | 8): number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt.asUintN(64, BigInt(value)));
  return [...new Uint8Array(view.buffer, 8 - bytes)];
}

function widthOf(value: number): 1 | 2 | 4 | 8 {
  if (value < 0x100) return 1;
  if (value < 0x1_0000) return 2;
  return value < 0x1_0000_0000 ? 4 : 8;
}

const widthIndex = { 1: 0, 2: 1, 4: 2, 8: 3 } as const;

function cborHead(major: number, argument: number): number[] {
  if (argument < 24) return [(major << 5) | argument];
  const width = widthOf(argument);
  return [(major << 5) | (24 + widthIndex[width]), ...wide(argument, width)];
}

export function cbor(value: Value): number[] {
  if (typeof value === 'number') return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value);
  if (typeof value === 'boolean') return [value ? 0xf5 : 0xf4];
  if (typeof value === 'string') return [...cborHead(3, bytesOf(value).length), ...bytesOf(value)];
  if (value instanceof Uint8Array) return [...cborHead(2, value.length), ...value];
  if (isList(value)) return [...cborHead(4, value.length), ...value.flatMap(cbor)];
  const entries = Object.entries(value);
  return [...cborHead(5, entries.length), ...entries.flatMap(([key, each]) => [...cbor(key), ...cbor(each)])];
}

/** `fixed`: the one-byte form up to `fixedMax`; `types`: for a length of 1, 2 and 4 bytes, null where there is none. */
function messagePackHead(
  length: number,
  fixed: { type: number; most: number } | null,
  types: readonly (number | null)[],
): number[] {
  if (fixed !== null && length <= fixed.most) return [fixed.type | length];
  const width = widthOf(length);
  const type = types[widthIndex[width]];
  if (type !== null && type !== undefined) return [type, ...wide(length, width)];
  return [types[1]!, ...wide(length, 2)];
}

function messagePackNumber(value: number): number[] {
  if (value >= 0) {
    if (value < 0x80) return [value];
    const width = widthOf(value);
    return [0xcc + widthIndex[width], ...wide(value, width)];
  }
  if (value >= -32) return wide(value, 1);
  const width = value >= -0x80 ? 1 : value >= -0x8000 ? 2 : value >= -0x8000_0000 ? 4 : 8;
  return [0xd0 + widthIndex[width], ...wide(value, width)];
}

export function messagePack(value: Value): number[] {
  if (typeof value === 'number') return messagePackNumber(value);
  if (typeof value === 'boolean') return [value ? 0xc3 : 0xc2];
  if (typeof value === 'string') {
    const text = bytesOf(value);
    return [...messagePackHead(text.length, { type: 0xa0, most: 31 }, [0xd9, 0xda, 0xdb]), ...text];
  }
  if (value instanceof Uint8Array)
    return [...messagePackHead(value.length, null, [0xc4, 0xc5, 0xc6]), ...value];
  if (isList(value)) {
    const head = messagePackHead(value.length, { type: 0x90, most: 15 }, [null, 0xdc, 0xdd]);
    return [...head, ...value.flatMap(messagePack)];
  }
  const entries = Object.entries(value);
  const head = messagePackHead(entries.length, { type: 0x80, most: 15 }, [null, 0xde, 0xdf]);
  return [...head, ...entries.flatMap(([key, each]) => [...messagePack(key), ...messagePack(each)])];
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** Unsigned, seven bits a byte. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

/** A message whose fields are numbered in the order of its keys. Zero, false and empty fields are left out, as proto3 does. */
export function protocolBuffers(message: { readonly [key: string]: Value }): number[] {
  return Object.values(message).flatMap((value, index) => {
    const tag = (wireType: number): number[] => varint((index + 1) * 8 + wireType);
    if (typeof value === 'number') return value === 0 ? [] : [...tag(0), ...varint(value)];
    if (typeof value === 'boolean') return value ? [...tag(0), 1] : [];
    if (typeof value === 'string' || value instanceof Uint8Array) {
      const bytes = typeof value === 'string' ? bytesOf(value) : value;
      return bytes.length === 0 ? [] : [...tag(2), ...varint(bytes.length), ...bytes];
    }
    const parts = isList(value) ? value : [value];
    return parts.flatMap((part) => {
      const bytes = protocolBuffers(part as { readonly [key: string]: Value });
      return [...tag(2), ...varint(bytes.length), ...bytes];
    });
  });
}

export function json(value: Value): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    each instanceof Uint8Array ? Buffer.from(each).toString('base64') : each,
  );
}

/** A record as an object, with its turn: what each message would have to say without a batch around it. */
export function recordAsObject(turn: number, record: JournalRecord): { readonly [key: string]: Value } {
  if (record.kind === 'idle') {
    const { kind, timeUs, stepUs, count } = record;
    return { turn, kind, timeUs, stepUs, count };
  }
  const { timeUs, event, values, hasOutputs, digest } = record;
  return {
    turn,
    kind: 'turn',
    timeUs,
    event: event as unknown as Value,
    ...(values.length === 0 ? {} : { values }),
    ...(hasOutputs ? { digest } : {}),
  };
}

/** The same with numbers for kinds, as a schema's enumerations are. */
export function recordAsMessage(turn: number, record: JournalRecord): { readonly [key: string]: Value } {
  if (record.kind === 'idle') return { ...recordAsObject(turn, record), kind: 2 };
  const { kind, ...rest } = record.event;
  const event = {
    kind: eventKinds.indexOf(kind) + 1,
    ...(kind === 'start' ? { json: JSON.stringify(rest) } : rest),
  };
  const { timeUs, values, digest } = record;
  return { turn, kind: 1, timeUs, event, values, digest };
}
