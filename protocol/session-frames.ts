/**
 * What a sealed datagram of the session contains (protocol/README.md §7.2): one or more frames.
 *
 * ```
 * datagram  = frame+
 * ack       = 01 cumulative received-extra range-count (gap length)*
 * heartbeat = 02 counter echo held payload-version known-version [length bytes]   (03: without the payload)
 * data      = 04 first-sequence count (length*4 + first + 2*last, bytes)*
 * ```
 * All numbers are varints (§1). Ranges are relative to what precedes them, so an acknowledgement is a handful of bytes.
 */
import { ByteReader, type ByteWriter, WireError } from './bytes.ts';

/** A piece of a message, numbered from 1 in its direction of the stream. */
export interface Fragment {
  sequence: number;
  /** Begins a message / ends one. A message that fits into one fragment has both. */
  first: boolean;
  last: boolean;
  bytes: Uint8Array;
}

/** Half-open: `from` is included, `to` is not. */
export interface SequenceRange {
  from: number;
  to: number;
}

export interface AcknowledgementFrame {
  kind: 'acknowledgement';
  /** Every fragment up to and including this one belongs to a message that the peer's host has stored. */
  cumulative: number;
  /** Every fragment up to and including this one was received; >= cumulative. */
  received: number;
  /** Received beyond the first gap, ascending. */
  ranges: SequenceRange[];
}

export interface HeartbeatFrame {
  kind: 'heartbeat';
  /** Counts this sender's heartbeats on this link, from 1. */
  counter: number;
  /** The highest counter received on this link, 0 before the first. */
  echo: number;
  /** Time between the arrival of that heartbeat and the sending of this one, in units of 1/8 ms. */
  heldEighthsMs: number;
  /** Version of the sender's payload; 0 while it has none. */
  payloadVersion: number;
  /** The newest payload version that the sender holds of its peer. */
  knownVersion: number;
  /** Null: left out, the peer has it or the link is too slow to repeat it. */
  payload: Uint8Array | null;
}

export interface DataFrame {
  kind: 'data';
  fragments: Fragment[];
}

export type SessionFrame = AcknowledgementFrame | HeartbeatFrame | DataFrame;

const acknowledgementTag = 1;
const heartbeatTag = 2;
const heartbeatWithoutPayloadTag = 3;
const dataTag = 4;

/** Of a data frame: tag, first sequence (up to 2^42), count. */
export const dataFrameHeaderBytesMax = 1 + 6 + 2;
/** Of one fragment in it, for fragments below 4 KiB. */
export const fragmentHeaderBytesMax = 2;

export function writeAcknowledgement(writer: ByteWriter, frame: AcknowledgementFrame): void {
  writer
    .u8(acknowledgementTag)
    .varint(frame.cumulative)
    .varint(frame.received - frame.cumulative)
    .varint(frame.ranges.length);
  let position = frame.received + 1;
  for (const range of frame.ranges) {
    writer.varint(range.from - position).varint(range.to - range.from);
    position = range.to;
  }
}

export function writeHeartbeat(writer: ByteWriter, frame: HeartbeatFrame): void {
  writer
    .u8(frame.payload === null ? heartbeatWithoutPayloadTag : heartbeatTag)
    .varint(frame.counter)
    .varint(frame.echo)
    .varint(frame.heldEighthsMs)
    .varint(frame.payloadVersion)
    .varint(frame.knownVersion);
  if (frame.payload !== null) writer.bytes(frame.payload);
}

/** The fragments follow each other without a gap from `from` (included) to `to` (not included) of the array. */
export function writeData(
  writer: ByteWriter,
  fragments: readonly Fragment[],
  from: number,
  to: number,
): void {
  writer
    .u8(dataTag)
    .varint(fragments[from]!.sequence)
    .varint(to - from);
  for (let index = from; index < to; index++) {
    const { first, last, bytes } = fragments[index]!;
    writer.varint(bytes.length * 4 + (first ? 1 : 0) + (last ? 2 : 0)).raw(bytes);
  }
}

/** Any fragments: one data frame for each run of consecutive ones. */
export function writeFragments(writer: ByteWriter, fragments: readonly Fragment[]): void {
  for (let from = 0; from < fragments.length; ) {
    let to = from + 1;
    while (to < fragments.length && fragments[to]!.sequence === fragments[to - 1]!.sequence + 1) to += 1;
    writeData(writer, fragments, from, to);
    from = to;
  }
}

/**
 * All frames of an opened datagram, or null when it is not one: the whole datagram then changes nothing.
 * Fragment bytes and payloads are views of `plaintext`.
 */
export function readFrames(plaintext: Uint8Array): SessionFrame[] | null {
  try {
    const reader = new ByteReader(plaintext);
    const frames: SessionFrame[] = [];
    while (reader.remaining > 0) {
      const frame = readFrame(reader);
      if (frame === null) return null;
      frames.push(frame);
    }
    return frames.length === 0 ? null : frames;
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

function readFrame(reader: ByteReader): SessionFrame | null {
  const tag = reader.u8();
  switch (tag) {
    case acknowledgementTag:
      return readAcknowledgement(reader);
    case heartbeatTag:
    case heartbeatWithoutPayloadTag:
      return {
        kind: 'heartbeat',
        counter: reader.varint(),
        echo: reader.varint(),
        heldEighthsMs: reader.varint(),
        payloadVersion: reader.varint(),
        knownVersion: reader.varint(),
        payload: tag === heartbeatTag ? reader.bytes().slice() : null,
      };
    case dataTag:
      return readData(reader);
    default:
      return null;
  }
}

function readAcknowledgement(reader: ByteReader): AcknowledgementFrame | null {
  const cumulative = reader.varint();
  const received = cumulative + reader.varint();
  const count = reader.varint();
  if (count * 2 > reader.remaining) return null;
  const ranges: SequenceRange[] = [];
  let position = received + 1;
  for (let index = 0; index < count; index++) {
    const from = position + reader.varint();
    const to = from + reader.varint();
    if (from === position || to === from) return null;
    ranges.push({ from, to });
    position = to;
  }
  return Number.isSafeInteger(position) ? { kind: 'acknowledgement', cumulative, received, ranges } : null;
}

function readData(reader: ByteReader): DataFrame | null {
  const firstSequence = reader.varint();
  const count = reader.varint();
  if (firstSequence === 0 || count === 0 || count > reader.remaining) return null;
  if (!Number.isSafeInteger(firstSequence + count)) return null;
  const fragments: Fragment[] = [];
  for (let index = 0; index < count; index++) {
    const header = reader.varint();
    const flags = header % 4;
    const bytes = reader.raw((header - flags) / 4);
    fragments.push({
      sequence: firstSequence + index,
      first: (flags & 1) !== 0,
      last: (flags & 2) !== 0,
      bytes,
    });
  }
  return { kind: 'data', fragments };
}
