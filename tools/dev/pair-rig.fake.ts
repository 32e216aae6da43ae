/**
 * A pair without processes: it answers each fault at once, as a sound pair does in the end. Times are the fake's own,
 * one millisecond a step.
 */
import { EventEmitter } from 'node:events';
import type { BoardStatus } from '../../firmware-host/supervisor/status.ts';
import {
  type BoardName,
  type BoardState,
  boardNames,
  type CableName,
  type DeviceView,
  type FaultRecord,
  otherBoard,
  type PairRig,
  type RigEvent,
  type Verification,
} from './pair-rig.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export const goodVerification: Verification = {
  streamMatches: true,
  comparedBytes: 3384,
  outputsLost: 0,
  outputsRepeated: 0,
  outputsRejectedStale: 9,
  divergences: 0,
  sessions: 1,
  turns: 2646,
  comparisons: [],
};

export class FakePairRig extends EventEmitter<{ change: []; event: [RigEvent] }> implements PairRig {
  readonly boards: Record<BoardName, Mutable<BoardState> & { status: NonNullable<BoardState['status']> }>;
  readonly device: DeviceView = {
    attachedBoard: 'a',
    term: 1,
    session: 7,
    safe: false,
    acceptedBytes: 120,
    rejectedStaleBytes: 0,
  };
  plant: Record<string, number | boolean> = {};
  pins: Record<string, number> = {};
  readonly cables: Record<CableName, 'up' | 'cut'> = { serial: 'up', ethernet: 'up' };
  readonly faults: FaultRecord[] = [];
  readonly directory = '/nowhere';
  programOutput = 'in control\npump on\n';
  verification: Verification | Error = goodVerification;
  /** What was done to it, in order. */
  readonly calls: string[] = [];
  /** False: nobody takes over from a primary that fails. */
  isSound = true;
  isStopped = false;
  #atMs = 0;
  #leader: BoardName = 'a';

  constructor() {
    super();
    this.boards = { a: newBoard('a'), b: newBoard('b') };
  }

  get leader(): BoardName {
    return this.#leader;
  }

  event(source: RigEvent['source'], code: string, text: string, level: RigEvent['level'] = 'info'): void {
    this.#atMs += 1;
    this.emit('event', { atMs: this.#atMs, source, level, code, text });
    this.emit('change');
  }

  #fault(kind: string, board: BoardName | null, call: string): FaultRecord {
    const fault = { kind, board, atMs: this.#atMs, attachGapMs: null, outputGapMs: null };
    this.faults.push(fault);
    this.calls.push(call);
    this.event('rig', 'FAULT', call, 'warning');
    return fault;
  }

  #takeOver(from: BoardName, fault: FaultRecord): void {
    if (!this.isSound) return;
    const to = otherBoard(from);
    this.#leader = to;
    this.device.term += 1;
    this.device.attachedBoard = to;
    fault.attachGapMs = 42;
    fault.outputGapMs = 55.5;
    for (const name of boardNames) this.boards[name].status.term = this.device.term;
    this.boards[to].status.role = 'primary';
    this.boards[from].status.role = 'backup';
    this.event('device', 'DEVICE_FOLLOWS', `the device follows board ${to.toUpperCase()}`);
  }

  primary(): BoardName | null {
    const { running, frozen, status } = this.boards[this.#leader];
    return running && !frozen && status.role === 'primary' ? this.#leader : null;
  }

  isProtected(): boolean {
    const backup = this.boards[otherBoard(this.#leader)];
    return this.primary() !== null && backup.running && !backup.frozen;
  }

  kill(board: BoardName): void {
    const wasPrimary = this.primary() === board;
    this.boards[board].running = false;
    const fault = this.#fault(wasPrimary ? 'kill-primary' : 'kill-backup', board, `kill ${board}`);
    if (wasPrimary) this.#takeOver(board, fault);
  }

  restart(board: BoardName): void {
    this.calls.push(`restart ${board}`);
    this.boards[board].running = true;
    this.event('rig', 'BOARD_STARTED', `board ${board.toUpperCase()} switched on again`);
  }

  freeze(board: BoardName): void {
    this.boards[board].frozen = true;
    this.#takeOver(board, this.#fault('freeze-primary', board, `freeze ${board}`));
  }

  thaw(board: BoardName): void {
    this.calls.push(`thaw ${board}`);
    this.boards[board].frozen = false;
    this.event('rig', 'BOARD_THAWED', `board ${board.toUpperCase()} goes on`);
  }

  cut(cable: CableName): void {
    this.cables[cable] = 'cut';
    this.#fault(`cut-${cable}`, null, `cut ${cable}`);
  }

  restore(cable: CableName): void {
    if (this.cables[cable] === 'up') return;
    this.calls.push(`restore ${cable}`);
    this.cables[cable] = 'up';
    this.event('rig', 'RESTORED', `${cable} cable restored`);
  }

  switchover(): void {
    const from = this.#leader;
    this.#takeOver(from, this.#fault('switchover', from, `switchover ${from}`));
  }

  /** Both programs end by themselves. */
  endBoards(exitCode: number): void {
    for (const name of boardNames) Object.assign(this.boards[name], { running: false, exitCode });
    this.event('rig', 'BOARD_ENDED', 'both boards end', 'warning');
  }

  /** Waits for a change, as the rig does; gives up at once when told to be unsound. */
  until(condition: () => boolean, _timeoutMs: number, what: string): Promise<void> {
    return new Promise((accept, reject) => {
      const check = (): void => {
        if (!condition()) return;
        this.off('change', check);
        accept();
      };
      this.on('change', check);
      check();
      if (!this.isSound && !condition()) reject(new Error(`not in time: ${what}`));
    });
  }

  async stopBoards(): Promise<void> {
    this.calls.push('stop boards');
    for (const name of boardNames) this.boards[name].running = false;
  }

  async verify(journalOf?: BoardName): Promise<Verification> {
    this.calls.push(`verify ${journalOf}`);
    if (this.verification instanceof Error) throw this.verification;
    return this.verification;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
  }
}

function newBoard(board: BoardName): FakePairRig['boards']['a'] {
  const link = (name: string, roundTripMs: number): BoardStatus['links'][number] => ({
    name,
    sent: 100,
    received: 100,
    bytesSent: 9000,
    bytesReceived: 9000,
    discarded: {},
    retransmitted: 0,
    duplicates: 0,
    roundTripMs,
    lastHeardAt: 1,
    up: true,
  });
  return {
    running: true,
    frozen: false,
    exitCode: null,
    status: {
      board,
      role: board === 'a' ? 'primary' : 'backup',
      term: 1,
      protected: true,
      historyId: 'history',
      turns: 1234,
      executedTurns: 1234,
      releasedTurns: 1234,
      lagTurns: 0,
      lagMs: 0,
      verdict: 'green',
      silentForMs: 4,
      virtualTimeUs: 0,
      links: [link('serial', 12.4), link('ethernet', 1.1)],
      devices: [
        {
          name: '/dev/ttyACM0',
          kind: 'fenced',
          open: true,
          attached: board === 'a',
          session: 7,
          produced: 120,
          confirmed: 120,
          inputs: 300,
          inputsLost: 0,
          discarded: 0,
        },
      ],
      divergences: 0,
      pid: 1,
      replicaPid: 2,
    },
  };
}
