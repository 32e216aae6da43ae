/**
 * What a fault does to the parts of a world: the one place that knows for every kind whom it strikes, and what is again as it
 * was when it ends. Where several faults keep the same thing down, the last one to end lets it up.
 */
import type { Board } from './board.ts';
import type { DeviceInTheWorld } from './device-in-the-world.ts';
import { type BoardName, type Fault, linkNames } from './fault.ts';
import type { Forger } from './forger.ts';
import type { Network } from './network.ts';
import type { Observation } from './observation.ts';
import type { VirtualTime } from './virtual-time.ts';

type PortLoss = Extract<Fault, { kind: 'device-port-lost' }>;
type Forgery = Extract<Fault, { kind: 'forgery' }>;
type Causes = Record<BoardName, Set<Fault>>;

export interface Struck {
  time: VirtualTime;
  network: Network;
  boards: Record<BoardName, Board>;
  devices: readonly DeviceInTheWorld[];
  forger: Forger;
  /** What a turn takes on a replica that is not slowed down. */
  turnMs: number;
  observe(observation: Observation): void;
}

const leavingPollMs = 20;
const noCauses = (): Causes => ({ a: new Set(), b: new Set() });

export class FaultHandling {
  readonly #struck: Struck;
  /** Faults that keep a board from running. */
  readonly #down = noCauses();
  readonly #paused = noCauses();
  /** By device: faults that keep a board's port closed. */
  readonly #portFaults: Causes[];
  readonly #forgeries = new Set<Forgery>();

  constructor(struck: Struck) {
    this.#struck = struck;
    this.#portFaults = struck.devices.map(noCauses);
  }

  mayRun(board: BoardName): boolean {
    return this.#down[board].size === 0;
  }

  /** Opens the device ports that this board can open, and says which. */
  openPorts(board: Board): number[] {
    const open: number[] = [];
    this.#struck.devices.forEach((device, index) => {
      if (this.#portFaults[index]![board.name].size > 0) return;
      device.lines[board.name].isOpen = true;
      open.push(index);
    });
    return open;
  }

  begin(fault: Fault): void {
    const { network, boards, devices } = this.#struck;
    switch (fault.kind) {
      case 'loss':
      case 'delay':
      case 'duplication':
      case 'reordering':
      case 'corruption':
      case 'cut':
      case 'stall':
      case 'slow-link':
        return network.begin(fault);
      case 'kill':
      case 'power': {
        const board = boards[fault.board];
        this.#down[fault.board].add(fault);
        this.#goDown(board, fault.kind === 'kill' ? 'killed' : 'power');
        if (fault.kind === 'power' && fault.disk === 'lost') board.disk.erase();
        return;
      }
      case 'leave':
        this.#down[fault.board].add(fault);
        return boards[fault.board].input({ kind: 'leave' });
      case 'pause':
        this.#paused[fault.board].add(fault);
        return boards[fault.board].pause();
      case 'late-wakes':
        boards[fault.board].lateMs = fault.ms;
        return;
      case 'slow-replica':
        boards[fault.board].replica.turnMs = fault.turnMs;
        return;
      case 'replica':
        return boards[fault.board].replica.strike(fault.how);
      case 'disk-full':
        boards[fault.board].disk.isFull = true;
        return;
      case 'slow-disk':
        boards[fault.board].disk.slowMs = fault.ms;
        return;
      case 'clock-step':
        return boards[fault.board].clock.step(fault.ms);
      case 'clock-drift':
        return boards[fault.board].clock.drift(this.#struck.time.now, fault.partsPerMillion);
      case 'device-restart':
        return devices[fault.device]!.restart();
      case 'device-port-lost':
        return this.#losePort(fault);
      case 'line-noise':
        devices[fault.device]!.lines[fault.board].noise = fault.probability;
        return;
      case 'slow-device':
        devices[fault.device]!.msPerByte = fault.msPerByte;
        return;
      case 'switchover':
        return boards[fault.board].input({
          kind: 'operator',
          command: 'switchover',
          reason: 'somebody wants it',
        });
      case 'forgery':
        return this.#forge(fault);
    }
  }

  end(fault: Fault): void {
    const { network, boards, devices, turnMs } = this.#struck;
    switch (fault.kind) {
      case 'loss':
      case 'delay':
      case 'duplication':
      case 'reordering':
      case 'corruption':
      case 'cut':
      case 'stall':
      case 'slow-link':
        return network.end(fault);
      case 'kill':
      case 'power':
      case 'leave':
        return this.#mayStart(fault.board, fault);
      case 'pause': {
        const causes = this.#paused[fault.board];
        causes.delete(fault);
        if (causes.size === 0) boards[fault.board].resume();
        return;
      }
      case 'late-wakes':
        boards[fault.board].lateMs = 0;
        return;
      case 'slow-replica':
        boards[fault.board].replica.turnMs = turnMs;
        return;
      case 'disk-full':
        boards[fault.board].disk.isFull = false;
        return;
      case 'slow-disk':
        boards[fault.board].disk.slowMs = 0;
        return;
      case 'clock-drift':
        return boards[fault.board].clock.drift(this.#struck.time.now, 0);
      case 'device-port-lost':
        return this.#regainPort(fault);
      case 'line-noise':
        devices[fault.device]!.lines[fault.board].noise = 0;
        return;
      case 'slow-device':
        devices[fault.device]!.msPerByte = 0;
        return;
      case 'forgery':
        this.#forgeries.delete(fault);
        return;
      case 'replica':
      case 'clock-step':
      case 'device-restart':
      case 'switchover':
        return;
    }
  }

  #goDown(board: Board, cause: 'killed' | 'power'): void {
    // What a killed process has written is with the kernel, which goes on sending it.
    if (cause === 'power') {
      for (const device of this.#struck.devices) device.lines[board.name].isOpen = false;
    }
    board.down(cause);
  }

  /** What kept the board down is over. One that was told to leave and has not yet gone is waited for. */
  #mayStart(name: BoardName, cause: Fault): void {
    const causes = this.#down[name];
    causes.delete(cause);
    if (causes.size > 0) return;
    const board = this.#struck.boards[name];
    if (cause.kind === 'leave' && board.isUp) {
      this.#struck.time.after(leavingPollMs, () => this.#mayStart(name, cause));
      return;
    }
    if (board.isUp) return;
    board.start();
    if (this.#paused[name].size > 0) board.pause();
  }

  #losePort(fault: PortLoss): void {
    const faults = this.#portFaults[fault.device]![fault.board];
    faults.add(fault);
    if (faults.size > 1) return;
    this.#struck.devices[fault.device]!.lines[fault.board].isOpen = false;
    const { device } = fault;
    const reason = 'the port is gone';
    this.#struck.boards[fault.board].input({
      kind: 'device-closed',
      device,
      code: 'DEVICE_PORT_LOST',
      reason,
    });
  }

  #regainPort(fault: PortLoss): void {
    const faults = this.#portFaults[fault.device]![fault.board];
    faults.delete(fault);
    const board = this.#struck.boards[fault.board];
    if (faults.size > 0 || !board.isUp) return;
    this.#struck.devices[fault.device]!.lines[fault.board].isOpen = true;
    board.input({ kind: 'device-opened', device: fault.device });
  }

  #forge(fault: Forgery): void {
    this.#forgeries.add(fault);
    const again = (): void => {
      if (!this.#forgeries.has(fault)) return;
      this.#struck.time.after(fault.everyMs, again);
      const board = this.#struck.boards[fault.to];
      if (!board.isRunning) return;
      const bytes = this.#struck.forger.forge(fault.how, fault.to, board.supervisor!.status(board.now).role);
      if (bytes === null) return;
      const changed = this.#struck.forger.tryOn(board, linkNames.indexOf(fault.link), bytes);
      this.#struck.observe({ kind: 'forged', board: fault.to, how: fault.how, changed });
    };
    again();
  }
}
