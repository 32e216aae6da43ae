/**
 * What every part of the supervisor's core needs: the time of this step, the role machine, the replica, the records, the
 * clock, the devices, and the list of effects. What belongs to one idea is in that idea's part, not here.
 */
import { Pair } from '../../protocol/pair.ts';
import type { PairInput } from '../../protocol/pair-contract.ts';
import { DeviceStream } from './device-stream.ts';
import type { ExitReason, Report, SupervisorEffect } from './effects.ts';
import { ProgramRunner } from './program-runner.ts';
import { RecordLog } from './record-log.ts';
import type { SupervisorOptions } from './supervisor.ts';
import { VirtualClock } from './virtual-clock.ts';

export class CoreState {
  readonly options: SupervisorOptions;
  readonly pair: Pair;
  readonly clock = new VirtualClock();
  readonly runner: ProgramRunner;
  readonly streams: DeviceStream[];
  /** The device whose term decides between the boards; null when this board has no line to it. */
  readonly arbiter: DeviceStream | null;
  /** Tells the role machine, and carries out what it decides before it returns. */
  readonly role: (input: PairInput) => void;
  /** The records of the history that runs; a new one for each history. */
  log = new RecordLog();
  /** Monotonic time of this step, in milliseconds. */
  now = 0;
  /** The process is about to end: no turn begins any more. */
  exiting = false;
  #effects: SupervisorEffect[] = [];
  #forReplica: SupervisorEffect[] = [];

  constructor(options: SupervisorOptions, role: (input: PairInput) => void) {
    this.options = options;
    this.role = role;
    this.pair = new Pair({ ...options.pair, board: options.board });
    this.runner = new ProgramRunner(options.turnTimeoutMs, (message) =>
      this.emit({ kind: 'replica-send', message }),
    );
    this.streams = options.devices.map(
      (device, index) => new DeviceStream(index, device.options, device.controller),
    );
    this.arbiter =
      this.streams.find((stream) => stream.options.arbiter && stream.controller !== null) ?? null;
  }

  beginStep(now: number): void {
    this.now = now;
    this.#effects = [];
    this.#forReplica = [];
  }

  /**
   * The effects of one step, in the order in which they are to be carried out. The replica is spoken to last: its process
   * would begin its turn while this one still holds what others wait for, an acknowledgement first of all.
   */
  endStep(): SupervisorEffect[] {
    return this.#effects.concat(this.#forReplica);
  }

  emit(effect: SupervisorEffect): void {
    if (effect.kind === 'replica-send') {
      this.#forReplica.push(effect);
      return;
    }
    // What the process that ends was still to be told does not go to the next one.
    if (effect.kind === 'replica-stop') this.#forReplica = [];
    this.#effects.push(effect);
  }

  report(level: Report['level'], code: string, text: string, details?: Record<string, unknown>): void {
    const report: Report = { level, code, text };
    if (details !== undefined) report.details = details;
    this.emit({ kind: 'report', report });
  }

  exit(code: ExitReason): void {
    this.exiting = true;
    this.emit({ kind: 'exit', code });
  }
}
