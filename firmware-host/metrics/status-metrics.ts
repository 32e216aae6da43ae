/** The figures that are read from the board's status when somebody asks for them. */
import { Counter, Gauge, type OpenMetricsContentType, type Registry } from 'prom-client';
import type { Role } from '../../protocol/pair-contract.ts';
import type { BoardStatus } from '../supervisor/status.ts';

export interface BoardMetricsOptions {
  board: 'a' | 'b';
  version: string;
  programHash: string;
  linkNames: string[];
  status(): BoardStatus;
}

/** Sums a count that begins anew with each history of the program, or session of a device. */
export class RunningTotal {
  #last = 0;
  #total = 0;

  /** Takes the count as it is, and returns the sum. */
  see(value: number): number {
    this.#total += value >= this.#last ? value - this.#last : value;
    this.#last = value;
    return this.#total;
  }
}

/** What is summed up between two askings. */
export class BoardTotals {
  protectedSeconds = 0;
  soloSeconds = 0;
  readonly turns = new RunningTotal();
  readonly #accepted = new Map<string, RunningTotal>();

  acceptedOf(device: string): RunningTotal {
    const known = this.#accepted.get(device) ?? new RunningTotal();
    this.#accepted.set(device, known);
    return known;
  }
}

const roles: readonly Role[] = [
  'starting',
  'contending',
  'primary',
  'joining',
  'backup',
  'stepped-down',
  'stopped',
];

export class StatusMetrics {
  readonly #registry: Registry<OpenMetricsContentType>;
  readonly #options: BoardMetricsOptions;
  readonly #totals: BoardTotals;

  constructor(registry: Registry<OpenMetricsContentType>, options: BoardMetricsOptions, totals: BoardTotals) {
    this.#registry = registry;
    this.#options = options;
    this.#totals = totals;
    this.#declareInfo();
    this.#declareState();
    this.#declareLinks();
    this.#declareDevices();
  }

  #gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    collect: (status: BoardStatus, set: (labels: Record<Label, string>, value: number) => void) => void,
  ): void {
    const { status } = this.#options;
    const gauge: Gauge<Label> = new Gauge({
      name: `understudy_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect: () => {
        gauge.reset();
        collect(status(), (labels, value) => gauge.set(labels as never, value));
      },
    });
  }

  #counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    collect: (status: BoardStatus, add: (labels: Record<Label, string>, value: number) => void) => void,
  ): void {
    const { status } = this.#options;
    const counter: Counter<Label> = new Counter({
      name: `understudy_${name}_total`,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        collect(status(), (labels, value) => counter.inc(labels as never, value));
      },
    });
  }

  #declareInfo(): void {
    const { board, version, programHash } = this.#options;
    const labels = { board, version, node: process.versions.node, program: programHash.slice(0, 12) };
    this.#gauge(
      'board_info',
      'Which board this is and what it runs; always 1.',
      Object.keys(labels),
      (_, set) => set(labels, 1),
    );
  }

  #declareState(): void {
    this.#gauge('role', 'The role of this board is 1, the others are 0.', ['role'], (status, set) => {
      for (const role of roles) set({ role }, role === status.role ? 1 : 0);
    });
    this.#gauge('term', 'Number of the reign that this board knows of.', [], ({ term }, set) =>
      set({}, term),
    );
    this.#gauge(
      'protected',
      '1 while a backup holds every record that led to an output.',
      [],
      (status, set) => set({}, status.protected ? 1 : 0),
    );
    this.#counter('protected_seconds', 'Time as a primary or backup of a protected pair.', [], (_, add) =>
      add({}, this.#totals.protectedSeconds),
    );
    this.#counter('solo_seconds', 'Time as a primary without a backup.', [], (_, add) =>
      add({}, this.#totals.soloSeconds),
    );
    this.#gauge('lag_turns', 'Turns that the backup has yet to run.', [], ({ lagTurns }, set) => {
      if (lagTurns !== null) set({}, lagTurns);
    });
    this.#gauge(
      'lag_seconds',
      'Age of the oldest turn that the backup has yet to run; on the primary.',
      [],
      ({ lagMs }, set) => {
        if (lagMs !== null) set({}, lagMs / 1000);
      },
    );
    this.#counter(
      'turns_committed',
      'Turns in this board’s record, run or received, over all histories.',
      [],
      (status, add) => add({}, this.#totals.turns.see(status.turns)),
    );
    this.#gauge(
      'turns',
      'Turns of the running history, by how far they have come.',
      ['stage'],
      (status, set) => {
        set({ stage: 'recorded' }, status.turns);
        set({ stage: 'executed' }, status.executedTurns);
        set({ stage: 'released' }, status.releasedTurns);
      },
    );
    this.#counter(
      'divergences',
      'Times that this board’s replica turned out to be no copy.',
      [],
      ({ divergences }, add) => add({}, divergences),
    );
    this.#gauge(
      'peer_verdict',
      'What the failure detector says of the other board is 1.',
      ['verdict'],
      (status, set) => {
        for (const verdict of ['green', 'yellow', 'red'])
          set({ verdict }, verdict === status.verdict ? 1 : 0);
      },
    );
    this.#gauge(
      'peer_silence_seconds',
      'How long the other board has not been heard on any link.',
      [],
      ({ silentForMs }, set) => {
        if (silentForMs !== null) set({}, silentForMs / 1000);
      },
    );
  }

  #declareLinks(): void {
    this.#gauge(
      'link_up',
      '1 while the link was heard from within three heartbeats.',
      ['link'],
      ({ links }, set) => {
        for (const { name, up } of links) set({ link: name }, up ? 1 : 0);
      },
    );
    this.#gauge(
      'link_round_trip_seconds',
      'Round trip over a link, smoothed.',
      ['link'],
      ({ links }, set) => {
        for (const { name, roundTripMs } of links)
          if (roundTripMs !== null) set({ link: name }, roundTripMs / 1000);
      },
    );
    this.#counter('link_datagrams', 'Datagrams over a link.', ['link', 'direction'], ({ links }, add) => {
      for (const { name, sent, received } of links) {
        add({ link: name, direction: 'out' }, sent);
        add({ link: name, direction: 'in' }, received);
      }
    });
    this.#counter(
      'link_bytes',
      'Bytes of datagrams over a link.',
      ['link', 'direction'],
      ({ links }, add) => {
        for (const { name, bytesSent, bytesReceived } of links) {
          add({ link: name, direction: 'out' }, bytesSent);
          add({ link: name, direction: 'in' }, bytesReceived);
        }
      },
    );
    this.#counter(
      'link_discarded',
      'What arrived on a link and was refused.',
      ['link', 'reason'],
      ({ links }, add) => {
        for (const { name, discarded } of links) {
          for (const [reason, count] of Object.entries(discarded)) add({ link: name, reason }, count);
        }
      },
    );
    this.#counter(
      'link_retransmitted',
      'Fragments that were sent again on a link.',
      ['link'],
      ({ links }, add) => {
        for (const { name, retransmitted } of links) add({ link: name }, retransmitted);
      },
    );
    this.#counter('link_duplicates', 'Fragments that arrived and were known.', ['link'], ({ links }, add) => {
      for (const { name, duplicates } of links) add({ link: name }, duplicates);
    });
  }

  #declareDevices(): void {
    this.#gauge(
      'device_open',
      '1 while the port to a device is open.',
      ['device', 'kind'],
      ({ devices }, set) => {
        for (const { name, kind, open } of devices) set({ device: name, kind }, open ? 1 : 0);
      },
    );
    this.#gauge(
      'device_attached',
      '1 while a fenced device follows this board.',
      ['device'],
      ({ devices }, set) => {
        for (const { name, kind, attached } of devices)
          if (kind === 'fenced') set({ device: name }, attached ? 1 : 0);
      },
    );
    this.#counter(
      'output_accepted_bytes',
      'Output bytes that a device has accepted.',
      ['device'],
      ({ devices }, add) => {
        for (const { name, confirmed } of devices)
          add({ device: name }, this.#totals.acceptedOf(name).see(confirmed));
      },
    );
    this.#gauge(
      'output_pending_bytes',
      'Output bytes that a device has not accepted yet.',
      ['device'],
      ({ devices }, set) => {
        for (const { name, produced, confirmed } of devices)
          set({ device: name }, Math.max(0, produced - confirmed));
      },
    );
    this.#gauge(
      'input_bytes',
      'Input bytes of a device in the running history.',
      ['device'],
      ({ devices }, set) => {
        for (const { name, inputs } of devices) set({ device: name }, inputs);
      },
    );
    this.#counter(
      'input_lost_bytes',
      'Input bytes that a device could not keep.',
      ['device'],
      ({ devices }, add) => {
        for (const { name, inputsLost } of devices) add({ device: name }, inputsLost);
      },
    );
    this.#counter(
      'device_discarded',
      'Frames of a device that were refused.',
      ['device'],
      ({ devices }, add) => {
        for (const { name, discarded } of devices) add({ device: name }, discarded);
      },
    );
  }
}
