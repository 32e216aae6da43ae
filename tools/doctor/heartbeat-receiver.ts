/** The listening process of a heartbeat trial (heartbeat-trial.ts): says its port, then its report, over its channel. */
import { createSocket } from 'node:dgram';
import { FailureDetector } from '../../protocol/detector.ts';
import type { TrialResult } from './heartbeat-trial.ts';

export type TrialReport = Omit<TrialResult, 'priorityRefused'>;

interface Channel {
  timeoutMs: number;
  intervalMs: number;
}

const { channels, durationMs } = JSON.parse(process.argv[2] ?? '{}') as {
  channels: Channel[];
  durationMs: number;
};

/** Silence counts from the first heartbeat on: before it the sender is still starting. */
class Judge {
  readonly #channel: Channel;
  readonly #detector: FailureDetector;
  #hasBegun = false;
  #isRed = false;
  #lastAt = 0;
  count = 0;
  longestSilenceMs = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#detector = new FailureDetector({
      links: [{ name: 'ethernet', intervalMs: channel.intervalMs }],
      detectionTimeoutMs: channel.timeoutMs,
      suspectTimeoutMs: channel.timeoutMs,
    });
  }

  look(now: number): void {
    if (!this.#hasBegun) return;
    this.longestSilenceMs = Math.max(this.longestSilenceMs, now - this.#lastAt);
    const isRed = this.#detector.verdict(now) === 'red';
    if (isRed && !this.#isRed) this.count += 1;
    this.#isRed = isRed;
  }

  heard(now: number): void {
    // A supervisor's timer is due before the datagram is read: it would have acted on the silence.
    this.look(now);
    this.#hasBegun = true;
    this.#lastAt = now;
    this.#isRed = false;
    this.#detector.signal(0, now);
  }

  get result(): TrialReport['falseTakeovers'][number] {
    return { ...this.#channel, count: this.count, longestSilenceMs: this.longestSilenceMs };
  }
}

const judges = channels.map((channel) => new Judge(channel));
const socket = createSocket('udp4');
let hasBegun = false;

function finish(): void {
  const report: TrialReport = { durationMs, falseTakeovers: judges.map(({ result }) => result) };
  process.send?.(report);
}

socket.on('message', (bytes) => {
  judges[bytes[0]!]?.heard(performance.now());
  if (hasBegun) return;
  hasBegun = true;
  setTimeout(finish, durationMs);
});
setInterval(() => {
  const now = performance.now();
  for (const judge of judges) judge.look(now);
}, 1);
process.once('disconnect', () => process.exit(0));
socket.bind(0, '127.0.0.1', () => process.send?.(socket.address().port));
