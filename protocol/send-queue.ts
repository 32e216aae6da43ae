/**
 * The sending end of the reliable stream (protocol/README.md §7.4, §7.5).
 *
 * A message is cut into fragments once, when it is sent; every fragment keeps its number for ever, whatever link it goes
 * out on and however often. What goes out together is a *transmission*: it belongs to one link, has one deadline, and
 * is what loss is judged by. The alternative, a byte stream that is cut anew for each link, saves a few header bytes
 * and costs the merging of overlapping ranges at the other end.
 *
 * ```
 *  fragment:  waiting --take/sent--> in flight --selective ack--> received --cumulative ack--> forgotten
 *                ^                       |
 *                +------- lost ----------+     overtaken by later ones on its link, or deadline passed
 * ```
 * Work per call is proportional to what changes, never to what is queued.
 */
import { assert } from './assert.ts';
import type { AcknowledgementFrame, Fragment } from './session-frames.ts';

interface OutgoingFragment extends Fragment {
  messageSequence: number;
  state: 'waiting' | 'in-flight' | 'received';
  /** The latest one. */
  transmission: Transmission | null;
  attempts: number;
  /** The link where its deadline passed last, -1 when never: it had better go another way. */
  lostOn: number;
}

interface Transmission {
  link: number;
  number: number;
  sentAt: number;
  expiresAt: number;
  fragments: OutgoingFragment[];
  /** Fragments whose fate is still open. */
  open: number;
}

interface LinkFlight {
  /** In the order of sending; what lies before `head` is settled. */
  transmissions: Transmission[];
  head: number;
  nextNumber: number;
  bytes: number;
  /** The newest transmission that is known to have arrived. */
  arrivedNumber: number;
  arrivedSentAt: number;
}

/** A transmission is lost when one sent this many later on the same link has arrived (RFC 9002 §6.1.1). */
const overtakenByMin = 3;

export class SendQueue {
  readonly #fragmentBytesMax: number;
  readonly #windowFragments: number;
  readonly #flights: LinkFlight[];
  /** All fragments not yet acknowledged cumulatively; index `#head` has sequence `#headSequence`. */
  #fragments: OutgoingFragment[] = [];
  #head = 0;
  #headSequence = 1;
  /** The first fragment that was never sent. */
  #unsentSequence = 1;
  #lost: OutgoingFragment[] = [];
  #lostHead = 0;
  /** Every fragment up to this one is known to be received. */
  #receivedTo = 0;
  /** Ranges of the last acknowledgement, so that repeated ones cost nothing. */
  #seenRanges = new Map<number, number>();
  #nextSequence = 1;
  #acknowledgedMessage = 0;
  #unacknowledgedBytes = 0;

  /** `windowFragments`: how far beyond the first gap the peer can keep fragments; nothing fresh is sent beyond that. */
  constructor(options: { fragmentBytesMax: number; windowFragments: number; linkCount: number }) {
    this.#windowFragments = options.windowFragments;
    this.#fragmentBytesMax = options.fragmentBytesMax;
    this.#flights = Array.from({ length: options.linkCount }, () => ({
      transmissions: [],
      head: 0,
      nextNumber: 1,
      bytes: 0,
      arrivedNumber: 0,
      arrivedSentAt: 0,
    }));
  }

  /** Number that the next message will have. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  get acknowledgedMessage(): number {
    return this.#acknowledgedMessage;
  }

  get unacknowledgedBytes(): number {
    return this.#unacknowledgedBytes;
  }

  /** Bytes on their way on a link. */
  bytesInFlight(link: number): number {
    return this.#flights[link]!.bytes;
  }

  push(message: Uint8Array): void {
    const messageSequence = this.#nextSequence++;
    this.#unacknowledgedBytes += message.length;
    let from = 0;
    do {
      const to = Math.min(message.length, from + this.#fragmentBytesMax);
      this.#fragments.push({
        sequence: this.#headSequence + this.#fragments.length - this.#head,
        first: from === 0,
        last: to === message.length,
        bytes: from === 0 && to === message.length ? message : message.subarray(from, to),
        messageSequence,
        state: 'waiting',
        transmission: null,
        attempts: 0,
        lostOn: -1,
      });
      from = to;
    } while (from < message.length);
  }

  /** The next fragment that wants to go out, lost ones first; undefined when there is none. */
  peek(): { readonly lostOn: number } | undefined {
    return this.#next();
  }

  #next(): OutgoingFragment | undefined {
    while (this.#lostHead < this.#lost.length) {
      const fragment = this.#lost[this.#lostHead]!;
      if (fragment.state === 'waiting') return fragment;
      this.#lostHead += 1;
    }
    if (this.#lostHead > 0) {
      this.#lost = [];
      this.#lostHead = 0;
    }
    if (this.#unsentSequence - this.#receivedTo > this.#windowFragments) return undefined;
    return this.#at(this.#unsentSequence);
  }

  /**
   * Takes the fragments of one transmission: at most `bytesMax` with `overheadBytes` for each. They must be handed to
   * `sent` next. Lost and fresh ones may go together.
   */
  take(bytesMax: number, overheadBytes: number, jumpOverheadBytes: number): Fragment[] {
    const taken: OutgoingFragment[] = [];
    let room = bytesMax;
    let expected = -1;
    for (;;) {
      const fragment = this.#next();
      if (fragment === undefined) break;
      const jump = expected !== -1 && fragment.sequence !== expected ? jumpOverheadBytes : 0;
      const bytes = fragment.bytes.length + overheadBytes + jump;
      if (bytes > room) break;
      room -= bytes;
      expected = fragment.sequence + 1;
      if (fragment.sequence === this.#unsentSequence) this.#unsentSequence += 1;
      fragment.state = 'in-flight';
      taken.push(fragment);
    }
    return taken;
  }

  /** What `take` returned went out on `link`. Returns how many of them were not sent for the first time. */
  sent(link: number, fragments: Fragment[], now: number, timeoutMs: number): number {
    const flight = this.#flights[link]!;
    const transmission: Transmission = {
      link,
      number: flight.nextNumber++,
      sentAt: now,
      expiresAt: now + timeoutMs,
      fragments: fragments as OutgoingFragment[],
      open: fragments.length,
    };
    let repeated = 0;
    for (const fragment of transmission.fragments) {
      if (fragment.attempts > 0) repeated += 1;
      fragment.attempts += 1;
      fragment.transmission = transmission;
      flight.bytes += fragment.bytes.length;
    }
    flight.transmissions.push(transmission);
    return repeated;
  }

  /**
   * Carries out an acknowledgement. `reorderMs[link]`: how much later something must have been sent to count as
   * overtaking. Returns the links that made progress (a bit each); `acknowledgedMessage` may have moved.
   */
  acknowledge(frame: AcknowledgementFrame, reorderMs: (link: number) => number): number {
    // Beyond what was ever sent: not an acknowledgement of this stream.
    if (Math.max(frame.received + 1, frame.ranges.at(-1)?.to ?? 0) > this.#unsentSequence) return 0;
    let progress = 0;
    while (this.#receivedTo < frame.received) {
      this.#receivedTo += 1;
      progress |= this.#markReceived(this.#receivedTo);
    }
    progress |= this.#markRanges(frame);
    while (this.#headSequence <= frame.cumulative && this.#headSequence < this.#unsentSequence) {
      const fragment = this.#fragments[this.#head]!;
      this.#fragments[this.#head] = undefined as unknown as OutgoingFragment;
      this.#head += 1;
      this.#headSequence += 1;
      this.#unacknowledgedBytes -= fragment.bytes.length;
      if (fragment.last) this.#acknowledgedMessage = fragment.messageSequence;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#fragments.length) {
      this.#fragments = this.#fragments.slice(this.#head);
      this.#head = 0;
    }
    for (let link = 0; progress >> link !== 0; link++) {
      if ((progress >> link) & 1) this.#loseOvertaken(this.#flights[link]!, reorderMs(link));
    }
    return progress;
  }

  /** Moves what is overdue back to waiting. Returns the links on which something was (a bit each). */
  expire(now: number): number {
    let links = 0;
    for (let link = 0; link < this.#flights.length; link++) {
      const flight = this.#flights[link]!;
      for (let head = this.#settleHead(flight); head !== undefined; head = this.#settleHead(flight)) {
        if (head.expiresAt > now) break;
        this.#lose(head, true);
        links |= 1 << link;
      }
    }
    return links;
  }

  /** A link fell silent: what is on its way there goes out again at once. */
  loseLink(link: number): void {
    const flight = this.#flights[link]!;
    for (let head = this.#settleHead(flight); head !== undefined; head = this.#settleHead(flight)) {
      this.#lose(head, true);
    }
  }

  /** When `expire` has something to do, or null. */
  get expiresAt(): number | null {
    let at: number | null = null;
    for (const flight of this.#flights) {
      const head = this.#settleHead(flight);
      if (head !== undefined && (at === null || head.expiresAt < at)) at = head.expiresAt;
    }
    return at;
  }

  #at(sequence: number): OutgoingFragment | undefined {
    return this.#fragments[this.#head + sequence - this.#headSequence];
  }

  #markRanges(frame: AcknowledgementFrame): number {
    let progress = 0;
    const seen = new Map<number, number>();
    for (const { from, to } of frame.ranges) {
      for (let sequence = Math.max(from, this.#seenRanges.get(from) ?? 0); sequence < to; sequence++) {
        if (sequence > this.#receivedTo) progress |= this.#markReceived(sequence);
      }
      seen.set(from, to);
    }
    if (frame.ranges.length > 0 || this.#seenRanges.size > 0) this.#seenRanges = seen;
    return progress;
  }

  #markReceived(sequence: number): number {
    const fragment = this.#at(sequence);
    assert(fragment !== undefined, `fragment ${sequence} is kept until it is acknowledged`);
    if (fragment.state === 'received') return 0;
    const { state, transmission, attempts } = fragment;
    fragment.state = 'received';
    assert(transmission !== null, `fragment ${sequence} was sent`);
    if (state === 'in-flight') this.#close(transmission, fragment);
    // Of a repeated fragment it is unknown which transmission arrived, so it proves nothing about the link.
    if (attempts > 1) return 0;
    const flight = this.#flights[transmission.link]!;
    if (transmission.number > flight.arrivedNumber) {
      flight.arrivedNumber = transmission.number;
      flight.arrivedSentAt = transmission.sentAt;
    }
    return 1 << transmission.link;
  }

  #close(transmission: Transmission, fragment: OutgoingFragment): void {
    transmission.open -= 1;
    this.#flights[transmission.link]!.bytes -= fragment.bytes.length;
  }

  #loseOvertaken(flight: LinkFlight, reorderMs: number): void {
    for (let head = this.#settleHead(flight); head !== undefined; head = this.#settleHead(flight)) {
      const overtaken =
        head.number <= flight.arrivedNumber - overtakenByMin ||
        (head.number < flight.arrivedNumber && head.sentAt <= flight.arrivedSentAt - reorderMs);
      if (!overtaken) break;
      // The link works, a datagram did not: the same link is the quickest way to repeat it.
      this.#lose(head, false);
    }
  }

  /** The oldest transmission whose fate is open. */
  #settleHead(flight: LinkFlight): Transmission | undefined {
    const { transmissions } = flight;
    while (flight.head < transmissions.length && transmissions[flight.head]!.open === 0) flight.head += 1;
    if (flight.head === transmissions.length && flight.head > 0) {
      flight.transmissions = [];
      flight.head = 0;
      return undefined;
    }
    if (flight.head > 256 && flight.head * 2 > transmissions.length) {
      flight.transmissions = transmissions.slice(flight.head);
      flight.head = 0;
    }
    return flight.transmissions[flight.head];
  }

  #lose(transmission: Transmission, linkFailed: boolean): void {
    for (const fragment of transmission.fragments) {
      if (fragment.state !== 'in-flight' || fragment.transmission !== transmission) continue;
      fragment.state = 'waiting';
      if (linkFailed) fragment.lostOn = transmission.link;
      this.#close(transmission, fragment);
      this.#lost.push(fragment);
    }
    assert(transmission.open === 0, 'a lost transmission is settled');
  }
}
