/**
 * What a datagram between the boards holds, for whoever strikes or narrates a life. The simulator's sealing
 * (simulated-crypto.ts) leaves the text readable; on a real bus nobody could do this.
 */
import { sealTagBytes } from '../../protocol/crypto.ts';
import { type AcknowledgementFrame, readFrames, type SessionFrame } from '../../protocol/session-frames.ts';

/** protocol/README.md §6: type, keys id, counter. */
const headerBytes = 6;
const sealedTypes: ReadonlySet<number> = new Set([0x04, 0x05]);

export type DatagramContents =
  /** Handshake messages and pokes, which are sealed under no keys yet. */
  { kind: 'handshake' } | { kind: 'sealed'; keysId: number; frames: SessionFrame[] };

export function contentsOf(datagram: Uint8Array): DatagramContents {
  if (!sealedTypes.has(datagram[0]!)) return { kind: 'handshake' };
  const frames = readFrames(datagram.subarray(headerBytes, datagram.length - sealTagBytes));
  return { kind: 'sealed', keysId: datagram[1]!, frames: frames ?? [] };
}

/** The one acknowledgement in it, if any. */
export function acknowledgementIn(contents: DatagramContents): AcknowledgementFrame | null {
  if (contents.kind !== 'sealed') return null;
  for (const frame of contents.frames) if (frame.kind === 'acknowledgement') return frame;
  return null;
}
