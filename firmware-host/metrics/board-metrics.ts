/**
 * The board's figures under names that stay (docs/metrics.md), in OpenMetrics. prom-client keeps and prints them.
 *
 * What the board counts itself is read when somebody asks. What lies between two askings (gaps, delays, seconds in a
 * state) is observed at the supervisor's steps.
 */
import { Counter, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';
import type { Report, SupervisorEffect, SupervisorInput } from '../supervisor/effects.ts';
import type { JournalMeter } from './metered-journal.ts';
import { declareProcessMetrics } from './process-metrics.ts';
import { type BoardMetricsOptions, BoardTotals, StatusMetrics } from './status-metrics.ts';

const gapBucketsS = [0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 5];
const delayBucketsS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const syncBucketsS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5];
/** Seconds in a state are counted in steps of this: finer than anyone asks, and rare enough to cost nothing. */
const sampleMs = 20;

export class BoardMetrics implements JournalMeter {
  readonly #options: BoardMetricsOptions;
  readonly #registry = new Registry<OpenMetricsContentType>();
  readonly #totals = new BoardTotals();
  readonly #heardAt: (number | null)[];
  #sampledAt: number | null = null;
  #wakeAt: number | null = null;
  #claim: { claim: string; cause: string } = { claim: 'unknown', cause: 'unknown' };
  readonly #gap: Histogram<'link'>;
  readonly #delay: Histogram;
  readonly #sync: Histogram;
  readonly #takeovers: Counter<'claim' | 'cause'>;
  readonly #reports: Counter<'level' | 'code'>;
  readonly #journalBytes: Counter;
  readonly #journalFaults: Counter;
  readonly #journalSize: Gauge;

  constructor(options: BoardMetricsOptions) {
    this.#options = options;
    this.#registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    this.#heardAt = options.linkNames.map(() => null);
    const registers = [this.#registry];
    this.#gap = new Histogram({
      name: 'understudy_heartbeat_gap_seconds',
      help: 'Time between two datagrams that arrived on a link; heartbeats go on every link.',
      labelNames: ['link'],
      buckets: gapBucketsS,
      registers,
    });
    this.#delay = new Histogram({
      name: 'understudy_event_loop_delay_seconds',
      help: 'How late the supervisor was woken, against the time that it had asked for.',
      buckets: delayBucketsS,
      registers,
    });
    this.#sync = new Histogram({
      name: 'understudy_journal_sync_seconds',
      help: 'Time of one fdatasync of the journal.',
      buckets: syncBucketsS,
      registers,
    });
    this.#takeovers = new Counter({
      name: 'understudy_reigns_total',
      help: 'Times that this board became primary, by its claim and by what led to it.',
      labelNames: ['claim', 'cause'],
      registers,
    });
    this.#reports = new Counter({
      name: 'understudy_reports_total',
      help: 'Reports in the log, by level and code.',
      labelNames: ['level', 'code'],
      registers,
    });
    this.#journalBytes = new Counter({
      name: 'understudy_journal_written_bytes_total',
      help: 'Bytes of the journal that the kernel has taken.',
      registers,
    });
    this.#journalFaults = new Counter({
      name: 'understudy_journal_faults_total',
      help: 'Writes and syncs of the journal that failed.',
      registers,
    });
    this.#journalSize = new Gauge({
      name: 'understudy_journal_size_bytes',
      help: 'Size of the running journal.',
      registers,
    });
    new StatusMetrics(this.#registry, options, this.#totals);
    declareProcessMetrics(this.#registry);
  }

  /** OpenMetrics text, and its content type. */
  async text(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  stepped(now: number, input: SupervisorInput, effects: readonly SupervisorEffect[]): void {
    if (input.kind === 'tick' && this.#wakeAt !== null) {
      this.#delay.observe(Math.max(0, now - this.#wakeAt) / 1000);
      this.#wakeAt = null;
    }
    if (input.kind === 'datagram') {
      const before = this.#heardAt[input.link] ?? null;
      if (before !== null)
        this.#gap.observe({ link: this.#options.linkNames[input.link]! }, (now - before) / 1000);
      this.#heardAt[input.link] = now;
    }
    for (const effect of effects) if (effect.kind === 'wake') this.#wakeAt = effect.at;
    if (this.#sampledAt === null || now - this.#sampledAt >= sampleMs) this.#sample(now);
  }

  #sample(now: number): void {
    const { role, turns, devices, ...rest } = this.#options.status();
    const seconds = this.#sampledAt === null ? 0 : (now - this.#sampledAt) / 1000;
    this.#sampledAt = now;
    if (rest.protected && (role === 'primary' || role === 'backup')) this.#totals.protectedSeconds += seconds;
    else if (role === 'primary') this.#totals.soloSeconds += seconds;
    this.#totals.turns.see(turns);
    for (const { name, confirmed } of devices) this.#totals.acceptedOf(name).see(confirmed);
  }

  reported({ level, code, details = {} }: Report): void {
    this.#reports.inc({ level, code });
    if (code === 'PAIR_CLAIM') {
      const { claim, cause } = details;
      this.#claim = {
        claim: typeof claim === 'string' ? claim : 'unknown',
        cause: typeof cause === 'string' ? cause : 'unknown',
      };
    }
    if (code === 'PAIR_PRIMARY') this.#takeovers.inc(this.#claim);
  }

  written(bytes: number, endByte: number): void {
    this.#journalBytes.inc(bytes);
    this.#journalSize.set(endByte);
  }

  synced(seconds: number): void {
    this.#sync.observe(seconds);
  }

  failed(): void {
    this.#journalFaults.inc();
  }
}
