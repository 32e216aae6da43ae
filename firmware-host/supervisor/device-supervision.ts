/**
 * The devices of this board: what their ports and controllers say, and what follows from it.
 *
 *   device bytes -> DeviceController -> input -> DeviceStream -> turns
 *   output gate --> write -----------> DeviceController -------> device
 *   attached, stale, session lost, port lost -> reign, histories, handover, the program
 *
 * A fenced device speaks through a controller (protocol/README.md §12) and is held from `attached` on; a plain one has
 * its bytes as they are. A device that lost its session does not stand where the program believes it to: the program is
 * told that its port is lost, as it would be without us, and is started afresh if it does not open it again.
 */
import type { DeviceController } from '../../protocol/device-stream/controller.ts';
import type { CoreState } from './core-state.ts';
import type { DeviceStream } from './device-stream.ts';
import type { Parts } from './parts.ts';

const plainInputBytesMax = 1024 * 1024;

/** Inputs that the device has given away to somebody else. */
interface Missing {
  from: number;
  to: number;
}

type ControllerInput = Parameters<DeviceController['step']>[1];
type ControllerEffect = ReturnType<DeviceController['step']>[number];
type Others = Pick<
  Parts,
  'handover' | 'histories' | 'joining' | 'messages' | 'program' | 'reign' | 'requests'
>;

export class DeviceSupervision {
  readonly #core: CoreState;
  readonly #parts: Others;
  readonly #wakeAt: (number | null)[];
  /** When the program has had its time to open a lost port again, or null. */
  restartAt: number | null = null;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
    this.#wakeAt = core.streams.map(() => null);
  }

  /** Times at which the controllers want a tick. */
  get wakeAt(): readonly (number | null)[] {
    return this.#wakeAt;
  }

  tickWhenDue(): void {
    const { now, streams } = this.#core;
    for (const stream of streams) {
      const wakeAt = this.#wakeAt[stream.index] ?? null;
      if (wakeAt === null || wakeAt > now) continue;
      this.#wakeAt[stream.index] = null;
      this.control(stream, { kind: 'tick' });
    }
  }

  // ---------------------------------------------------------------- to the device

  /** Asks for actuation, going on with the counts that this board holds. */
  attach(stream: DeviceStream, term: number): void {
    const inputsReceived = stream.session === null ? 0 : stream.inputsReceived;
    const outputsNear = stream.confirmed;
    stream.askedTerm = term;
    this.control(stream, { kind: 'attach', term, session: stream.session, inputsReceived, outputsNear });
  }

  /** Asks for actuation in whatever session the device is in, from where the device's own counts stand. */
  takeAnew(stream: DeviceStream, term = this.#core.pair.term): void {
    stream.attached = false;
    stream.rebase(null, 0, 0);
    stream.askedTerm = term;
    this.control(stream, { kind: 'attach', term, session: null, inputsReceived: 0 });
  }

  write(stream: DeviceStream, offset: number, bytes: Uint8Array): void {
    if (stream.controller !== null) this.control(stream, { kind: 'write', offset, bytes });
    else this.#core.emit({ kind: 'device-transmit', device: stream.index, bytes });
  }

  /**
   * Gives every device up, also those that have been asked for: nobody shall be granted what nobody waits for. And those
   * whose port is gone: what their controllers hold for them must not go out in a later reign. Input that came and is in no
   * record, also that of a turn whose replica failed over it, is dropped: whoever attaches next is told it again.
   */
  letGo(): void {
    for (const stream of this.#core.streams) {
      this.control(stream, { kind: 'release' });
      stream.attached = false;
      stream.dropWaitingInput();
    }
  }

  control(stream: DeviceStream, input: ControllerInput): void {
    const { controller } = stream;
    if (controller === null) return;
    const effects = controller.step(this.#core.now, input);
    // First of all what goes to the line: what follows from the rest may send more, and the line keeps the order.
    for (const effect of effects) {
      if (effect.kind === 'transmit')
        this.#core.emit({ kind: 'device-transmit', device: stream.index, bytes: effect.bytes });
    }
    for (const effect of effects) {
      if (effect.kind === 'attached') {
        const missing = effects.find((each) => each.kind === 'inputs-missing') ?? null;
        this.#attached(stream, effect, missing);
      } else this.#carryOut(stream, effect);
    }
  }

  #carryOut(stream: DeviceStream, effect: ControllerEffect): void {
    const { arbiter, role } = this.#core;
    const { name } = stream.options;
    switch (effect.kind) {
      case 'transmit':
        return;
      case 'hello': {
        const { heldTerm, safe, session } = effect;
        if (heldTerm !== stream.askedTerm) stream.formerTerm = heldTerm;
        if (stream === arbiter) role({ kind: 'held-term', heldTerm, safe, session });
        return;
      }
      case 'inputs-lost': {
        stream.inputsLost = effect.totalBytes;
        const text = `${name} had no room for ${effect.totalBytes} bytes`;
        this.#core.report('alarm', 'DEVICE_INPUT_LOST', text);
        return;
      }
      case 'incompatible': {
        const text = `${name} speaks stream version ${effect.version}`;
        this.#core.report('alarm', 'DEVICE_INCOMPATIBLE', text);
        return;
      }
      case 'stale': {
        const { heldTerm } = effect;
        stream.attached = false;
        this.#core.report('alarm', 'DEVICE_STALE', `${name} holds term ${heldTerm}`, {
          device: name,
          heldTerm,
        });
        role({ kind: 'stale', heldTerm });
        return;
      }
      case 'input':
        if (this.#parts.reign.leading && stream.attached) stream.receive(effect.bytes);
        return;
      case 'accepted':
        stream.confirm(effect.offset);
        return;
      case 'session-lost':
        return this.#sessionLost(stream, effect.session);
      case 'silent':
        this.#core.report('alarm', 'DEVICE_SILENT', `${name} does not answer`);
        this.#handOverIfArbiter(stream, `${name} does not answer this board`);
        return;
      case 'discarded':
        stream.discarded += 1;
        return;
      case 'wake':
        this.#wakeAt[stream.index] = effect.at;
        return;
    }
  }

  /** This board cannot actuate any more, but its backup may: the program need not know. */
  #handOverIfArbiter(stream: DeviceStream, reason: string): void {
    const { arbiter, pair } = this.#core;
    if (stream === arbiter && this.#parts.reign.leading && pair.protected) {
      this.#parts.handover.because(reason);
    }
  }

  // ---------------------------------------------------------------- from the device

  bytes(stream: DeviceStream, bytes: Uint8Array): void {
    if (stream.controller !== null) {
      this.control(stream, { kind: 'bytes', bytes });
      return;
    }
    if (!this.#parts.reign.leading || !stream.portOpen) return;
    if (stream.waitingInputBytes + bytes.length > plainInputBytesMax) {
      stream.inputsLost += bytes.length;
      return;
    }
    stream.receive(bytes);
  }

  written(stream: DeviceStream, bytes: number): void {
    // A fenced device counts for itself; what left the port is no news there.
    if (stream.controller === null) stream.confirm(stream.confirmed + bytes);
  }

  /** The device's own count says where its outputs stand; the records must be able to go on from there. */
  #attached(
    stream: DeviceStream,
    granted: Extract<ControllerEffect, { kind: 'attached' }>,
    missing: Missing | null,
  ): void {
    const { log, pair } = this.#core;
    const { histories } = this.#parts;
    const { name } = stream.options;
    const { term, session, outputsAccepted: outputs } = granted;
    stream.attached = true;
    this.#core.report('info', 'DEVICE_ATTACHED', `${name} follows term ${term}`, {
      device: name,
      term,
      session,
      outputs,
    });
    if (!this.#parts.reign.leading && pair.role !== 'contending') {
      // The answer to a claim that was given up while it was on its way: nobody shall wait for this board.
      this.control(stream, { kind: 'release' });
      stream.attached = false;
      return;
    }
    const inputs = missing?.to ?? 0;
    const untouched = log.turns === 0 && histories.id === null;
    if (!untouched && histories.lacksNoteOf(stream)) {
      const { formerTerm } = stream;
      const text = `${name} followed term ${formerTerm}, and the journal does not say where its counts began`;
      this.#core.report('alarm', 'RECORDS_LOST', text);
      stream.rebase(session, outputs, inputs);
      histories.continuityLost = true;
    } else if (stream.session === null || untouched) {
      stream.rebase(session, outputs, inputs);
      // A program that still has to be told of the loss has no counts in the new session, and a history that is about to be
      // given up never has: with this note in its journal a restart would go on with it, silently.
      if (!untouched && !stream.lost && !histories.continuityLost) histories.noteDevice(stream);
    } else if (stream.session !== session) {
      const text = `${name} was restarted meanwhile`;
      this.#core.report('alarm', 'DEVICE_SESSION_LOST', text, { session });
      stream.rebase(session, outputs, inputs);
      histories.continuityLost = true;
    } else if (outputs > stream.produced || outputs < stream.oldest || missing !== null) {
      const text =
        outputs > stream.produced || outputs < stream.oldest
          ? `has accepted ${outputs} bytes, this board has those from ${stream.oldest} to ${stream.produced}`
          : `gave inputs ${missing!.from}..${missing!.to} to a board whose records are lost`;
      this.#core.report('alarm', 'RECORDS_LOST', `${name} ${text}`);
      stream.rebase(session, outputs, missing?.to ?? stream.inputs);
      histories.continuityLost = true;
    } else stream.rewind(outputs);
    this.control(stream, { kind: 'inputs-stored', offset: stream.inputsStored });
    if (stream === this.#core.arbiter && pair.role === 'contending')
      this.#core.role({ kind: 'attached', term });
    if (histories.continuityLost && this.#parts.reign.leading) {
      histories.continuityLost = false;
      histories.begin('the device and the records no longer belong together', stream);
    }
  }

  #sessionLost(stream: DeviceStream, session: number): void {
    const { arbiter, log, pair } = this.#core;
    const { histories, reign } = this.#parts;
    // A late answer to a claim that was given up: the records that this board keeps by now are of this very session.
    if (!reign.leading && session === stream.session) return;
    const text = `${stream.options.name} was restarted or went to its safe state`;
    this.#core.report('alarm', 'DEVICE_SESSION_LOST', text, { device: stream.options.name, session });
    if (reign.leading) this.#tellOfLoss(stream);
    // What this copy stands for is not what the device's outputs show any more: never a silent resume.
    else histories.continuityLost = log.turns > 0;
    const isClaimed = pair.role === 'contending' && stream === arbiter;
    if (reign.leading && !isClaimed) return this.takeAnew(stream);
    stream.attached = false;
    stream.rebase(null, 0, 0);
    // A claim that the device has not answered, or whose answer was lost, is made again: in the new session, for its own term.
    if (isClaimed) reign.claimAgain();
  }

  #tellOfLoss(stream: DeviceStream): void {
    const port = this.#openPortOf(stream);
    if (port !== null) {
      stream.lost = true;
      this.#losePort(port, 'the device was restarted');
      // A turn under way has input of the old session: the new one's counts begin after it.
    } else if (stream.takenInputBytes > 0) stream.lost = true;
  }

  // ---------------------------------------------------------------- ports

  opened(stream: DeviceStream): void {
    const { arbiter, pair } = this.#core;
    stream.opened = true;
    this.#core.report('info', 'DEVICE_PORT_OPEN', `${stream.options.name}: port open`);
    if (stream.controller === null) return;
    this.control(stream, { kind: 'port-opened' });
    if (stream === arbiter) this.#parts.joining.arbiterOpened();
    if (pair.role === 'primary' && this.#parts.reign.leading) this.attach(stream, pair.term);
  }

  closed(stream: DeviceStream, code: string, reason: string): void {
    const { name } = stream.options;
    const wasOpen = stream.opened;
    stream.opened = false;
    this.#core.report('alarm', code, `${name}: ${reason}`);
    if (stream.controller === null) {
      const port = this.#openPortOf(stream);
      if (this.#parts.reign.leading && port !== null) this.#losePort(port, reason);
      return;
    }
    this.control(stream, { kind: 'port-closed' });
    if (!wasOpen) return;
    this.#handOverIfArbiter(stream, `this board lost its port to ${name}`);
    if (stream === this.#core.arbiter) this.#notEligibleWithout(name);
  }

  #notEligibleWithout(device: string): void {
    const { options, pair } = this.#core;
    if (pair.role !== 'backup' && pair.role !== 'joining') return;
    const reason = `board ${options.board} has lost its port to ${device}`;
    this.#parts.messages.say({ kind: 'not-eligible', reason, report: null });
    this.#parts.messages.flush();
    this.#core.role({ kind: 'copy-lost', reason });
  }

  /** A port whose opening the program is about to hear of is open to it by then. */
  #openPortOf(stream: DeviceStream): number | null {
    return stream.portOpen ? stream.port : this.#parts.requests.portBeingOpened(stream);
  }

  #losePort(port: number, reason: string): void {
    this.#core.runner.events.push({ kind: 'port-lost', port, reason });
    this.restartAt = this.#core.now + this.#core.options.restartDelayMs;
  }

  restartWhenDue(): void {
    const { now, pair } = this.#core;
    // While a claim is under way the device is the claim's: what is due waits for its answer.
    if (this.restartAt === null || this.restartAt > now || pair.role !== 'primary') return;
    this.restartAt = null;
    if (this.#parts.reign.leading) this.#restartIfPortsAreGone();
  }

  #restartIfPortsAreGone(): void {
    let why = 'the program ended when its device went away: it is started afresh';
    if (!this.#parts.program.ended) {
      const gone = this.#core.streams.find((stream) => stream.port !== null && !stream.portOpen);
      if (gone === undefined || this.#parts.requests.asksToOpen) return;
      why = `the program did not open ${gone.options.name} again: it is started afresh`;
    }
    this.#core.report('warning', 'DEVICE_RESTART', why);
    this.#parts.histories.restart('a device was restarted');
  }
}
