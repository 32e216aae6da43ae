/**
 * The parts of a supervisor's core, by name. Each holds the state of one idea, and names the others that it turns to:
 * `Pick<Parts, ...>` at its constructor is the whole list of what it depends on.
 *
 * This file has types only: parts reach one another through the object that `supervisor.ts` builds, so no two of their
 * files import each other when they run.
 */
import type { DeviceSupervision } from './device-supervision.ts';
import type { DivergenceHandling } from './divergence-handling.ts';
import type { Follower } from './follower.ts';
import type { Handover } from './handover.ts';
import type { Histories } from './histories.ts';
import type { Joining } from './joining.ts';
import type { Leaving } from './leaving.ts';
import type { OperatorOrders } from './operator-orders.ts';
import type { OutputGate } from './output-gate.ts';
import type { PeerMessages } from './peer-messages.ts';
import type { PeerWatch } from './peer-watch.ts';
import type { ProgramLife } from './program-life.ts';
import type { ProgramRequests } from './program-requests.ts';
import type { RecordShipping } from './record-shipping.ts';
import type { Reign } from './reign.ts';
import type { Turns } from './turns.ts';

export interface Parts {
  // The way of a turn.
  turns: Turns;
  requests: ProgramRequests;
  records: RecordShipping;
  gate: OutputGate;
  devices: DeviceSupervision;
  // The other board.
  messages: PeerMessages;
  peer: PeerWatch;
  follower: Follower;
  joining: Joining;
  divergence: DivergenceHandling;
  // Who leads, and what.
  reign: Reign;
  handover: Handover;
  histories: Histories;
  program: ProgramLife;
  leaving: Leaving;
  orders: OperatorOrders;
}
