/**
 * The device's side of the fenced stream: the reference model (protocol/README.md §12).
 *
 *     port 0 (board a) --> frames --> fence: term, port --> order: offset --> output --> firmware
 *     port 1 (board b) --> frames --'                                                      |
 *     the attached port <-- INPUT <-- ring of inputs not yet safe at the backup <------ produce
 *
 * The device is the arbiter: whoever cannot reach it could do no useful work anyway, so the greatest term that
 * arrives here decides which board actuates. It keeps no timer but the hold time: what the line loses is noticed and
 * asked for again by the controller, so that the machine fits a microcontroller with static buffers. Rejected: a
 * retransmission timer for inputs in the device, which would have to know the round trip of a bus it cannot see.
 *
 * Back-pressure of outputs: accepted bytes belong to the firmware, which holds them in a buffer of `windowBytes` and
 * reports `consumed`. The window in ATTACHED and ACCEPTED is the room in that buffer: a controller that keeps to it
 * cannot overrun a firmware that is busy with a slow I2C chip, and one that does not loses nothing either, since
 * what does not fit is not accepted and hence sent again. Rejected: consuming within the step, which would make every
 * slow output of the firmware a deaf UART.
 *
 * States: attached on a port or on none; safe or not. A session ends at a restart and when the hold time runs out.
 */
import type {
  DevicePort,
  FencedDeviceEffect,
  FencedDeviceInput,
  FencedDeviceOptions,
} from './device-contract.ts';
import {
  type ControllerMessage,
  type DeviceMessage,
  encodeStreamMessage,
  offsetDistance,
  pieceBytesMax,
  StreamReceiver,
  streamVersion,
} from './frames.ts';
import { InputRing } from './input-ring.ts';
import { LinePace } from './line-pace.ts';
import { requireWhole } from './options.ts';

export type {
  DevicePort,
  FencedDeviceEffect,
  FencedDeviceInput,
  FencedDeviceOptions,
} from './device-contract.ts';

/** INPUT goes out one frame ahead of the line, no further: an ATTACHED waits for one frame at most. */
const inputAheadMs = 1;

export class FencedDevice {
  readonly #options: FencedDeviceOptions;
  readonly #firstOffset: number;
  readonly #receivers = [new StreamReceiver(), new StreamReceiver()] as const;
  readonly #paces: readonly [LinePace, LinePace];
  readonly #inputs: InputRing;
  #session: number;
  #heldTerm: number;
  #heldPort: DevicePort | null;
  #attachedPort: DevicePort | null = null;
  #safe = true;
  #announced = false;
  /** Null while nobody's silence can matter: the outputs are safe already. */
  #holdDeadline: number | null = null;
  #accepted: number;
  #unconsumed = 0;
  /** Consumed since a window was last sent: the controller does not know of this room. */
  #unadvertised = 0;
  #inputsSent: number;
  #inputsLost = 0;
  #now = 0;
  #effects: FencedDeviceEffect[] = [];

  constructor(options: FencedDeviceOptions) {
    requireWhole('session', options.session, 1, 0xffff_ffff);
    requireWhole('heldTerm', options.heldTerm, 0, 0xffff_ffff);
    requireWhole('holdTimeMs', options.holdTimeMs, 10, 60_000);
    requireWhole('windowBytes', options.windowBytes, pieceBytesMax, 4096);
    requireWhole('inputRingBytes', options.inputRingBytes, pieceBytesMax, 65_535);
    requireWhole('bitsPerSecond', options.bitsPerSecond, 1200, 4_000_000);
    this.#options = options;
    this.#firstOffset = (options.firstOffset ?? 0) >>> 0;
    const { bitsPerSecond } = options;
    this.#paces = [
      new LinePace({ bitsPerSecond, aheadMs: inputAheadMs }),
      new LinePace({ bitsPerSecond, aheadMs: inputAheadMs }),
    ];
    this.#inputs = new InputRing({ ringBytes: options.inputRingBytes, firstOffset: this.#firstOffset });
    this.#session = options.session;
    this.#heldTerm = options.heldTerm;
    this.#heldPort = options.heldPort ?? null;
    this.#accepted = this.#firstOffset;
    this.#inputsSent = this.#firstOffset;
  }

  get session(): number {
    return this.#session;
  }

  get heldTerm(): number {
    return this.#heldTerm;
  }

  get attachedPort(): DevicePort | null {
    return this.#attachedPort;
  }

  get safe(): boolean {
    return this.#safe;
  }

  /** A firmware that can wait (sampling, say) produces no more than this. */
  get inputRoomBytes(): number {
    return this.#inputs.roomBytes;
  }

  step(now: number, input: FencedDeviceInput): FencedDeviceEffect[] {
    this.#now = now;
    this.#effects = [];
    if (!this.#announced && input.kind !== 'restart') this.#announce();
    if (this.#holdDeadline !== null && now >= this.#holdDeadline) this.#goSafe();
    switch (input.kind) {
      case 'bytes':
        for (const item of this.#receivers[input.port].push(input.bytes)) {
          if (item.kind === 'discarded') this.#discard(input.port, item.reason);
          else this.#receive(input.port, item.message as ControllerMessage);
        }
        break;
      case 'produce':
        this.#produce(input.bytes);
        break;
      case 'consumed':
        this.#consume(input.bytes);
        break;
      case 'restart':
        this.#restart(input.session);
        break;
      case 'tick':
        break;
    }
    this.#sendInputs();
    this.#askForWake();
    return this.#effects;
  }

  #receive(port: DevicePort, message: ControllerMessage): void {
    switch (message.kind) {
      case 'query':
        this.#sendHello(port);
        return;
      case 'attach':
        this.#attach(port, message.term, message.session, message.inputs);
        return;
      case 'data':
        if (this.#admit(port, message.term, message.bytes.length))
          this.#accept(message.offset, message.bytes);
        return;
      case 'input-ack':
        if (!this.#admit(port, message.term, 0)) return;
        if (this.#isSentInput(message.offset)) this.#inputs.release(message.offset);
        // An acknowledgement is repeated with every keepalive: one that is behind the ring says nothing new.
        else if (offsetDistance(message.offset, this.#inputs.base) > 0) this.#discard(port, 'OFFSET_INVALID');
        return;
      case 'keepalive':
        if (this.#admit(port, message.term, 0)) this.#sendAccepted(false);
        return;
      case 'resend':
        if (!this.#admit(port, message.term, 0)) return;
        if (this.#isSentInput(message.offset)) this.#inputsSent = message.offset;
        else this.#discard(port, 'OFFSET_INVALID');
        return;
      case 'release':
        this.#release(port, message.term);
        return;
      default:
        // A device's own message came back: a loop in the wiring.
        this.#discard(port, 'MESSAGE_UNKNOWN');
    }
  }

  /** True when the frame comes from the controller that holds the device. Anything else changes nothing. */
  #admit(port: DevicePort, term: number, bytes: number): boolean {
    if (term < this.#heldTerm || (term === this.#heldTerm && port !== this.#heldPort)) {
      this.#refuse(port, term, bytes);
      return false;
    }
    if (term !== this.#heldTerm || this.#attachedPort !== port) {
      // Attached in a session that is over, or never: it has to attach before it is heard.
      this.#discard(port, 'NOT_ATTACHED');
      this.#sendHello(port);
      return false;
    }
    this.#holdDeadline = this.#now + this.#options.holdTimeMs;
    return true;
  }

  #refuse(port: DevicePort, term: number, bytes: number): void {
    this.#effects.push({ kind: 'rejected-stale', port, term, bytes });
    this.#send(port, { kind: 'stale', heldTerm: this.#heldTerm });
  }

  #attach(port: DevicePort, term: number, session: number, inputs: number): void {
    if (term < this.#heldTerm || term === 0 || (term === this.#heldTerm && port !== this.#heldPort)) {
      this.#refuse(port, term, 0);
      return;
    }
    if (session !== this.#session) {
      this.#sendHello(port);
      return;
    }
    const previousPort = this.#attachedPort;
    if (term > this.#heldTerm) {
      this.#heldTerm = term;
      this.#heldPort = port;
      this.#effects.push({ kind: 'term', term, port });
    }
    this.#attachedPort = port;
    this.#safe = false;
    this.#holdDeadline = this.#now + this.#options.holdTimeMs;
    this.#inputsSent = this.#isKeptInput(inputs) ? inputs : this.#nearestKeptInput(inputs);
    this.#effects.push({ kind: 'attached', port, term });
    this.#unadvertised = 0;
    this.#send(port, {
      kind: 'attached',
      term,
      session,
      outputs: this.#accepted,
      windowBytes: this.#windowBytes,
      inputs: this.#inputsSent,
    });
    if (previousPort !== null && previousPort !== port) {
      this.#send(previousPort, { kind: 'stale', heldTerm: term });
    }
  }

  #isKeptInput(offset: number): boolean {
    return this.#inputs.contains(offset);
  }

  #nearestKeptInput(offset: number): number {
    return offsetDistance(offset, this.#inputs.base) < 0 ? this.#inputs.base : this.#inputs.end;
  }

  #isSentInput(offset: number): boolean {
    return this.#isKeptInput(offset) && offsetDistance(offset, this.#inputsSent) <= 0;
  }

  #release(port: DevicePort, term: number): void {
    const stale = term < this.#heldTerm || (term === this.#heldTerm && port !== this.#heldPort);
    if (stale) {
      this.#refuse(port, term, 0);
      return;
    }
    if (term === this.#heldTerm && this.#attachedPort === port) {
      this.#attachedPort = null;
      // The hold time runs on: a successor that never comes must not leave the outputs as they are for ever.
      this.#holdDeadline = this.#now + this.#options.holdTimeMs;
      this.#effects.push({ kind: 'released', port, term });
    }
    this.#sendHello(port);
  }

  #accept(offset: number, bytes: Uint8Array): void {
    const distance = offsetDistance(offset, this.#accepted);
    if (distance > 0) {
      this.#sendAccepted(true);
      return;
    }
    const fresh = bytes.subarray(Math.min(-distance, bytes.length));
    const taken = fresh.subarray(0, this.#windowBytes);
    if (taken.length > 0) {
      this.#accepted = (this.#accepted + taken.length) >>> 0;
      this.#unconsumed += taken.length;
      this.#effects.push({ kind: 'output', bytes: taken.slice() });
    }
    this.#sendAccepted(taken.length < fresh.length);
  }

  get #windowBytes(): number {
    return this.#options.windowBytes - this.#unconsumed;
  }

  #consume(bytes: number): void {
    if (!Number.isInteger(bytes) || bytes < 0 || bytes > this.#unconsumed) {
      throw new RangeError(
        `consumed must be 0..${this.#unconsumed}, the bytes not yet consumed (got ${bytes})`,
      );
    }
    this.#unconsumed -= bytes;
    this.#unadvertised += bytes;
    // Half a buffer or a full frame: less room is not worth a frame of its own, the next ACCEPTED tells.
    const worthBytes = Math.min(pieceBytesMax, this.#options.windowBytes / 2);
    if (this.#attachedPort !== null && this.#unadvertised >= worthBytes) this.#sendAccepted(false);
  }

  #produce(bytes: Uint8Array): void {
    if (this.#inputs.append(bytes)) return;
    this.#inputsLost = Math.min(0xffff, this.#inputsLost + bytes.length);
    this.#effects.push({ kind: 'input-lost', bytes: bytes.length });
  }

  #sendInputs(): void {
    const port = this.#attachedPort;
    if (port === null) return;
    while (this.#inputsSent !== this.#inputs.end && this.#paces[port].readyAt <= this.#now) {
      const bytes = this.#inputs.read(this.#inputsSent, pieceBytesMax);
      this.#send(port, { kind: 'input', session: this.#session, offset: this.#inputsSent, bytes });
      this.#inputsSent = (this.#inputsSent + bytes.length) >>> 0;
    }
  }

  #goSafe(): void {
    this.#safe = true;
    this.#effects.push({ kind: 'safe-state' });
    this.#beginSession((this.#session + 1) >>> 0 || 1);
  }

  #restart(session: number): void {
    requireWhole('session', session, 1, 0xffff_ffff);
    for (const receiver of this.#receivers) receiver.reset();
    for (const pace of this.#paces) pace.reset();
    this.#safe = true;
    this.#beginSession(session);
  }

  /** Nobody is attached in a new session: a frame of the old one must not be taken for one of the new. */
  #beginSession(session: number): void {
    this.#session = session;
    this.#attachedPort = null;
    this.#holdDeadline = null;
    this.#accepted = this.#firstOffset;
    this.#unconsumed = 0;
    this.#unadvertised = 0;
    this.#inputs.restart(this.#firstOffset);
    this.#inputsSent = this.#firstOffset;
    this.#inputsLost = 0;
    this.#announce();
  }

  #announce(): void {
    this.#announced = true;
    this.#effects.push({ kind: 'session', session: this.#session });
    this.#sendHello(0);
    this.#sendHello(1);
  }

  #sendHello(port: DevicePort): void {
    this.#send(port, {
      kind: 'hello',
      version: streamVersion,
      session: this.#session,
      heldTerm: this.#heldTerm,
      safe: this.#safe,
      attachedHere: this.#attachedPort === port,
      attachedElsewhere: this.#attachedPort !== null && this.#attachedPort !== port,
      windowBytes: this.#options.windowBytes,
      holdTimeMs: this.#options.holdTimeMs,
    });
  }

  #sendAccepted(gap: boolean): void {
    this.#unadvertised = 0;
    this.#send(this.#attachedPort!, {
      kind: 'accepted',
      outputs: this.#accepted,
      windowBytes: this.#windowBytes,
      inputsSent: this.#inputsSent,
      inputsLost: this.#inputsLost,
      gap,
    });
  }

  #send(port: DevicePort, message: DeviceMessage): void {
    const bytes = encodeStreamMessage(message);
    this.#paces[port].sent(this.#now, bytes.length);
    this.#effects.push({ kind: 'transmit', port, bytes });
  }

  #discard(port: DevicePort, reason: (FencedDeviceEffect & { kind: 'discarded' })['reason']): void {
    this.#effects.push({ kind: 'discarded', port, reason });
  }

  #askForWake(): void {
    const times: number[] = [];
    if (this.#holdDeadline !== null) times.push(this.#holdDeadline);
    const port = this.#attachedPort;
    if (port !== null && this.#inputsSent !== this.#inputs.end) times.push(this.#paces[port].readyAt);
    if (times.length > 0) this.#effects.push({ kind: 'wake', at: Math.min(...times) });
  }
}
