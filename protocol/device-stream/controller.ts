/**
 * A board's side of the fenced stream to one device (protocol/README.md §12).
 *
 *     write ---> held outputs ---> DATA ------>            <------ INPUT ---> input
 *     inputs-stored -------------> INPUT_ACK ->   device   <------ ACCEPTED -> accepted
 *     attach, release, query ----> ... ------->            <------ HELLO, ATTACHED, STALE
 *
 * It holds the device from `attached` until `stale`, `session-lost`, `released` or the loss of the port. All recovery from
 * line errors is here, because the device has no timers for it: outputs are sent again from the accepted count, inputs
 * are asked for again when ACCEPTED or a later INPUT shows that some are missing.
 *
 * States: closed or open port; idle -> attaching -> attached -> releasing -> idle. An ATTACH must name the
 * device's session, so that an output of a session that is over can never be taken for one of the new: whoever does not
 * know the session yet (null) learns it from the HELLO that answers the first ATTACH, one round trip more.
 */
import type {
  DeviceControllerEffect,
  DeviceControllerInput,
  DeviceControllerOptions,
} from './controller-contract.ts';
import { checkedOptions, type ControllerState as State } from './controller-state.ts';
import {
  type ControllerMessage,
  type DeviceMessage,
  encodeStreamMessage,
  expandOffset,
  StreamReceiver,
  streamVersion,
  wrapOffset,
} from './frames.ts';
import { HeldOutputs } from './held-outputs.ts';
import { InputOrder } from './input-order.ts';
import { LinePace } from './line-pace.ts';
import { requireWhole } from './options.ts';
import { OutputSender } from './output-sender.ts';
import { RequestRetry, SilenceWatch } from './patience.ts';

export type {
  DeviceControllerEffect,
  DeviceControllerInput,
  DeviceControllerOptions,
} from './controller-contract.ts';

/** Stream bytes are handed over while the line is at most this far behind: a timer of the host fires that late. */
const outputAheadMs = 5;
/** ATTACH and ATTACHED, or QUERY and HELLO, on the line. */
const openingBytes = 18 + 24;
/** Answers to earlier ATTACHes that may still be under way: of those that look like a stream lost, and of all that are remembered. */
const staleAnswersMax = 2;
const unansweredMax = 8;
/** More than a device keeps, and less than half of all offsets. */
const inputsKeptMax = 0x1_0000;
const offsetsHalf = 0x8000_0000;

/** RESEND and the INPUT that follows it. */
const resendBytes = 13 + 77;

export class DeviceController {
  readonly #keepaliveIntervalMs: number;
  readonly #deviceTimeoutMs: number;
  readonly #responseMs: number;
  readonly #pace: LinePace;
  readonly #receiver = new StreamReceiver();
  readonly #held = new HeldOutputs();
  readonly #sender: OutputSender;
  #portOpen = false;
  #state: State = { kind: 'idle' };
  /** Writes count only between `attach` and the end of what it began. */
  #fenced = true;
  /** The session that was last attached to: what `held` belongs to. */
  #session: number | null = null;
  #lastHello: number | null = null;
  #inputs = new InputOrder(0);
  #queryPending = false;
  /** ATTACHes sent that no ATTACHED has answered: their answers may still come. */
  #unanswered: { term: number; inputs: number }[] = [];
  readonly #retry = new RequestRetry();
  readonly #silence: SilenceWatch;
  #keepaliveAt = 0;
  #steppedAt: number | null = null;
  #now = 0;
  #effects: DeviceControllerEffect[] = [];

  constructor(options: DeviceControllerOptions = {}) {
    const { bitsPerSecond, keepaliveIntervalMs, deviceTimeoutMs, responseMs } = checkedOptions(options);
    this.#keepaliveIntervalMs = keepaliveIntervalMs;
    this.#deviceTimeoutMs = deviceTimeoutMs;
    this.#responseMs = responseMs;
    this.#silence = new SilenceWatch(deviceTimeoutMs);
    this.#pace = new LinePace({ bitsPerSecond, aheadMs: outputAheadMs });
    this.#sender = new OutputSender({ held: this.#held, pace: this.#pace, responseMs });
  }

  /** Outputs written and not accepted: what the output gate bounds. */
  get heldBytes(): number {
    return this.#held.lengthBytes;
  }

  step(now: number, input: DeviceControllerInput): DeviceControllerEffect[] {
    this.#now = now;
    this.#effects = [];
    this.#noticeOwnPause();
    switch (input.kind) {
      case 'port-opened':
        this.#openPort();
        break;
      case 'port-closed':
        this.#closePort();
        break;
      case 'bytes':
        for (const item of this.#receiver.push(input.bytes)) {
          if (item.kind === 'discarded') this.#discard(item.reason);
          else this.#receive(item.message as DeviceMessage);
        }
        break;
      case 'query':
        if (this.#state.kind !== 'idle') this.#transmit({ kind: 'query' });
        else {
          this.#queryPending = true;
          this.#silence.heard(now);
          this.#retry.restart(this.#now);
        }
        break;
      case 'attach':
        this.#beginAttach(input);
        break;
      case 'write':
        if (this.#state.kind === 'attached' && this.#state.releasing) {
          throw new Error('a write after release: the device is being given up');
        }
        if (this.#fenced) this.#discard('NOT_HELD');
        else this.#held.append(input.offset, input.bytes);
        break;
      case 'inputs-stored':
        this.#storeInputs(input.offset);
        break;
      case 'release':
        this.#beginRelease();
        break;
      case 'tick':
        break;
    }
    if (this.#portOpen) this.#sendWhatIsDue();
    this.#askForWake();
    this.#steppedAt = now;
    return this.#effects;
  }

  /**
   * A host that was stopped (SIGSTOP, suspended) has not listened: that silence is its own. The first thing it sends is
   * a keepalive, which a device that has a new controller answers with STALE.
   */
  #noticeOwnPause(): void {
    const paused = this.#steppedAt !== null && this.#now - this.#steppedAt > this.#deviceTimeoutMs / 2;
    if (!paused || this.#state.kind === 'idle') return;
    this.#silence.excuse(this.#now);
    this.#keepaliveAt = this.#now;
  }

  #openPort(): void {
    this.#portOpen = true;
    this.#receiver.reset();
    this.#pace.reset();
    this.#silence.heard(this.#now);
    this.#retry.restart(this.#now);
  }

  /** What is held stays: the same session may be continued over the next opening. */
  #closePort(): void {
    this.#portOpen = false;
    if (this.#state.kind === 'attached') this.#state = { kind: 'idle' };
  }

  #beginAttach(input: DeviceControllerInput & { kind: 'attach' }): void {
    requireWhole('term', input.term, 1, 0xffff_ffff);
    requireWhole('inputsReceived', input.inputsReceived, 0, Number.MAX_SAFE_INTEGER);
    if (input.session !== null) requireWhole('session', input.session, 1, 0xffff_ffff);
    const continued = input.session !== null && input.session === this.#session;
    if (!continued) {
      this.#session = null;
      this.#held.clear();
    }
    this.#fenced = false;
    this.#inputs = new InputOrder(input.inputsReceived);
    this.#state = {
      kind: 'attaching',
      term: input.term,
      wanted: input.session,
      session: input.session ?? this.#lastHello ?? 0,
      inputs: input.inputsReceived,
      outputsNear: input.outputsNear ?? this.#held.base ?? 0,
      mismatches: 0,
    };
    this.#silence.heard(this.#now);
    this.#retry.restart(this.#now);
  }

  #beginRelease(): void {
    if (this.#state.kind === 'attached') {
      this.#state.releasing = true;
      this.#retry.restart(this.#now);
      return;
    }
    // The ATTACH may have been granted already. If this RELEASE is lost, the hold time does the rest.
    if (this.#state.kind === 'attaching') this.#transmit({ kind: 'release', term: this.#state.term });
    this.#endHold();
    this.#effects.push({ kind: 'released' });
  }

  #storeInputs(offset: number): void {
    if (this.#state.kind === 'idle' || !this.#inputs.store(offset)) return;
    if (this.#state.kind === 'attached')
      this.#transmit({ kind: 'input-ack', term: this.#state.term, offset });
  }

  #receive(message: DeviceMessage): void {
    this.#silence.heard(this.#now);
    switch (message.kind) {
      case 'hello':
        this.#receiveHello(message);
        return;
      case 'attached':
        this.#receiveAttached(message);
        return;
      case 'accepted':
        if (this.#state.kind === 'attached') this.#receiveAccepted(message);
        else this.#discard('UNEXPECTED');
        return;
      case 'stale':
        if (this.#state.kind !== 'idle' && message.heldTerm >= this.#state.term)
          this.#endAsStale(message.heldTerm);
        else this.#discard('UNEXPECTED');
        return;
      case 'input':
        if (this.#state.kind === 'attached' && this.#state.session === message.session)
          this.#receiveInput(message);
        else this.#discard('UNEXPECTED');
        return;
      default:
        // Our own message came back: a loop in the wiring, or a device that echoes.
        this.#discard('MESSAGE_UNKNOWN');
    }
  }

  #receiveHello(hello: DeviceMessage & { kind: 'hello' }): void {
    if (hello.version !== streamVersion) {
      this.#endHold();
      this.#queryPending = false;
      this.#effects.push({ kind: 'incompatible', version: hello.version });
      return;
    }
    const { session, heldTerm, safe, windowBytes, holdTimeMs } = hello;
    this.#lastHello = session;
    this.#queryPending = false;
    this.#effects.push({ kind: 'hello', session, heldTerm, safe, windowBytes, holdTimeMs });
    const state = this.#state;
    if (state.kind === 'attaching') this.#meetSession(state, session);
    if (state.kind !== 'attached') return;
    if (state.releasing && (session !== state.session || !hello.attachedHere)) {
      this.#endHold();
      this.#effects.push({ kind: 'released' });
    } else if (session !== state.session) {
      this.#loseSession(session);
    } else if (!hello.attachedHere) {
      // The device has forgotten us without a new session: ask once more, or learn that we are stale.
      this.#state = {
        kind: 'attaching',
        term: state.term,
        wanted: state.session,
        session: state.session,
        inputs: this.#inputs.next,
        outputsNear: this.#sender.accepted,
        mismatches: 0,
      };
      this.#retry.restart(this.#now);
    }
  }

  #meetSession(state: State & { kind: 'attaching' }, session: number): void {
    if (session === state.session) return;
    if (state.wanted === null) state.session = session;
    else {
      state.mismatches += 1;
      if (state.mismatches > 1) {
        this.#loseSession(session);
        return;
      }
    }
    this.#retry.restart(this.#now);
  }

  #receiveAttached(message: DeviceMessage & { kind: 'attached' }): void {
    const state = this.#state;
    const isAnswer = this.#takeAnswered(message);
    // A second answer to a retried ATTACH says nothing that the ACCEPTED after it will not say.
    if (state.kind !== 'attaching' || message.term !== state.term || message.session !== state.session) {
      this.#discard('UNEXPECTED');
      return;
    }
    const isUnknown = state.wanted === null;
    const outputs = isUnknown ? message.outputs : expandOffset(message.outputs, state.outputsNear);
    const inputs =
      isUnknown && state.inputs === 0 ? message.inputs : expandOffset(message.inputs, state.inputs);
    const heldFrom = this.#held.base ?? outputs;
    // An answer to what was asked before. If it is not, the one to the ATTACH that is repeated says the same again.
    if (isAnswer && inputs !== state.inputs) return;
    if (isUnknown && inputs - state.inputs > offsetsHalf) {
      // Input 0 is so far behind that the device took it for one to come, and named its end: its first is asked for from close by.
      state.inputs = inputs - inputsKeptMax;
      this.#retry.restart(this.#now);
      return;
    }
    if (outputs < heldFrom || inputs < state.inputs) {
      // It has accepted less than it once said, or sent more than it has. An answer to an ATTACH of before a pause or of the
      // port's last opening may say so; when those to this one do, it is not the stream that this board knows.
      state.mismatches += 1;
      if (state.mismatches > staleAnswersMax) this.#loseSession(message.session);
      else this.#retry.restart(this.#now);
      return;
    }
    this.#state = { kind: 'attached', term: state.term, session: state.session, releasing: false };
    this.#session = state.session;
    this.#retry.stop();
    this.#sender.begin(outputs, message.windowBytes);
    if (inputs > state.inputs) this.#inputs = new InputOrder(inputs);
    this.#keepaliveAt = this.#now + this.#keepaliveIntervalMs;
    this.#effects.push({
      kind: 'attached',
      term: state.term,
      session: state.session,
      outputsAccepted: outputs,
    });
    const { stored } = this.#inputs;
    if (stored !== null) this.#transmit({ kind: 'input-ack', term: state.term, offset: stored });
    if (inputs > state.inputs) this.#effects.push({ kind: 'inputs-missing', from: state.inputs, to: inputs });
  }

  /** Whether an ATTACH that was sent is answered by this: one that asked for other inputs than there are is not known by them. */
  #takeAnswered({ term, inputs }: DeviceMessage & { kind: 'attached' }): boolean {
    const index = this.#unanswered.findIndex(
      (asked) => asked.term === term && wrapOffset(asked.inputs) === inputs,
    );
    if (index >= 0) this.#unanswered.splice(index, 1);
    return index >= 0;
  }

  #receiveAccepted(message: DeviceMessage & { kind: 'accepted' }): void {
    const result = this.#sender.accept(this.#now, message);
    if (result === 'invalid') this.#discard('OFFSET_INVALID');
    if (result === 'progress') this.#effects.push({ kind: 'accepted', offset: this.#sender.accepted });
    if (this.#inputs.noteLost(message.inputsLost)) {
      this.#effects.push({ kind: 'inputs-lost', totalBytes: message.inputsLost });
    }
    if (this.#inputs.isBehind(message.inputsSent)) this.#askForResend();
  }

  #receiveInput(message: DeviceMessage & { kind: 'input' }): void {
    const offset = this.#inputs.next;
    const fresh = this.#inputs.take(message.offset, message.bytes);
    if (fresh === 'gap') this.#askForResend();
    else if (fresh.length > 0) this.#effects.push({ kind: 'input', offset, bytes: fresh });
  }

  #askForResend(): void {
    if (this.#state.kind !== 'attached') return;
    if (!this.#inputs.mayAskAgain(this.#now, this.#roundTripMs(resendBytes))) return;
    this.#transmit({ kind: 'resend', term: this.#state.term, offset: this.#inputs.next });
  }

  #endAsStale(heldTerm: number): void {
    this.#endHold();
    this.#session = null;
    this.#held.clear();
    this.#effects.push({ kind: 'stale', heldTerm });
  }

  #loseSession(session: number): void {
    this.#endHold();
    this.#session = null;
    this.#held.clear();
    this.#effects.push({ kind: 'session-lost', session });
  }

  /** What is held for the device ends with it: a later reign, of another history maybe, writes anew from where the device stands. */
  #endHold(): void {
    this.#state = { kind: 'idle' };
    this.#session = null;
    this.#held.clear();
    this.#fenced = true;
    this.#retry.stop();
  }

  #sendWhatIsDue(): void {
    if (this.#retry.isDue(this.#now)) this.#ask();
    if (this.#state.kind === 'attached') {
      const { term } = this.#state;
      if (this.#now >= this.#keepaliveAt) {
        this.#keepaliveAt = this.#now + this.#keepaliveIntervalMs;
        // Nothing answers an INPUT_ACK: it is repeated until nobody can have missed it.
        const { stored } = this.#inputs;
        if (stored !== null) this.#transmit({ kind: 'input-ack', term, offset: stored });
        this.#transmit({ kind: 'keepalive', term });
      }
      this.#sender.pump(this.#now, (offset, bytes) => this.#transmit({ kind: 'data', term, offset, bytes }));
    }
    if (this.#isAwaiting() && this.#silence.isBroken(this.#now)) this.#effects.push({ kind: 'silent' });
  }

  /** ATTACH, RELEASE or QUERY: whatever has to be said until it is answered. */
  #ask(): void {
    const message = this.#openRequest();
    this.#retry.stop();
    if (message === 'later') this.#retry.postpone(this.#now, this.#roundTripMs(openingBytes));
    else if (message !== null) {
      if (message.kind === 'attach') this.#noteAsked(message);
      this.#transmit(message);
      this.#retry.asked(this.#now, this.#roundTripMs(openingBytes));
    }
  }

  #noteAsked({ term, inputs }: ControllerMessage & { kind: 'attach' }): void {
    if (!this.#portOpen) return;
    if (this.#unanswered.length === unansweredMax) this.#unanswered.shift();
    this.#unanswered.push({ term, inputs });
  }

  #openRequest(): ControllerMessage | 'later' | null {
    const state = this.#state;
    if (state.kind === 'attaching') {
      return { kind: 'attach', term: state.term, session: state.session, inputs: state.inputs };
    }
    if (state.kind === 'attached' && state.releasing) {
      return this.#held.lengthBytes > 0 ? 'later' : { kind: 'release', term: state.term };
    }
    return this.#queryPending ? { kind: 'query' } : null;
  }

  #isAwaiting(): boolean {
    return this.#state.kind !== 'idle' || this.#queryPending;
  }

  #roundTripMs(bytes: number): number {
    return this.#pace.durationMs(bytes) + this.#pace.backlogMs(this.#now) + this.#responseMs;
  }

  #transmit(message: ControllerMessage): void {
    if (!this.#portOpen) return;
    const bytes = encodeStreamMessage(message);
    this.#pace.sent(this.#now, bytes.length);
    this.#effects.push({ kind: 'transmit', bytes });
  }

  #discard(reason: (DeviceControllerEffect & { kind: 'discarded' })['reason']): void {
    this.#effects.push({ kind: 'discarded', reason });
  }

  #askForWake(): void {
    if (!this.#portOpen) return;
    const wanted = [this.#retry.at];
    if (this.#isAwaiting()) wanted.push(this.#silence.at);
    if (this.#state.kind === 'attached') wanted.push(this.#keepaliveAt, this.#sender.wakeAt);
    const times = wanted.filter((at) => at !== null);
    if (times.length > 0) this.#effects.push({ kind: 'wake', at: Math.min(...times) });
  }
}
