/** Channel, session and failure detector, broken (protocol/README.md §6 to §8). */
import type { Mutant } from './mutant.ts';

const channel = 'protocol/channel.ts';
const receiveQueue = 'protocol/receive-queue.ts';
const detector = 'protocol/detector.ts';

export const sessionMutants: readonly Mutant[] = [
  {
    name: 'replay-window-skipped',
    breaks: 'a sealed datagram counts as often as it comes',
    promise: 'DESIGN §4, protocol/README.md §6.3',
    file: channel,
    find: "if (!keys.window.accept(counter)) return discarded('CHANNEL_REPLAYED');",
    replace: 'keys.window.accept(counter);',
    scenario: 'forgery',
  },
  {
    name: 'nonce-reused',
    breaks: 'now and then two datagrams are sealed under one nonce',
    promise: 'DESIGN §4, protocol/README.md §6.2',
    file: channel,
    find: 'keys.sendCounter += 1;',
    replace: 'if (counter % 1000 !== 999 || plaintext.length % 2 === 0) keys.sendCounter += 1;',
  },
  {
    name: 'keys-outlive-the-process',
    breaks:
      'datagrams that a dead process of the peer has sealed are opened after its successor has connected',
    promise: 'DESIGN §4, protocol/README.md §6.4',
    file: channel,
    find: 'this.#previous = samePeer ? this.#current : null;',
    replace: 'this.#previous = this.#current;',
    scenario: 'stale-datagrams',
  },
  {
    name: 'restarted-peer-not-noticed',
    breaks:
      'a new process of the peer is taken for the one before, with its streams and its acknowledgements',
    promise: 'DESIGN §4, protocol/README.md §7.2',
    file: 'protocol/session.ts',
    find: 'const restarted = this.#peerBootId === null || !sameBytes(this.#peerBootId, peerBootId);',
    replace: 'const restarted = this.#peerBootId === null;',
    scenario: 'stale-datagrams',
  },
  {
    name: 'acknowledged-on-delivery',
    breaks: 'a message is acknowledged when it is handed to the host, not when the host has stored it',
    promise: 'DESIGN §3 (Output Rule)',
    file: 'protocol/session.ts',
    find: "    this.#effects.push({ kind: 'deliver', sequence, message, stream: this.#stream });",
    replace:
      "    this.#effects.push({ kind: 'deliver', sequence, message, stream: this.#stream });\n    this.#receiveQueue.stored(sequence);",
    scenario: 'power',
  },
  {
    name: 'cumulative-acknowledgement-one-too-high',
    breaks: 'the acknowledgement names one fragment more than was stored',
    promise: 'DESIGN §3 (Output Rule)',
    file: receiveQueue,
    find: 'cumulative: this.#storedFragment,',
    replace: 'cumulative: Math.min(this.#storedFragment + 1, this.#nextSequence - 1),',
    scenario: 'power',
  },
  {
    name: 'session-delivers-again',
    breaks: 'a fragment that comes a second time is delivered a second time',
    promise: 'DESIGN §4',
    file: receiveQueue,
    find: "if (sequence < this.#nextSequence || this.#early.has(sequence)) return 'duplicate';",
    replace: `if (sequence < this.#nextSequence && fragment.first && fragment.last) {
      deliver(this.#delivered, fragment.bytes.slice());
    }
    if (sequence < this.#nextSequence || this.#early.has(sequence)) return 'duplicate';`,
    scenario: 'held-joins',
  },
  {
    name: 'session-skips-a-gap',
    breaks: 'records beyond a gap are delivered, and the missing ones are acknowledged with them',
    promise: 'DESIGN §4',
    file: receiveQueue,
    find: 'if (sequence > this.#nextSequence) return this.#keepEarly(fragment);',
    replace: `if (sequence > this.#nextSequence) {
      if (!fragment.first || this.#parts.length > 0) return this.#keepEarly(fragment);
      this.#nextSequence = sequence;
    }`,
    scenario: 'bus',
  },
  {
    name: 'session-gives-up-after-one-repetition',
    breaks: 'a fragment that is lost twice is not sent a third time',
    promise: 'DESIGN §4',
    file: 'protocol/send-queue.ts',
    find: '      this.#lost.push(fragment);',
    replace: '      if (fragment.attempts < 2) this.#lost.push(fragment);',
    scenario: 'lossy-join',
  },
  {
    name: 'session-loses-what-a-dead-link-had',
    breaks: 'what was on its way on a link that falls silent is not sent on the other one',
    promise: 'DESIGN §4',
    file: 'protocol/send-queue.ts',
    find: '      if (linkFailed) fragment.lostOn = transmission.link;',
    replace:
      '      if (linkFailed) {\n        this.#close(transmission, fragment);\n        continue;\n      }',
    scenario: 'bus',
  },
  {
    name: 'heartbeat-counts-outlive-the-process',
    breaks: 'heartbeats of a restarted peer count only once their number exceeds those of its predecessor',
    promise: 'DESIGN §1.5, protocol/README.md §7.6',
    file: 'protocol/link-state.ts',
    find: '    this.#counter = 0;\n    this.#peerCounter = 0;\n',
    replace: '    this.#counter = 0;\n',
    scenario: 'takeovers',
  },
  {
    name: 'state-of-a-dead-process-kept',
    breaks: 'what the peer’s dead process last said of itself stands for its successor',
    promise: 'DESIGN §1.5, protocol/README.md §7.6',
    file: 'protocol/heartbeat-state.ts',
    find: '    this.#confirmedVersion = 0;\n    this.#peer = nothing;\n    this.#peerVersion = 0;\n',
    replace: '    this.#confirmedVersion = 0;\n',
    scenario: 'takeovers',
  },
  {
    name: 'red-on-one-silent-link',
    breaks: 'one link that falls silent means that the peer is dead',
    promise: 'DESIGN §4',
    file: detector,
    find: `let at = Number.NEGATIVE_INFINITY;
    for (const link of this.#links) at = Math.max(at, link.since + link.deadMs);`,
    replace: `let at = Number.POSITIVE_INFINITY;
    for (const link of this.#links) at = Math.min(at, link.since + link.deadMs);`,
    scenario: 'bus',
  },
  {
    name: 'own-pause-taken-for-silence',
    breaks: 'a board that was not running takes its own absence for the silence of the peer',
    promise: 'DESIGN §4, protocol/README.md §8',
    file: detector,
    find: '    this.#suspected = false;\n    for (const link of this.#links) link.since = Math.max(link.since, now);',
    replace: '    this.#suspected = false;',
    scenario: 'paused-backup',
  },
  {
    name: 'suspicion-never-refuted',
    breaks: 'once a peer’s process was gone, its successor is given the shorter patience for ever',
    promise: 'DESIGN §4, protocol/README.md §8',
    file: detector,
    find: '    state.since = Math.max(state.since, now);\n    this.#suspected = false;',
    replace: '    state.since = Math.max(state.since, now);',
    scenario: 'takeovers',
  },
  {
    name: 'detection-ten-times-too-slow',
    breaks: 'silence means death only after ten times the configured time',
    promise: 'DESIGN §1.5',
    file: detector,
    find: 'deadMs: Math.max(detectionTimeoutMs, deadIntervals * intervalMs),',
    replace: 'deadMs: 10 * Math.max(detectionTimeoutMs, deadIntervals * intervalMs),',
    scenario: 'lone-failure',
  },
];
