/**
 * Looks on at every effect of a life, strikes one board at one exact point of the short run, and loses chosen datagrams.
 *
 *   protected for the first time -> the short run: points and datagrams are counted -> the blow -> only datagrams are
 *                                   ends with the third piece of output that the device has accepted
 *
 * Datagrams are counted from the same moment in the order of sending, over both directions and links, but for those to a
 * board that is down, which come to nothing anyway. One `carries` if the other board does not have all of it: a
 * fragment of a message, an acknowledgement that differs from the last one not lost here, or a handshake. Other
 * datagrams are bare heartbeats: state of which the next one brings a newer version (protocol/README.md §7).
 */
import type { SupervisorEffect } from '../../../firmware-host/supervisor/effects.ts';
import { StreamReceiver } from '../../../protocol/device-stream/frames.ts';
import type { AcknowledgementFrame } from '../../../protocol/session-frames.ts';
import type { Board, Interference } from '../board.ts';
import { acknowledgementIn, contentsOf, type DatagramContents } from '../datagram-contents.ts';
import { type BoardName, otherBoard } from '../fault.ts';
import type { Sent } from '../network.ts';
import type { Observed } from '../observation.ts';
import type { World } from '../world.ts';
import { type CrashCase, type CrashPoint, crashPointNames } from './crash-case.ts';

/** The short run ends when the device has accepted so many pieces of output. */
const piecesOfOutput = 3;

export interface DatagramSeen {
  at: number;
  from: BoardName;
  link: number;
  carries: boolean;
  isLost: boolean;
}

/** First byte of a message of records (protocol/pair-message.ts). */
const recordsTag = 1;

export class Striker implements Interference {
  readonly datagrams: DatagramSeen[] = [];
  /** How often each point was passed in the short run, or until the blow. */
  readonly passes = Object.fromEntries(crashPointNames.map((point) => [point, 0])) as Record<
    CrashPoint,
    number
  >;
  /** Index of the first datagram after the blow; null: the point was not reached. */
  struckAtDatagram: number | null = null;
  begunAt: number | null = null;
  readonly #leader: BoardName;
  readonly #backup: BoardName;
  readonly #case: CrashCase | null;
  readonly #world: () => World;
  readonly #strike: (victim: BoardName) => void;
  readonly #lastAcknowledgement: Record<BoardName, string> = { a: '', b: '' };
  #sequencesSent = 0;
  #storedSent = 0;
  #storedReceived = 0;
  #tookIn = false;
  readonly #toDevice = new StreamReceiver();
  /** Of the datagram that was looked at last: each is looked at several times. */
  #looked: { bytes: Uint8Array; contents: DatagramContents } | null = null;

  /** `crash` null: nothing is struck, only counted. */
  constructor(
    leader: BoardName,
    crash: CrashCase | null,
    world: () => World,
    strike: (victim: BoardName) => void,
  ) {
    this.#leader = leader;
    this.#backup = otherBoard(leader);
    this.#case = crash;
    this.#world = world;
    this.#strike = strike;
  }

  observe(observed: Observed): void {
    if (observed.kind === 'role' && this.begunAt === null) {
      const { status } = observed;
      if (observed.board === this.#leader && status.role === 'primary' && status.protected) {
        this.begunAt = observed.at;
      }
    }
    if (observed.kind === 'device-output' && observed.board === this.#leader) this.#passed('device-accepted');
  }

  before(board: Board, effect: SupervisorEffect): void {
    if (this.struckAtDatagram !== null) return;
    if (board.name !== this.#leader) return;
    if (this.#tookIn) {
      this.#tookIn = false;
      this.#passed('ack-received');
    }
    if (effect.kind === 'transmit' && this.#beginsRecord(effect.bytes)) this.#passed('before-send');
  }

  after(board: Board, effect: SupervisorEffect): void {
    if (this.struckAtDatagram !== null) return;
    if (board.name === this.#leader) {
      if (effect.kind === 'transmit') {
        const isNew = this.#beginsRecord(effect.bytes);
        this.#sequencesSent = Math.max(this.#sequencesSent, lastSequenceIn(this.#contentsOf(effect.bytes)));
        if (isNew) this.#passed('after-send');
      }
      if (effect.kind === 'device-transmit' && this.#binds(effect.bytes)) this.#passed('device-written');
      return;
    }
    if (effect.kind === 'journal-batch') this.#passed('stored');
    if (effect.kind === 'transmit') {
      const stored = acknowledgementIn(this.#contentsOf(effect.bytes))?.cumulative ?? 0;
      if (stored <= this.#storedSent) return;
      this.#storedSent = stored;
      this.#passed('ack-sent');
    }
  }

  arrives(board: Board, _link: number, bytes: Uint8Array): void {
    if (board.name !== this.#leader || this.struckAtDatagram !== null) return;
    const stored = acknowledgementIn(this.#contentsOf(bytes))?.cumulative ?? 0;
    if (stored <= this.#storedReceived) return;
    this.#storedReceived = stored;
    this.#tookIn = true;
  }

  carries(board: Board, link: number, sent: Sent): boolean {
    const contents = this.#contentsOf(sent.bytes);
    const acknowledgement = acknowledgementIn(contents);
    const text = acknowledgement === null ? null : textOf(acknowledgement);
    const { boards, time } = this.#world();
    const other = boards[otherBoard(board.name)];
    let isLost = false;
    if (this.begunAt !== null && other.isUp) {
      isLost = this.#case?.losses.includes(this.datagrams.length) ?? false;
      const isNews = text !== null && text !== this.#lastAcknowledgement[board.name];
      this.datagrams.push({
        at: time.now,
        from: board.name,
        link,
        carries: isNews || contents.kind === 'handshake' || holdsData(contents),
        isLost,
      });
    }
    if (text !== null && !isLost) this.#lastAcknowledgement[board.name] = text;
    return !isLost;
  }

  #beginsRecord(bytes: Uint8Array): boolean {
    const contents = this.#contentsOf(bytes);
    if (contents.kind !== 'sealed') return false;
    return contents.frames.some(
      (frame) =>
        frame.kind === 'data' &&
        frame.fragments.some(
          (fragment) =>
            fragment.sequence > this.#sequencesSent && fragment.first && fragment.bytes[0] === recordsTag,
        ),
    );
  }

  #contentsOf(bytes: Uint8Array): DatagramContents {
    if (this.#looked?.bytes !== bytes) this.#looked = { bytes, contents: contentsOf(bytes) };
    return this.#looked.contents;
  }

  /** Output, or leave to forget inputs. Every effect holds whole messages. */
  #binds(bytes: Uint8Array): boolean {
    return this.#toDevice
      .push(bytes)
      .some(
        (item) =>
          item.kind === 'message' && (item.message.kind === 'data' || item.message.kind === 'input-ack'),
      );
  }

  #passed(point: CrashPoint): void {
    if (this.begunAt === null || this.struckAtDatagram !== null) return;
    const occurrence = this.passes[point];
    if (this.#case === null && this.passes['device-accepted'] === piecesOfOutput) return;
    this.passes[point] += 1;
    if (this.#case?.point !== point || this.#case.occurrence !== occurrence) return;
    this.struckAtDatagram = this.datagrams.length;
    this.#strike(this.#case.victim === 'leader' ? this.#leader : this.#backup);
  }
}

function holdsData(contents: DatagramContents): boolean {
  return contents.kind === 'sealed' && contents.frames.some((frame) => frame.kind === 'data');
}

function lastSequenceIn(contents: DatagramContents): number {
  let last = 0;
  if (contents.kind !== 'sealed') return last;
  for (const frame of contents.frames) {
    if (frame.kind === 'data') for (const { sequence } of frame.fragments) last = Math.max(last, sequence);
  }
  return last;
}

function textOf({ cumulative, received, ranges }: AcknowledgementFrame): string {
  return `${cumulative} ${received} ${ranges.map(({ from, to }) => `${from}-${to}`).join(' ')}`;
}
