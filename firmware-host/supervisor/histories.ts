/**
 * Histories: one run of the program from its start, with its records, its notes, and the counts of its devices.
 *
 *   begin    a new one: new replica, empty journal, a start event
 *   resume   this board's own, from its journal: after a start, or for a replica that failed
 *   adopt    the primary's, when this board joins it (the records then come over the bus)
 *   forget   the journal's, when it cannot be run again
 *
 * Notes are facts beside the records: terms that were granted, where each device's counts began, whether this board
 * may go on alone. A journal counts only as far as its notes prove (`journalTerm`).
 */
import type { JournalNote, PairMessage } from '../../protocol/pair-message.ts';
import { decodeBatch } from '../../protocol/record.ts';
import type { CoreState } from './core-state.ts';
import type { DeviceStream } from './device-stream.ts';
import type { JournalContents } from './effects.ts';
import type { Parts } from './parts.ts';
import { RecordLog } from './record-log.ts';

/** A replica that dies over the journal so often will not get through it. */
const resumeFailuresMax = 3;

type Others = Pick<
  Parts,
  | 'devices'
  | 'divergence'
  | 'follower'
  | 'gate'
  | 'handover'
  | 'joining'
  | 'messages'
  | 'program'
  | 'records'
  | 'requests'
  | 'turns'
>;

export class Histories {
  readonly #core: CoreState;
  readonly #parts: Others;
  /** The history that runs, or null for none. */
  id: string | null = null;
  startedAtMs = 0;
  /** A device stands elsewhere than this board's records: whoever leads begins a new history. */
  continuityLost = false;
  /** This board leads, and began to by what its journal holds: nobody was there to take over from. */
  ledByJournal = false;
  #notes: JournalNote[] = [];
  /** Notes whose turn has not been run. */
  #pendingNotes: JournalNote[] = [];
  /** The own journal is being run again, up to this turn. */
  #resuming: { turns: number } | null = null;
  /** What the journal is asked for, from this turn on. */
  #readFromTurn: number | null = null;
  /** Times that it was tried without coming to the end. */
  #resumeFailures = 0;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  get notes(): readonly JournalNote[] {
    return this.#notes;
  }

  get resuming(): boolean {
    return this.#resuming !== null;
  }

  /** Turns that the journal holds, those that are still to be run again included. */
  get journalTurns(): number {
    return Math.max(this.#resuming?.turns ?? 0, this.#core.log.turns);
  }

  /**
   * The newest reign of which this journal has every record that led to an output: one of this board, or one whose
   * backup it was. Of a reign that it only began to follow it knows too little to go on alone.
   */
  get journalTerm(): number {
    let term = 0;
    let shared: number | null = null;
    for (const note of this.#notes) {
      if (note.kind === 'term' && note.board === this.#core.options.board) term = Math.max(term, note.term);
      if (note.kind === 'standing') shared = note.eligible ? note.term : null;
    }
    return Math.max(term, shared ?? 0);
  }

  /**
   * The device has followed a reign of this history, and the journal that this board leads by knows nothing of it: what was
   * written to the device then is lost with its note. A board that takes over from a primary has every note that counts.
   */
  lacksNoteOf(stream: DeviceStream): boolean {
    const { pair } = this.#core;
    const leadsByJournal = pair.role === 'contending' ? pair.claim === 'cold-start' : this.ledByJournal;
    const first = this.#notes.find((note) => note.kind === 'term');
    if (!leadsByJournal || first === undefined || stream.formerTerm < first.term) return false;
    return !this.#notes.some((note) => note.kind === 'device' && note.device === stream.options.name);
  }

  // ---------------------------------------------------------------- a new one

  /** The devices are taken anew, so that the new history's counts begin where each device's count stands. */
  restart(why: string): void {
    const { arbiter } = this.#core;
    if (arbiter === null) {
      this.begin(why, null);
      return;
    }
    this.#parts.devices.takeAnew(arbiter);
    this.continuityLost = true;
  }

  /** `counted`: the device whose count was told just now. What the others have accepted meanwhile they are asked. */
  begin(why: string, counted: DeviceStream | null): void {
    const { clock, now, options, runner, streams } = this.#core;
    const { follower } = this.#parts;
    const isFollowed = follower.present;
    // What the program was given counts as given, also in a record that still waits for company.
    this.#parts.records.cut();
    // The copy at the other board is one of another history: nothing may wait for it, or be handed over to it.
    this.#core.role({ kind: 'new-history' });
    this.#parts.handover.abandon();
    const historyId = options.randomHex(8);
    const startedAtMs = Math.round(options.wallTimeUs() / 1000);
    this.id = historyId;
    this.startedAtMs = startedAtMs;
    this.ledByJournal = false;
    this.#core.report('info', 'PROGRAM_STARTED', why, { history: historyId });
    this.#resetCopy();
    this.#core.emit({ kind: 'journal-create', historyId, startedAtMs });
    clock.start(now, options.wallTimeUs());
    this.note({ kind: 'term', term: this.#core.pair.term, turn: 0, board: options.board });
    for (const stream of streams) {
      if (stream.controller === null) continue;
      // Input that has come and that no record holds is the new history's: the device keeps it, and says it again.
      // And what the controller still holds of the old history's outputs goes out before the new one's counts begin.
      const isSettled = stream.inputsReceived === stream.inputs && stream.controller.heldBytes === 0;
      if (stream !== counted || !isSettled) {
        this.#parts.devices.takeAnew(stream);
        continue;
      }
      // What the device has not accepted was written by the run that is given up.
      stream.rebase(stream.session, stream.confirmed, stream.inputs);
      this.noteDevice(stream);
    }
    runner.events.push({ kind: 'start', seed: options.randomHex(16), ...options.start });
    if (isFollowed) follower.start(0);
  }

  /** Forget the copy of the program: a new replica process, nothing recorded, nothing held. */
  #resetCopy(): void {
    this.#core.emit({ kind: 'replica-stop', reason: 'a history begins' });
    this.#core.emit({ kind: 'replica-start' });
    this.#core.runner.reset();
    this.#core.clock.reset();
    this.#core.log = new RecordLog();
    this.#parts.requests.reset();
    this.#parts.gate.reset();
    this.#parts.divergence.reset();
    this.#parts.follower.reset();
    this.#parts.joining.copyGone();
    this.#parts.program.reset();
    this.#notes = [];
    this.#pendingNotes = [];
    this.#resuming = null;
    for (const stream of this.#core.streams) stream.forgetPort();
  }

  // ---------------------------------------------------------------- this board's own

  /** After a start: the copy is brought to where the journal ends, whoever will lead. */
  open(journal: JournalContents): void {
    this.id = journal.historyId;
    this.startedAtMs = journal.startedAtMs;
    this.#notes = journal.notes;
  }

  /** Runs the own journal again, up to this turn. */
  resume(turns: number): void {
    this.#core.report('info', 'RESUMING', `running ${turns} turns of this board's journal again`);
    const notes = this.#notes;
    this.#resetCopy();
    this.#notes = notes;
    this.#resuming = { turns };
    this.#pendingNotes = notes.filter((note) => note.kind === 'device');
    this.#applyNotes();
    this.#readJournal(0);
  }

  #readJournal(fromTurn: number): void {
    this.#readFromTurn = fromTurn;
    this.#core.emit({ kind: 'journal-read', historyId: this.id!, fromTurn });
  }

  /** The journal's next batches; none when it ends. */
  journalChunk(fromTurn: number, batches: Uint8Array[]): void {
    // A replica that failed while its journal was being read is begun anew: what was asked for it comes all the same.
    if (this.#resuming === null || fromTurn !== this.#readFromTurn) return;
    this.#readFromTurn = null;
    for (const bytes of batches) this.#parts.turns.replay(decodeBatch(bytes), bytes);
    const { turns } = this.#core.log;
    if (turns < this.#resuming.turns && batches.length > 0) this.#readJournal(turns);
    else this.#resuming.turns = turns;
    this.#resumeEnds();
  }

  /** A recorded turn was run. */
  replayed(): void {
    this.#applyNotes();
    this.#resumeEnds();
  }

  #resumeEnds(): void {
    const { log, runner } = this.#core;
    if (this.#resuming === null || runner.busy || runner.executedTurns < this.#resuming.turns) return;
    this.#resuming = null;
    this.#resumeFailures = 0;
    this.#core.report('info', 'RESUMED', `the program stands at turn ${log.turns} again`);
  }

  /**
   * The replica's process ended, or hung, while it ran the journal again: that says nothing of the journal yet.
   * `certain`: it would do the same again.
   */
  resumeFailed(certain: boolean): void {
    const turns = this.#resuming?.turns ?? 0;
    this.#resumeFailures += 1;
    if (certain || this.#resumeFailures >= resumeFailuresMax) this.forgetJournal();
    else this.resume(turns);
  }

  /** This board's journal cannot be run again: it is as if there were none. */
  forgetJournal(): void {
    this.#resetCopy();
    this.id = null;
    for (const stream of this.#core.streams) stream.rebase(null, 0, 0);
    this.#core.pair.journalIs({ term: 0, turns: 0 });
    this.#core.role({ kind: 'copy-lost', reason: 'the journal of this board cannot be run again' });
  }

  // ---------------------------------------------------------------- the other board's

  adopt(message: Extract<PairMessage, { kind: 'history' }>): void {
    const { historyId, startedAtMs, fromTurn } = message;
    const inPlace = historyId === this.id && fromTurn === this.#core.log.turns && fromTurn > 0;
    if (inPlace) return;
    this.id = historyId;
    this.startedAtMs = startedAtMs;
    // The device's state is weighed against the records that come, not against those given up.
    this.continuityLost = false;
    this.#resetCopy();
    for (const stream of this.#core.streams) stream.rebase(null, 0, 0);
    this.#core.emit({ kind: 'journal-create', historyId, startedAtMs });
  }

  adoptNote(note: JournalNote): void {
    this.#notes.push(note);
    this.#pendingNotes.push(note);
    this.#core.emit({ kind: 'journal-note', note });
    this.#applyNotes();
    this.summarize();
  }

  // ---------------------------------------------------------------- notes

  note(note: JournalNote): void {
    this.#parts.records.cut();
    this.#notes.push(note);
    this.#core.emit({ kind: 'journal-note', note });
    if (this.#parts.follower.present) this.#parts.messages.say({ kind: 'note', note });
    this.summarize();
  }

  /** Whether this board may go on alone after the other board's reign. */
  noteStanding(eligible: boolean): void {
    this.note({ kind: 'standing', term: this.#core.pair.term, turn: this.#core.log.turns, eligible });
  }

  /** Where the device's counts begin. */
  noteDevice(stream: DeviceStream): void {
    this.note({
      kind: 'device',
      device: stream.options.name,
      session: stream.session ?? 0,
      outputs: stream.produced,
      inputs: stream.inputs,
      turn: this.#core.log.turns,
    });
  }

  /** Device notes take effect at their turn, on a board that replays. */
  #applyNotes(): void {
    const { runner, streams } = this.#core;
    while (this.#pendingNotes.length > 0) {
      const note = this.#pendingNotes[0]!;
      if (note.kind === 'device') {
        if (note.turn > runner.executedTurns) return;
        const stream = streams.find((each) => each.options.name === note.device);
        stream?.rebase(note.session, note.outputs, note.inputs);
      }
      this.#pendingNotes.shift();
    }
  }

  /** Tells the role machine what this board's journal can prove. */
  summarize(): void {
    this.#core.pair.journalIs({ term: this.journalTerm, turns: this.journalTurns });
  }
}
