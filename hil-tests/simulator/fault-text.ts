/** A fault in plain words, for whoever has to understand a failing life. */
import type { BoardName, Fault, LinkName } from './fault.ts';

/** Milliseconds with at most one decimal, 1234.5. */
export function msText(ms: number): string {
  return String(Math.round(ms * 10) / 10);
}

const percent = (probability: number): string => `${Math.round(probability * 1000) / 10} %`;

function sent(link: LinkName, from: BoardName | null): string {
  return from === null ? `over ${link}, both ways` : `by ${from} over ${link}`;
}

/** What is wrong, without when: `30 % of what is sent by a over ethernet is lost`. */
export function faultText(fault: Fault): string {
  switch (fault.kind) {
    case 'loss':
      return `${percent(fault.probability)} of what is sent ${sent(fault.link, fault.from)} is lost`;
    case 'delay':
      return `what is sent ${sent(fault.link, fault.from)} takes ${msText(fault.ms)} ms longer, give or take ${msText(fault.jitterMs)} ms`;
    case 'duplication':
      return `${percent(fault.probability)} of what is sent ${sent(fault.link, fault.from)} arrives twice`;
    case 'reordering':
      return `${percent(fault.probability)} of what is sent ${sent(fault.link, fault.from)} is overtaken`;
    case 'corruption':
      return `${percent(fault.probability)} of what is sent ${sent(fault.link, fault.from)} is corrupted`;
    case 'cut':
      return `nothing that is sent ${sent(fault.link, fault.from)} arrives`;
    case 'stall':
      return `what is sent ${sent(fault.link, fault.from)} is held back, then arrives all at once`;
    case 'slow-link':
      return `${fault.link} carries ${fault.bitsPerSecond} bits per second`;
    case 'kill':
      return `board ${fault.board}: its processes are killed; started again at the end`;
    case 'power':
      return `board ${fault.board} has no power; back at the end with ${fault.disk === 'kept' ? 'its disk' : 'an empty disk'}`;
    case 'pause':
      return `board ${fault.board} stands still`;
    case 'late-wakes':
      return `board ${fault.board} wakes ${msText(fault.ms)} ms too late`;
    case 'slow-replica':
      return `board ${fault.board}: each turn takes ${msText(fault.turnMs)} ms longer`;
    case 'replica':
      return `board ${fault.board}: the replica ${replicaText[fault.how]}`;
    case 'disk-full':
      return `board ${fault.board}: the disk is full`;
    case 'slow-disk':
      return `board ${fault.board}: the disk takes ${msText(fault.ms)} ms longer`;
    case 'clock-step':
      return `board ${fault.board}: the clock of the day steps by ${msText(fault.ms)} ms`;
    case 'clock-drift':
      return `board ${fault.board}: the monotonic clock is ${fault.partsPerMillion} ppm too fast`;
    case 'device-restart':
      return `device ${fault.device} restarts`;
    case 'device-port-lost':
      return `device ${fault.device}: the port of board ${fault.board} is gone`;
    case 'line-noise':
      return `device ${fault.device}: ${percent(fault.probability)} of what passes on the line to board ${fault.board} is disturbed`;
    case 'slow-device':
      return `device ${fault.device} takes ${msText(fault.msPerByte)} ms over every byte of output`;
    case 'switchover':
      return `somebody asks board ${fault.board} for a switchover`;
    case 'leave':
      return `board ${fault.board} is shut down in order; started again at the end`;
    case 'forgery':
      return `every ${msText(fault.everyMs)} ms ${forgeryText[fault.how]} reaches board ${fault.to} over ${fault.link}`;
  }
}

const replicaText: Record<'killed' | 'hangs' | 'diverges', string> = {
  killed: 'is killed',
  hangs: 'stops answering',
  diverges: 'computes something else from now on',
};

const forgeryText: Record<Extract<Fault, { kind: 'forgery' }>['how'], string> = {
  random: 'a datagram of random bytes',
  replayed: 'an old datagram, again,',
  reflected: 'a datagram of its own, sent back,',
  'other-key': 'a datagram sealed under another key',
  truncated: 'a datagram that was cut short',
};

/** With its kind and times, one line of the list that a failure prints. */
export function faultLine(fault: Fault): string {
  const when =
    'until' in fault ? `${msText(fault.at)} to ${msText(fault.until)} ms` : `${msText(fault.at)} ms`;
  return `${when.padEnd(22)} ${fault.kind.padEnd(16)} ${faultText(fault)}`;
}
