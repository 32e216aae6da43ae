/**
 * Messages between a controller and a fenced device (protocol/README.md §12.2).
 *
 * One message is one frame (§4) with CRC-16. Every field is of fixed size and little-endian and every message but two
 * has a fixed length, so a microcontroller reads them in place from one static buffer of `streamPayloadBytesMax`.
 * Offsets count bytes since the session began, modulo 2^32; `expandOffset` gives the full number back.
 */
import { ByteReader, ByteWriter } from '../bytes.ts';
import { encodeFrame, FrameDecoder, frameDelimiter } from '../frame.ts';

/** In HELLO. A controller refuses a device of another version: there is no negotiation. */
export const streamVersion = 1;

/** Bytes of the stream in one DATA or INPUT frame: 64 keep the frame at 77 bytes, 6.7 ms at 115200 baud. */
export const pieceBytesMax = 64;

/** Longest message: INPUT or DATA, 9 bytes of header and a full piece. */
export const streamPayloadBytesMax = 9 + pieceBytesMax;

export type ControllerMessage =
  /** Asks for HELLO. Needs no term: anyone may look. */
  | { kind: 'query' }
  /** `inputs`: offset of the first input byte that the controller does not have. */
  | { kind: 'attach'; term: number; session: number; inputs: number }
  /** 1..64 bytes of output, the first at `offset`. */
  | { kind: 'data'; term: number; offset: number; bytes: Uint8Array }
  /** Every input before `offset` is safe at the backup: the device may forget it. */
  | { kind: 'input-ack'; term: number; offset: number }
  /** "I am alive; are you?" Answered by ACCEPTED. */
  | { kind: 'keepalive'; term: number }
  /** Input was lost on the line: send again from `offset`. */
  | { kind: 'resend'; term: number; offset: number }
  /** The controller goes, as planned. Answered by HELLO. */
  | { kind: 'release'; term: number };

export type DeviceMessage =
  | {
      kind: 'hello';
      version: number;
      session: number;
      heldTerm: number;
      /** The device's outputs are in its declared safe state. */
      safe: boolean;
      /** A controller is attached on the port that this HELLO goes to. */
      attachedHere: boolean;
      attachedElsewhere: boolean;
      windowBytes: number;
      holdTimeMs: number;
    }
  | {
      kind: 'attached';
      term: number;
      session: number;
      /** Outputs accepted so far. */
      outputs: number;
      windowBytes: number;
      /** Offset from which the device sends inputs: the one asked for, unless it holds only later ones. */
      inputs: number;
    }
  | {
      kind: 'accepted';
      outputs: number;
      windowBytes: number;
      /** Inputs sent so far on this port. The line keeps order: what has not come by now was lost on it. */
      inputsSent: number;
      /** Input bytes refused since the session began because the ring was full; stays at 65535. */
      inputsLost: number;
      /** The DATA frame answered began behind a gap: send again from `outputs`. */
      gap: boolean;
    }
  | { kind: 'stale'; heldTerm: number }
  | { kind: 'input'; session: number; offset: number; bytes: Uint8Array };

export type StreamMessage = ControllerMessage | DeviceMessage;

const typeOf = {
  query: 0x01,
  attach: 0x02,
  data: 0x03,
  'input-ack': 0x04,
  keepalive: 0x05,
  resend: 0x06,
  release: 0x07,
  hello: 0x81,
  attached: 0x82,
  accepted: 0x83,
  stale: 0x84,
  input: 0x85,
} as const satisfies Record<StreamMessage['kind'], number>;

const safeFlag = 0x01;
const attachedHereFlag = 0x02;
const attachedElsewhereFlag = 0x04;
const gapFlag = 0x01;

/** These may be the first on the line after a restart in the middle of a frame, so a delimiter goes before them (§4). */
const openingKinds: ReadonlySet<StreamMessage['kind']> = new Set(['query', 'attach', 'hello']);

/** The bytes for the line. Offsets may be full numbers: they go out modulo 2^32. */
export function encodeStreamMessage(message: StreamMessage): Uint8Array {
  const writer = new ByteWriter(streamPayloadBytesMax).u8(typeOf[message.kind]);
  switch (message.kind) {
    case 'query':
      break;
    case 'attach':
      writer.u32(message.term).u32(message.session).u32(wrapOffset(message.inputs));
      break;
    case 'data':
      assertPiece(message.bytes);
      writer.u32(message.term).u32(wrapOffset(message.offset)).raw(message.bytes);
      break;
    case 'input-ack':
    case 'resend':
      writer.u32(message.term).u32(wrapOffset(message.offset));
      break;
    case 'keepalive':
    case 'release':
      writer.u32(message.term);
      break;
    case 'hello':
      writer.u8(message.version).u32(message.session).u32(message.heldTerm);
      writer.u8(
        (message.safe ? safeFlag : 0) |
          (message.attachedHere ? attachedHereFlag : 0) |
          (message.attachedElsewhere ? attachedElsewhereFlag : 0),
      );
      writer.u16(message.windowBytes).u16(message.holdTimeMs);
      break;
    case 'attached':
      writer.u32(message.term).u32(message.session).u32(wrapOffset(message.outputs));
      writer.u16(message.windowBytes).u32(wrapOffset(message.inputs));
      break;
    case 'accepted':
      writer.u32(wrapOffset(message.outputs)).u16(message.windowBytes);
      writer.u32(wrapOffset(message.inputsSent)).u16(message.inputsLost);
      writer.u8(message.gap ? gapFlag : 0);
      break;
    case 'stale':
      writer.u32(message.heldTerm);
      break;
    case 'input':
      assertPiece(message.bytes);
      writer.u32(message.session).u32(wrapOffset(message.offset)).raw(message.bytes);
      break;
  }
  const frame = encodeFrame(writer.finish(), 'crc16');
  if (!openingKinds.has(message.kind)) return frame;
  const opened = new Uint8Array(frameDelimiter.length + frame.length);
  opened.set(frameDelimiter);
  opened.set(frame, frameDelimiter.length);
  return opened;
}

export type StreamDiscardReason =
  /** A frame that §4 throws away. */
  | 'FRAME_TOO_LONG'
  | 'FRAME_COBS'
  | 'FRAME_CRC'
  | 'FRAME_TOO_SHORT'
  /** A whole frame with an unknown type or of a wrong length: another version, or no device of ours. */
  | 'MESSAGE_UNKNOWN'
  | 'MESSAGE_LENGTH';

export type StreamItem =
  | { kind: 'message'; message: StreamMessage }
  | { kind: 'discarded'; reason: StreamDiscardReason };

export function decodeStreamMessage(payload: Uint8Array): StreamItem {
  const reader = new ByteReader(payload);
  const type = reader.u8();
  const bodyBytes = reader.remaining;
  const fixed = bodyBytesOf.get(type);
  if (fixed !== undefined) {
    if (bodyBytes !== fixed) return { kind: 'discarded', reason: 'MESSAGE_LENGTH' };
  } else if (type === typeOf.data || type === typeOf.input) {
    if (bodyBytes < 9 || bodyBytes > 8 + pieceBytesMax)
      return { kind: 'discarded', reason: 'MESSAGE_LENGTH' };
  } else return { kind: 'discarded', reason: 'MESSAGE_UNKNOWN' };
  return { kind: 'message', message: readMessage(type, reader) };
}

const bodyBytesOf = new Map<number, number>([
  [typeOf.query, 0],
  [typeOf.attach, 12],
  [typeOf['input-ack'], 8],
  [typeOf.keepalive, 4],
  [typeOf.resend, 8],
  [typeOf.release, 4],
  [typeOf.hello, 14],
  [typeOf.attached, 18],
  [typeOf.accepted, 13],
  [typeOf.stale, 4],
]);

/** The length of the body has been checked: reading cannot run short. */
function readMessage(type: number, reader: ByteReader): StreamMessage {
  switch (type) {
    case typeOf.query:
      return { kind: 'query' };
    case typeOf.attach:
      return { kind: 'attach', term: reader.u32(), session: reader.u32(), inputs: reader.u32() };
    case typeOf.data:
      return { kind: 'data', term: reader.u32(), offset: reader.u32(), bytes: reader.rest() };
    case typeOf['input-ack']:
      return { kind: 'input-ack', term: reader.u32(), offset: reader.u32() };
    case typeOf.keepalive:
      return { kind: 'keepalive', term: reader.u32() };
    case typeOf.resend:
      return { kind: 'resend', term: reader.u32(), offset: reader.u32() };
    case typeOf.release:
      return { kind: 'release', term: reader.u32() };
    case typeOf.hello:
      return readHello(reader);
    case typeOf.attached: {
      const [term, session, outputs] = [reader.u32(), reader.u32(), reader.u32()];
      return { kind: 'attached', term, session, outputs, windowBytes: reader.u16(), inputs: reader.u32() };
    }
    case typeOf.accepted: {
      const [outputs, windowBytes, inputsSent] = [reader.u32(), reader.u16(), reader.u32()];
      const inputsLost = reader.u16();
      return {
        kind: 'accepted',
        outputs,
        windowBytes,
        inputsSent,
        inputsLost,
        gap: (reader.u8() & gapFlag) !== 0,
      };
    }
    case typeOf.stale:
      return { kind: 'stale', heldTerm: reader.u32() };
    default:
      return { kind: 'input', session: reader.u32(), offset: reader.u32(), bytes: reader.rest() };
  }
}

function readHello(reader: ByteReader): DeviceMessage {
  const [version, session, heldTerm, flags] = [reader.u8(), reader.u32(), reader.u32(), reader.u8()];
  return {
    kind: 'hello',
    version,
    session,
    heldTerm,
    safe: (flags & safeFlag) !== 0,
    attachedHere: (flags & attachedHereFlag) !== 0,
    attachedElsewhere: (flags & attachedElsewhereFlag) !== 0,
    windowBytes: reader.u16(),
    holdTimeMs: reader.u16(),
  };
}

/** Bytes of a line in, messages and discarded frames out: the receiving end of both sides. */
export class StreamReceiver {
  readonly #frames = new FrameDecoder({ frameBytesMax: streamPayloadBytesMax, crc: 'crc16' });

  push(bytes: Uint8Array): StreamItem[] {
    return this.#frames
      .push(bytes)
      .map((item) =>
        item.kind === 'frame'
          ? decodeStreamMessage(item.payload)
          : { kind: 'discarded', reason: item.reason },
      );
  }

  /** Forgets an unfinished frame: the port was closed or the device restarted. */
  reset(): void {
    this.#frames.reset();
  }
}

/** A full offset as it stands on the wire. */
export function wrapOffset(offset: number): number {
  return offset % 2 ** 32;
}

/** How far `offset` (wire) lies after `reference` (wire or full): -2^31..2^31-1. */
export function offsetDistance(offset: number, reference: number): number {
  return (offset - wrapOffset(reference)) | 0;
}

/** The full offset for one on the wire: the one nearest to `near`. */
export function expandOffset(offset: number, near: number): number {
  return near + offsetDistance(offset, near);
}

function assertPiece(bytes: Uint8Array): void {
  if (bytes.length < 1 || bytes.length > pieceBytesMax) {
    throw new RangeError(`a piece of the stream has 1..${pieceBytesMax} bytes (got ${bytes.length})`);
  }
}
