/**
 * Tells a life in lines: every effect of both supervisors, what the device did, who runs and in which role.
 *
 * What turns a story has a line of its own. What repeats is counted by board or device: work (turns, records, bytes)
 * is told before the next line of the same one, what only keeps the links alive (heartbeats, acknowledgements,
 * handshakes) at the end of each block. So every change of behaviour shows, and a beat more costs one number.
 */
import type { SupervisorEffect } from '../../../firmware-host/supervisor/effects.ts';
import type { BoardStatus } from '../../../firmware-host/supervisor/status.ts';
import { StreamReceiver } from '../../../protocol/device-stream/frames.ts';
import type { PairMessage } from '../../../protocol/pair-message.ts';
import { decodeBatch, turnsOf } from '../../../protocol/record.ts';
import type { Board, Interference } from '../board.ts';
import { contentsOf } from '../datagram-contents.ts';
import { type BoardName, boardNames, linkNames } from '../fault.ts';
import type { Observed } from '../observation.ts';
import { MessageStream } from './message-stream.ts';
import { Tally } from './tally.ts';

type Actor = BoardName | 'device';

const actors: readonly Actor[] = ['a', 'b', 'device'];

export class EffectLog implements Interference {
  readonly #now: () => number;
  readonly #processes: () => number;
  #lines: string[] = [];
  readonly #work: Record<Actor, Tally> = { a: new Tally(), b: new Tally(), device: new Tally() };
  readonly #beats: Record<BoardName, Tally> = { a: new Tally(), b: new Tally() };
  readonly #streams: Record<BoardName, MessageStream> = { a: new MessageStream(), b: new MessageStream() };
  /** Histories have random names; here they are counted. */
  readonly #histories = new Map<string, string>();
  readonly #roles = new Map<BoardName, string>();

  /** `processes` counts the supervisor processes of both boards so far. */
  constructor(now: () => number, processes: () => number) {
    this.#now = now;
    this.#processes = processes;
  }

  /** The lines since the last time. */
  take(): string[] {
    for (const actor of actors) this.#flush(actor, this.#work[actor]);
    for (const name of boardNames) this.#flush(name, this.#beats[name]);
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** Leaves of the lines since the last time only their number. */
  drop(): void {
    const { length } = this.take();
    this.#lines.push(`${this.#now().toFixed(0).padStart(6)}  ... ${length} lines are not shown`);
  }

  before(): void {}

  carries(): boolean {
    return true;
  }

  after({ name }: Board, effect: SupervisorEffect): void {
    switch (effect.kind) {
      case 'transmit':
        return this.#transmitted(name, effect.link, effect.bytes);
      case 'device-transmit':
        return this.#toDevice(name, effect.bytes);
      case 'replica-send':
        return this.#count(name, 'replica', `${effect.message.kind} messages`);
      case 'journal-batch': {
        let turns = 0;
        for (const record of decodeBatch(effect.batch).records) turns += turnsOf(record);
        this.#count(name, 'journal', 'batches');
        return this.#count(name, 'journal', 'turns', turns);
      }
      case 'replica-start':
        return this.#tell(name, 'starts a replica');
      case 'replica-stop':
        return this.#tell(name, `stops its replica: ${effect.reason}`);
      case 'journal-create':
        return this.#tell(name, `begins a journal of ${this.#historyOf(effect.historyId)}`);
      case 'journal-note':
        return this.#tell(name, `journals the note ${this.#json(effect.note)}`);
      case 'journal-read':
        return this.#tell(name, `reads its journal from turn ${effect.fromTurn}`);
      case 'console':
        return this.#count(name, 'console', `bytes of ${effect.stream}`, effect.bytes.length);
      case 'exit':
        return this.#tell(name, `wants to exit: ${effect.code}`);
      case 'device-configure':
        return this.#tell(name, `configures device ${effect.device}: ${effect.settings}`);
      case 'report':
      case 'wake':
        return;
    }
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'board-up': {
        const { historyId, turns, process } = observed;
        const journal = historyId === null ? 'no journal' : `${turns} turns of ${this.#historyOf(historyId)}`;
        return this.#tell(observed.board, `process ${process} begins with ${journal}`);
      }
      case 'board-down':
        this.#roles.delete(observed.board);
        return this.#tell(observed.board, `is gone: ${observed.exit ?? observed.cause}`);
      case 'report': {
        const { level, code, text } = observed.report;
        return this.#tell(observed.board, `${level}: ${code}: ${this.#renamed(text)}`);
      }
      case 'role':
        return this.#role(observed.board, observed.status);
      case 'turn':
        return this.#count(
          observed.board,
          'turns',
          `${observed.mode}ed ${observed.event?.kind ?? 'idle'}`,
          observed.count,
        );
      case 'device-attached':
      case 'device-released':
      case 'device-session':
      case 'device-safe':
      case 'device-output':
      case 'device-stale':
      case 'device-input':
      case 'device-input-lost':
        return this.#device(observed);
      case 'fault':
      case 'status':
      case 'heard':
      case 'forged':
      case 'stored':
      case 'durable':
        return;
    }
  }

  #device(observed: Extract<Observed, { device: number }>): void {
    switch (observed.kind) {
      case 'device-attached':
        return this.#tell(
          'device',
          `follows ${observed.board}, term ${observed.term}, session ${observed.session}`,
        );
      case 'device-released':
        return this.#tell('device', `is released by ${observed.board}, term ${observed.term}`);
      case 'device-session':
        return this.#tell('device', `begins session ${observed.session}`);
      case 'device-safe':
        return this.#tell('device', 'goes to its safe state');
      case 'device-output':
        return this.#count('device', 'output', `bytes of ${observed.board}`, observed.bytes.length);
      case 'device-stale':
        return this.#tell(
          'device',
          `refuses ${observed.bytes} bytes of ${observed.board}, term ${observed.term}`,
        );
      case 'device-input':
        return this.#count('device', 'input', 'bytes', observed.bytes.length);
      case 'device-input-lost':
        return this.#tell('device', `loses ${observed.bytes} bytes of input`);
    }
  }

  #role(board: BoardName, { role, term, protected: isProtected, historyId, turns }: BoardStatus): void {
    const history = historyId === null ? 'no history' : this.#historyOf(historyId);
    const news = `${role}, term ${term}, ${isProtected ? 'protected' : 'not protected'}, ${history}`;
    if (this.#roles.get(board) === news) return;
    this.#roles.set(board, news);
    this.#tell(board, `= ${news}, at turn ${turns}`);
  }

  #transmitted(board: BoardName, link: number, bytes: Uint8Array): void {
    const name = linkNames[link]!;
    const contents = contentsOf(bytes);
    if (contents.kind === 'handshake') return this.#beat(board, name, 'handshake messages');
    const { messages, repeated } = this.#streams[board].depart(contents, this.#processes());
    for (const message of messages) this.#message(board, name, message);
    if (repeated > 0) this.#count(board, name, 'fragments again', repeated);
    const kinds = new Set(contents.frames.map(({ kind }) => kind));
    if (kinds.has('heartbeat')) this.#beat(board, name, 'heartbeats');
    else if (!kinds.has('data')) this.#beat(board, name, 'acknowledgements');
  }

  #message(board: BoardName, link: string, message: PairMessage): void {
    if (message.kind === 'records') {
      this.#count(board, link, 'batches');
      return;
    }
    const { kind, ...rest } = message;
    // Both boards run the same program here.
    const { identity: _, ...fields } = { identity: null, ...rest };
    this.#tell(board, `says ${kind} ${this.#json(fields)}`);
  }

  #toDevice(board: BoardName, bytes: Uint8Array): void {
    // Every effect holds whole messages.
    for (const item of new StreamReceiver().push(bytes)) {
      if (item.kind === 'discarded') continue;
      const { message } = item;
      switch (message.kind) {
        case 'data':
          this.#count(board, 'device', 'bytes out', message.bytes.length);
          break;
        case 'keepalive':
        case 'input-ack':
          this.#count(board, 'device', message.kind);
          break;
        default: {
          const { kind, ...fields } = message;
          this.#tell(board, `device: ${kind} ${this.#json(fields)}`);
        }
      }
    }
  }

  // ---------------------------------------------------------------- lines

  #count(actor: Actor, group: string, what: string, count = 1): void {
    this.#work[actor].add(this.#now(), group, what, count);
  }

  #beat(board: BoardName, group: string, what: string): void {
    this.#beats[board].add(this.#now(), group, what);
  }

  #tell(actor: Actor, text: string): void {
    this.#flush(actor, this.#work[actor]);
    this.#line(actor, text.trim());
  }

  #flush(actor: Actor, tally: Tally): void {
    const { from } = tally;
    if (from === null) return;
    this.#line(actor, `. since ${from.toFixed(0)}: ${tally.take()}`);
  }

  #line(actor: Actor, text: string): void {
    this.#lines.push(`${this.#now().toFixed(0).padStart(6)}  ${actor.padEnd(6)}  ${text}`);
  }

  #json(value: object): string {
    const entries = Object.entries(value).map(([name, of]) => {
      const text = typeof of === 'string' ? this.#renamed(of) : JSON.stringify(of);
      return `${name}=${text}`;
    });
    return entries.join(' ');
  }

  #historyOf(id: string): string {
    let name = this.#histories.get(id);
    if (name === undefined) {
      name = `history ${this.#histories.size + 1}`;
      this.#histories.set(id, name);
    }
    return name;
  }

  /** A history's id is 16 hexadecimal digits, and nothing else in a text is. */
  #renamed(text: string): string {
    return text.replaceAll(/\b[0-9a-f]{16}\b/g, (id) => this.#historyOf(id));
  }
}
