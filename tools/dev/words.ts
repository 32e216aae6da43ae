/** The pair's states and events in plain words: for someone who has read nothing of ours. */
import type { Style } from '../terminal/canvas.ts';
import type { BoardPicture, LastFault, ScreenModel } from './model.ts';
import { type BoardName, boardNames, type FaultRecord, otherBoard, type RigEvent } from './pair-rig.ts';

export interface Said {
  text: string;
  style: Style;
}

export function boardTitle(board: BoardName): string {
  return `BOARD ${board.toUpperCase()}`;
}

/** At most 26 columns: what fits into a board's box on 80. */
export function conditionWords(picture: BoardPicture): Said {
  switch (picture.condition) {
    case 'off':
      return { text: 'OFF: no power', style: 'bad' };
    case 'frozen':
      return { text: 'FROZEN: does nothing', style: 'bad' };
    case 'starting':
      return { text: 'starting', style: 'warning' };
    case 'contending':
      return { text: 'asks for control', style: 'warning' };
    case 'primary':
      return picture.facts?.protected === false
        ? { text: 'primary: in control, ALONE', style: 'warning' }
        : { text: 'primary: in control', style: 'good' };
    case 'joining':
      return { text: 'joining: is catching up', style: 'warning' };
    case 'backup':
      return { text: 'backup: ready to take over', style: 'good' };
    case 'stepped-down':
      return { text: 'stepped down: lost control', style: 'warning' };
    case 'stopped':
      return { text: 'stopped', style: 'bad' };
  }
}

export function protectionWords(model: ScreenModel): Said {
  const leader = boardNames.find((name) => model.boards[name].condition === 'primary');
  if (leader === undefined) {
    if (model.device.term === 0) {
      return { text: 'NOT PROTECTED yet: the boards are starting', style: 'banner-warning' };
    }
    const text = model.device.safe
      ? 'NOT PROTECTED: nobody is in control; the device is in its safe state'
      : 'NOT PROTECTED: nobody is in control at this moment';
    return { text, style: 'banner-bad' };
  }
  const second = otherBoard(leader);
  const [first, spare] = [leader.toUpperCase(), second.toUpperCase()];
  if (model.isProtected) {
    return { text: `PROTECTED: if board ${first} fails now, board ${spare} goes on`, style: 'banner-good' };
  }
  const alone = `board ${first} works alone`;
  if (model.cables.serial.state === 'cut' && model.cables.ethernet.state === 'cut') {
    return { text: `NOT PROTECTED: both cables are cut, ${alone}`, style: 'banner-warning' };
  }
  const why: Record<BoardPicture['condition'], string> = {
    off: `board ${spare} is off`,
    frozen: `board ${spare} is frozen`,
    starting: `board ${spare} is starting`,
    contending: `board ${spare} has not found its place`,
    primary: 'both boards believe to lead; the device obeys one',
    joining: `board ${spare} is catching up`,
    backup: `board ${spare} does not have everything yet`,
    'stepped-down': `board ${spare} has stepped down and is coming back`,
    stopped: `board ${spare} has stopped`,
  };
  return {
    text: `NOT PROTECTED: ${why[model.boards[second].condition]}, ${alone}`,
    style: 'banner-warning',
  };
}

const faultNames: Record<string, (board: string) => string> = {
  'kill-primary': (board) => `board ${board} (primary) killed`,
  'kill-backup': (board) => `board ${board} (backup) killed`,
  'freeze-primary': (board) => `board ${board} (primary) frozen`,
  'freeze-backup': (board) => `board ${board} (backup) frozen`,
  'kill-replica': (board) => `program on board ${board} killed`,
  'kill-backup-replica': (board) => `program on board ${board} (backup) killed`,
  'cut-serial': () => 'serial cable cut',
  'cut-ethernet': () => 'Ethernet cable cut',
  switchover: (board) => `switchover away from board ${board}`,
};

export function faultName(fault: Pick<FaultRecord, 'kind' | 'board'>): string {
  return faultNames[fault.kind]?.(fault.board?.toUpperCase() ?? '?') ?? fault.kind;
}

/** Kinds of fault after which another board must lead. */
export function needsTakeover(kind: string): boolean {
  return ['kill-primary', 'freeze-primary', 'kill-replica', 'switchover'].includes(kind);
}

export function milliseconds(value: number): string {
  return value >= 10_000
    ? `${(value / 1000).toFixed(1)} s`
    : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

export function lastFaultWords(fault: LastFault): Said {
  const name = fault.kind === 'switchover' ? 'switchover' : faultName(fault).replace(/ \(.*\)/, '');
  if (!needsTakeover(fault.kind)) {
    return fault.follower === null
      ? { text: `LAST FAULT: ${name}: nothing had to change`, style: 'banner-good' }
      : {
          text: `LAST FAULT: ${name}: board ${fault.follower.toUpperCase()} took control`,
          style: 'banner-warning',
        };
  }
  if (fault.attachGapMs === null)
    return { text: `LAST FAULT: ${name}: waiting for the takeover`, style: 'banner-bad' };
  const follower = fault.follower?.toUpperCase() ?? 'the other';
  const output = fault.outputGapMs === null ? '' : `, next output after ${milliseconds(fault.outputGapMs)}`;
  return {
    text: `LAST FAULT: ${name}: ${follower} in control after ${milliseconds(fault.attachGapMs)}${output}`,
    style: 'banner-good',
  };
}

/** Shorter words for what happens often; any other event is shown with its own text. `who`: "board A". */
const boardWords: Record<string, (who: string, event: RigEvent) => string> = {
  PAIR_WAITING_FOR_PEER: (who) => `${who} waits for the other`,
  PAIR_CLAIM: (who) => `${who} asks for control`,
  PAIR_PRIMARY: (who) => `${who} is in control`,
  PROGRAM_STARTED: (who) => `${who} starts the program`,
  RESUMING: (who) => `${who} repeats its journal`,
  PAIR_SOLO: (who) => `${who} works alone`,
  PAIR_PROTECTED: (who) => `${who} is protected`,
  PAIR_FOLLOWING: (who) => `${who} is joining`,
  PAIR_BACKUP: (who) => `${who} is backup, ready`,
  PAIR_STEPPED_DOWN: (who) => `${who} steps down`,
  PEER_RED: (who, { source }) => `${who} lost sight of ${source === 'a' ? 'B' : 'A'}`,
  LINK_SILENT: (who, { text }) => `${who}: ${linkIn(text)} is silent`,
  LINK_HEARD: (who, { text }) => `${who}: ${linkIn(text)} is back`,
  DEVICE_STALE: (who) => `${who} refused by the device`,
  HANDOVER: (who) => `${who} is offered control`,
  OPERATOR: (who, { text }) => `${who}: ${text}`,
  LEAVING: (who) => `${who} leaves, as told`,
};

const otherWords: Record<string, (event: RigEvent) => string> = {
  DEVICE_FOLLOWS: ({ text }) => text.replace('the device follows', 'device obeys'),
  DEVICE_SAFE_STATE: () => 'device: nobody there, SAFE STATE',
};

function linkIn(text: string): string {
  return text.includes('serial') ? 'serial' : 'Ethernet';
}

/**
 * What comes and goes many times a second on a busy machine, and what another event says as well. All of it is in
 * the NDJSON.
 */
const noise = new Set(['PEER_GREEN', 'PEER_YELLOW', 'DEVICE_ATTACHED', 'DEVICE_PORT_OPEN']);

const repeatedWithinMs = 2000;

/** What an event is called; null: not worth a line for people. */
function eventSaid(event: RigEvent): Said | null {
  if (noise.has(event.code) || (event.code === 'DEVICE_REJECTED' && /\b0 bytes/.test(event.text)))
    return null;
  const isBoard = event.source === 'a' || event.source === 'b';
  const who = isBoard ? `board ${event.source.toUpperCase()}` : '';
  const text = isBoard
    ? (boardWords[event.code]?.(who, event) ?? `${who}: ${event.text}`)
    : (otherWords[event.code]?.(event) ?? event.text);
  const style: Style =
    event.code === 'FAULT'
      ? 'warning'
      : event.level === 'alarm' && event.code !== 'DEVICE_STALE'
        ? 'bad'
        : event.code === 'DEVICE_FOLLOWS' || event.code === 'PAIR_PROTECTED'
          ? 'good'
          : 'plain';
  return { text, style };
}

/** Tells events to people: each once, also when a board or the device repeats it. */
export class Telling {
  readonly #toldAt = new Map<string, number>();
  #faultAt = Number.NEGATIVE_INFINITY;

  tell(event: RigEvent): Said | null {
    const said = eventSaid(event);
    if (said === null) return null;
    if (event.code === 'FAULT') this.#faultAt = event.atMs;
    // That a board which was just killed has ended is no news.
    const isExpected = event.atMs - this.#faultAt < repeatedWithinMs;
    if (event.code === 'BOARD_ENDED' && event.text.includes('SIGKILL') && isExpected) return null;
    const key = `${event.source} ${said.text}`;
    const before = this.#toldAt.get(key) ?? Number.NEGATIVE_INFINITY;
    this.#toldAt.set(key, event.atMs);
    return event.atMs - before < repeatedWithinMs ? null : said;
  }
}

export function grouped(value: number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}
