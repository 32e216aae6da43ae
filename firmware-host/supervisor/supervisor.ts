/**
 * The supervisor's core: everything between one replica and the world, as `step(now, input) -> effects`.
 *
 *   device bytes, console, time                  what the program asked: program-requests
 *          |                                            ^
 *          v                                            |
 *   device-supervision -> turns -> program-runner => replica => outputs -> output-gate -> device-supervision -> device
 *                           |                                                  ^
 *                           v                                                  | the other board has stored it
 *                    record-shipping -> journal, then follower                 |
 *                                               | peer-messages                |
 *                                               v                              |
 *   the other board's supervisor:            joining -> journal -> `stored` ---+
 *                                               +-----> turns -> program-runner => its replica => its output-gate
 *
 * Each file named here is one part (`parts.ts` lists them all) with the state that belongs to it; what all need is in
 * `core-state.ts`. Beside the way of a turn stand who leads (`reign`, `handover`, `histories`), what goes wrong or ends
 * (`peer-watch`, `divergence-handling`, `program-life`, `leaving`, `operator-orders`). On the backup the same outputs are held until the
 * primary reports them confirmed. A takeover is: claim the term at the device, finish what was received, open the
 * gate. Who leads is decided by `Pair` (protocol/pair.ts), never here.
 *
 * This file puts the parts together, hands each input to its part, carries out what `Pair` decides, and keeps the fixed
 * order in which the consequences of an input are drawn.
 */
import type { FailureDetector } from '../../protocol/detector.ts';
import type { DeviceController } from '../../protocol/device-stream/controller.ts';
import type { PairEffect, PairInput, PairOptions } from '../../protocol/pair-contract.ts';
import type { Identity } from '../../protocol/pair-message.ts';
import { decodeOutputs, type StartEvent } from '../../protocol/record.ts';
import type { Session } from '../../protocol/session.ts';
import type { FromReplica } from '../ipc.ts';
import { CoreState } from './core-state.ts';
import type { DeviceOptions } from './device-stream.ts';
import { DeviceSupervision } from './device-supervision.ts';
import { DivergenceHandling } from './divergence-handling.ts';
import type { JournalContents, SupervisorEffect, SupervisorInput } from './effects.ts';
import { Follower } from './follower.ts';
import { Handover } from './handover.ts';
import { Histories } from './histories.ts';
import { Joining } from './joining.ts';
import { Leaving } from './leaving.ts';
import { OperatorOrders } from './operator-orders.ts';
import { OutputGate } from './output-gate.ts';
import type { Parts } from './parts.ts';
import { PeerMessages } from './peer-messages.ts';
import { PeerWatch } from './peer-watch.ts';
import { ProgramLife } from './program-life.ts';
import { ProgramRequests } from './program-requests.ts';
import { RecordShipping } from './record-shipping.ts';
import { Reign } from './reign.ts';
import type { BoardStatus } from './status.ts';
import { Turns } from './turns.ts';

export interface SupervisorOptions {
  board: 'a' | 'b';
  pair: Omit<PairOptions, 'board'>;
  session: Session;
  detector: FailureDetector;
  linkNames: string[];
  devices: { options: DeviceOptions; controller: DeviceController | null }[];
  heartbeatIntervalMs: number;
  turnTimeoutMs: number;
  /** The primary takes no new event while the backup is so many turns behind. */
  lagTurnsMax: number;
  /** Nor while the backup has not run what was sent to it so long ago. */
  lagMsMax: number;
  fsync: 'always' | 'interval' | 'never';
  programFailure: 'restart' | 'stop';
  programExit: 'restart' | 'stop';
  restartDelayMs: number;
  restartsMax: number;
  /** What the program is told about its surroundings when a history begins. */
  start: Omit<StartEvent, 'kind' | 'seed'>;
  randomHex(bytes: number): string;
  wallTimeUs(): number;
}

/** A tick is asked for at least so often. */
const wakeMsMax = 1000;

export class Supervisor {
  readonly #core: CoreState;
  readonly #parts: Parts;
  #lastStepAt: number | null = null;

  constructor(options: SupervisorOptions) {
    const core = new CoreState(options, (input) => this.#role(input));
    const parts = {} as Parts;
    this.#core = core;
    this.#parts = Object.assign(parts, {
      turns: new Turns(core, parts),
      requests: new ProgramRequests(core, parts),
      records: new RecordShipping(core, parts),
      gate: new OutputGate(core, parts),
      devices: new DeviceSupervision(core, parts),
      messages: new PeerMessages(core, parts),
      peer: new PeerWatch(core, parts),
      follower: new Follower(core, parts),
      joining: new Joining(core, parts),
      divergence: new DivergenceHandling(core, parts),
      reign: new Reign(core, parts),
      handover: new Handover(core, parts),
      histories: new Histories(core, parts),
      program: new ProgramLife(core, parts),
      leaving: new Leaving(core, parts),
      orders: new OperatorOrders(core, parts),
    } satisfies Parts);
  }

  step(now: number, input: SupervisorInput): SupervisorEffect[] {
    this.#core.beginStep(now);
    this.#noticePause();
    this.#take(input);
    this.#advance();
    this.#core.emit({ kind: 'wake', at: this.#nextWakeAt() });
    return this.#core.endStep();
  }

  #noticePause(): void {
    const { now, options, runner } = this.#core;
    if (this.#lastStepAt !== null) {
      const gapMs = now - this.#lastStepAt;
      // A wake is asked for at least every heartbeat: a far longer gap is our own absence, not the peer's.
      if (gapMs > options.heartbeatIntervalMs * 3 + 20) {
        this.#parts.peer.paused(gapMs);
        runner.paused(gapMs);
      }
    }
    this.#lastStepAt = now;
  }

  // ---------------------------------------------------------------- inputs

  #take(input: SupervisorInput): void {
    const { runner, streams } = this.#core;
    const { devices, gate, joining, leaving, messages, orders, peer, program, reign } = this.#parts;
    switch (input.kind) {
      case 'begin':
        return this.#begin(input.journal, input.identity);
      case 'tick':
        return;
      case 'datagram':
        return messages.step(input);
      case 'link-refused':
        return peer.gone();
      case 'replica':
        return this.#fromReplica(input.message);
      case 'replica-exited':
        return program.processEnded(input.reason);
      case 'device-opened':
        return devices.opened(streams[input.device]!);
      case 'device-closed':
        return devices.closed(streams[input.device]!, input.code, input.reason);
      case 'device-bytes':
        return devices.bytes(streams[input.device]!, input.bytes);
      case 'device-written':
        return devices.written(streams[input.device]!, input.bytes);
      case 'journal-durable':
        gate.durable(input.turns);
        return joining.acknowledgeStored();
      case 'journal-chunk':
        return this.#journalChunk(input.historyId, input.fromTurn, input.batches);
      case 'stdin':
      case 'signal':
        if (reign.leading) runner.events.push(input);
        return;
      case 'operator':
        return orders.given(input.command, input.reason, input.from ?? null);
      case 'leave':
        return leaving.leave();
    }
  }

  #begin(journal: JournalContents | null, identity: Identity): void {
    const { histories, messages, peer } = this.#parts;
    peer.begin(identity);
    messages.begin();
    if (journal !== null) {
      histories.open(journal);
      if (journal.turns > 0) histories.resume(journal.turns);
    }
    this.#role({ kind: 'begin', journal: { term: histories.journalTerm, turns: histories.journalTurns } });
  }

  #fromReplica(message: FromReplica): void {
    const { divergence, program, turns } = this.#parts;
    switch (message.kind) {
      case 'ready':
        return this.#core.runner.processReady(this.#core.now);
      case 'done':
        return turns.executed(message);
      case 'failed':
        return program.replicaFailed('PROGRAM_THREW', `${message.name}: ${message.message}`, message.stack);
      case 'output-diverged':
        return divergence.digestDiffers(message.turn, decodeOutputs(message.outputs), message.stacks);
      case 'diverged': {
        const { turn, expected, actual, stack } = message;
        return divergence.diverged({ turn, expected, actual, stack });
      }
    }
  }

  #journalChunk(historyId: string, fromTurn: number, batches: Uint8Array[]): void {
    const { follower, histories } = this.#parts;
    if (historyId !== histories.id) return;
    if (histories.resuming) histories.journalChunk(fromTurn, batches);
    else follower.journalChunk(fromTurn, batches);
  }

  // ---------------------------------------------------------------- consequences

  /** What follows from time and from the state reached, whatever the input was. The order is part of the meaning. */
  #advance(): void {
    const { devices, follower, gate, joining, leaving, messages, orders, peer } = this.#parts;
    const { program, records, reign, turns } = this.#parts;
    // What time brings.
    messages.tickWhenDue();
    devices.tickWhenDue();
    peer.observe();
    this.#tickPairWhenDue();
    program.failWhenHanging();
    program.restartWhenDue();
    joining.followWhenDue();
    devices.restartWhenDue();
    // A claim names this board's counts, so it comes before a turn can change them.
    reign.attachWhenDrained();
    turns.pump();
    // Records leave before the outputs that wait for them.
    records.cutWhenDue();
    messages.flushWhenWanted();
    follower.check();
    if (reign.leading) gate.release(gate.releasable());
    leaving.endWhenDrained();
    orders.endWhenDue();
    messages.refreshHeartbeat();
  }

  #tickPairWhenDue(): void {
    const { exiting, now, pair } = this.#core;
    if (!exiting && (pair.nextWakeAt ?? Number.POSITIVE_INFINITY) <= now) this.#role({ kind: 'tick' });
  }

  #nextWakeAt(): number {
    const { now, pair, runner } = this.#core;
    const { devices, joining, messages, orders, peer, program, records, turns } = this.#parts;
    const never = Number.POSITIVE_INFINITY;
    let deviceAt = never;
    for (const at of devices.wakeAt) if (at !== null && at < deviceAt) deviceAt = at;
    return Math.min(
      now + wakeMsMax,
      messages.wakeAt ?? never,
      deviceAt,
      pair.nextWakeAt ?? never,
      peer.dueAt ?? never,
      runner.deadline ?? never,
      (pair.role === 'primary' ? program.restartAt : null) ?? never,
      (pair.role === 'primary' ? devices.restartAt : null) ?? never,
      joining.followAt ?? never,
      turns.dueAt ?? never,
      records.dueAt ?? never,
      orders.dueAt ?? never,
    );
  }

  // ---------------------------------------------------------------- roles

  #role(input: PairInput): void {
    const { now, pair } = this.#core;
    const { histories } = this.#parts;
    const wasBackup = pair.role === 'backup';
    // Who leads both boards reckon from what they tell each other: it must be what this one reckons with itself.
    if (pair.role === 'starting' || pair.role === 'stepped-down') histories.summarize();
    const effects = pair.step(now, input);
    const isBackup = pair.role === 'backup';
    // A backup that claims was one up to its last record; one that joins again is none from here on.
    if (isBackup && !wasBackup) histories.noteStanding(true);
    else if (wasBackup && (pair.role === 'joining' || pair.role === 'stopped') && input.kind !== 'peer-role')
      histories.noteStanding(false);
    for (const effect of effects) this.#carryOut(effect, input);
  }

  #carryOut(effect: PairEffect, input: PairInput): void {
    const { pair } = this.#core;
    const { gate, handover, joining, messages, reign } = this.#parts;
    switch (effect.kind) {
      case 'gate':
        gate.mode = effect.mode;
        return;
      case 'query':
        return this.#queryArbiter();
      case 'attach':
        return reign.claim(effect.term);
      case 'lead':
        return reign.lead(effect.term, effect.claim, effect.afresh);
      case 'follow':
        return joining.follow();
      case 'step-down':
        return reign.stepDown();
      case 'prepare-handover':
        return handover.prepare();
      case 'announce':
        return messages.announce();
      case 'report': {
        const { claim, role, term } = pair;
        const details = { role, term, claim, cause: input.kind };
        return this.#core.report(effect.level, effect.code, effect.text, details);
      }
      case 'stop':
        return this.#core.exit(effect.code);
    }
  }

  #queryArbiter(): void {
    const { arbiter } = this.#core;
    const { devices, histories } = this.#parts;
    if (arbiter !== null) devices.control(arbiter, { kind: 'query' });
    else this.#role({ kind: 'held-term', heldTerm: histories.journalTerm, safe: false, session: 0 });
  }

  // ---------------------------------------------------------------- state shown

  status(now: number): BoardStatus {
    const { clock, log, options, pair, runner, streams } = this.#core;
    const { divergence, follower, gate, histories, peer } = this.#parts;
    return {
      board: options.board,
      role: pair.role,
      term: pair.term,
      protected: pair.protected,
      historyId: histories.id,
      turns: log.turns,
      executedTurns: runner.executedTurns,
      releasedTurns: gate.releasedTurns,
      lagTurns: this.#lagTurns(),
      lagMs: pair.role === 'primary' ? follower.lagMs(now) : null,
      verdict: peer.verdict,
      silentForMs: peer.silentForMs(now),
      virtualTimeUs: clock.lastUs,
      links: options.linkNames.map((name, link) => ({ name, ...options.session.linkStatistics(link, now) })),
      devices: streams.map((stream) => ({
        name: stream.options.name,
        kind: stream.options.kind,
        open: stream.opened,
        attached: stream.attached,
        session: stream.session,
        produced: stream.produced,
        confirmed: stream.confirmed,
        inputs: stream.inputs,
        inputsLost: stream.inputsLost,
        discarded: stream.discarded,
      })),
      divergences: divergence.count,
    };
  }

  /** Turns that the backup's replica is behind, or null when the other board is unknown. */
  #lagTurns(): number | null {
    const { log, pair, runner } = this.#core;
    const { heard } = this.#parts.peer;
    if (heard === null) return null;
    const behind =
      pair.role === 'primary' ? log.turns - heard.executedTurns : heard.turns - runner.executedTurns;
    return Math.max(0, behind);
  }
}
