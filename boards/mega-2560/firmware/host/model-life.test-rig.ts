/**
 * A life, lived by the reference model and written down for the C code. The model runs first; what was put into it goes to the C code
 * as one batch, and the two transcripts must be equal, row for row.
 *
 * The model counts time in fractions of a millisecond, the C code in whole ones. Each step of the model is therefore 2^-18 ms later than
 * the one before, as real clocks are: a line that is free at exactly this millisecond is free for both, whatever a sum of floating-point
 * numbers says. A life has at most two steps for each of its 200 intents, so all of them together stay below the 1/288 ms in which
 * a line of 115200 baud counts.
 */
import {
  type DevicePort,
  FencedDevice,
  type FencedDeviceEffect,
  type FencedDeviceInput,
} from '../../../../protocol/device-stream/device.ts';
import {
  type ControllerMessage,
  encodeStreamMessage,
  StreamReceiver,
} from '../../../../protocol/device-stream/frames.ts';
import { encodeFrame } from '../../../../protocol/frame.ts';
import {
  type Damage,
  damaged,
  type Intent,
  type Life,
  type Offset,
  type Port,
  type Term,
} from './life-intents.test-rig.ts';
import type { StreamSettings } from './stream-host.test-rig.ts';

const stepMs = 2 ** -18;

/** As the C code counts them, in this order. */
const reasons = [
  ...['FRAME_TOO_LONG', 'FRAME_COBS', 'FRAME_TOO_SHORT', 'FRAME_CRC'],
  ...['MESSAGE_UNKNOWN', 'MESSAGE_LENGTH', 'NOT_ATTACHED', 'OFFSET_INVALID'],
] as const;

export const seenInLives = [
  ...[
    ...reasons,
    'stale',
    'term',
    'safe',
    'lost',
    'output',
    'input',
    'window-full',
    'gap',
    'restart',
    'wrap',
  ],
] as const;
export type Seen = Record<(typeof seenInLives)[number], number>;

interface PortCounts {
  discarded: number[];
  stale: number;
  staleBytes: number;
}

const noCounts = (): PortCounts => ({ discarded: reasons.map(() => 0), stale: 0, staleBytes: 0 });
const hexOf = (bytes: Uint8Array): string => (bytes.length === 0 ? '-' : Buffer.from(bytes).toString('hex'));

/** One life: `commands` for stream_host and the `rows` that it has to answer. */
export class ModelLife {
  readonly commands: string[] = [];
  readonly rows: string[] = [];
  readonly #device: FencedDevice;
  readonly #settings: Required<StreamSettings>;
  readonly #startMs: number;
  readonly #seen: Seen;
  readonly #lines = [new StreamReceiver(), new StreamReceiver()] as const;
  #now = 0;
  #grantedPort: DevicePort;
  #steps = 0;
  #counts = [noCounts(), noCounts()] as const;
  /** What a controller could know. */
  #accepted: number;
  #unconsumed = 0;
  #sent: number;
  #base: number;
  #end: number;

  constructor(life: Life, settings: Required<StreamSettings>, seen: Seen) {
    const { session, heldTerm, heldPort } = life;
    this.#settings = settings;
    this.#startMs = life.startMs;
    this.#seen = seen;
    this.#grantedPort = heldPort ?? 0;
    this.#accepted = this.#sent = this.#base = this.#end = settings.FIRST_OFFSET;
    this.#device = new FencedDevice({
      session,
      heldTerm,
      heldPort,
      holdTimeMs: settings.HOLD_TIME_MS,
      windowBytes: settings.WINDOW_BYTES,
      inputRingBytes: settings.INPUT_RING_BYTES,
      bitsPerSecond: settings.BITS_PER_SECOND,
      firstOffset: settings.FIRST_OFFSET,
    });
    this.commands.push(`device ${session} ${heldTerm} ${heldPort ?? '-'} ${this.#deviceNow}`);
    this.#step({ kind: 'tick' }, null);
    for (const intent of life.intents) this.#live(intent);
  }

  get #deviceNow(): number {
    return (this.#startMs + this.#now) % 2 ** 32;
  }

  #live(intent: Intent): void {
    this.#now += intent.afterMs;
    switch (intent.kind) {
      case 'tick':
        this.#step({ kind: 'tick' }, null);
        return;
      case 'produce':
        this.#step({ kind: 'produce', bytes: intent.bytes }, `produce ${hexOf(intent.bytes)}`);
        return;
      case 'consume': {
        // The hold time may strike first and throw away what is not consumed.
        this.#step({ kind: 'tick' }, null);
        const bytes = Math.ceil(this.#unconsumed * intent.share);
        this.#unconsumed -= bytes;
        this.#step({ kind: 'consumed', bytes }, `consumed ${bytes}`);
        return;
      }
      case 'restart': {
        const session = ((this.#device.session + intent.sessions) % 2 ** 32) + 1;
        const wrapped = session >= 2 ** 32 ? 1 : session;
        this.#seen.restart += 1;
        this.#step({ kind: 'restart', session: wrapped }, `restart ${wrapped} ${this.#deviceNow}`);
        return;
      }
      case 'noise':
        this.#receive(intent.port, intent.bytes);
        return;
      case 'payload':
        this.#receive(intent.port, encodeFrame(intent.bytes, 'crc16'));
        return;
      default:
        this.#receive(intent.port, damaged(encodeStreamMessage(this.#messageOf(intent)), intent.damage));
    }
  }

  #receive(port: Port, bytes: Uint8Array): void {
    const holder = this.#device.attachedPort ?? this.#grantedPort;
    this.#receiveOn(
      port === 'holder' ? holder : port === 'other' ? ((1 - holder) as DevicePort) : port,
      bytes,
    );
  }

  #receiveOn(port: DevicePort, bytes: Uint8Array): void {
    this.#step({ kind: 'bytes', port, bytes }, `bytes ${port} ${hexOf(bytes)}`);
  }

  #messageOf(intent: Extract<Intent, { damage: Damage }>): ControllerMessage {
    switch (intent.kind) {
      case 'query':
        return { kind: 'query' };
      case 'attach':
        return {
          kind: 'attach',
          term: this.#termOf(intent.term),
          session:
            { this: this.#device.session, other: this.#device.session ^ 1, 0: 0 }[intent.session] >>> 0,
          inputs: this.#offsetOf(intent.inputs),
        };
      case 'data': {
        const offset = this.#offsetOf(intent.offset);
        return { kind: 'data', term: this.#termOf(intent.term), offset, bytes: intent.bytes };
      }
      case 'input-ack':
      case 'resend':
        return { kind: intent.kind, term: this.#termOf(intent.term), offset: this.#offsetOf(intent.offset) };
      default:
        return { kind: intent.kind, term: this.#termOf(intent.term) };
    }
  }

  #termOf(term: Term): number {
    if (typeof term === 'object') return term.any;
    const { heldTerm } = this.#device;
    if (term === 'next') return Math.min(heldTerm + 1, 0xffff_ffff);
    return term === 'held' ? heldTerm : Math.max(0, heldTerm - 1);
  }

  #offsetOf(offset: Offset): number {
    if ('any' in offset) return offset.any;
    const from = { accepted: this.#accepted, sent: this.#sent, end: this.#end, base: this.#base }[
      offset.from
    ];
    return (from + offset.delta) >>> 0;
  }

  #step(input: FencedDeviceInput, command: string | null): void {
    this.commands.push(`time ${this.#deviceNow}`);
    if (command !== null) this.commands.push(command);
    this.commands.push('send', 'state');
    if (input.kind === 'produce') this.#end = (this.#end + input.bytes.length) >>> 0;
    const outputs: number[] = [];
    this.#steps += 1;
    const effects = this.#device.step(this.#now + this.#steps * stepMs, input);
    if (input.kind === 'restart') this.#counts = [noCounts(), noCounts()];
    for (const effect of effects) this.#note(effect, outputs);
    if (outputs.length > 0) this.rows.push(`output ${hexOf(Uint8Array.from(outputs))}`);
    const { session, heldTerm, attachedPort, safe, inputRoomBytes } = this.#device;
    const busy = effects.some((effect) => effect.kind === 'wake') ? 1 : 0;
    const counts = this.#counts.map(
      (one) => ` / ${one.discarded.join(' ')} ${one.stale} ${one.staleBytes} 0`,
    );
    this.rows.push(
      `state ${session} ${heldTerm} ${attachedPort ?? '-'} ${safe ? 1 : 0} ${inputRoomBytes} ${busy}${counts.join('')}`,
    );
    this.#base = (this.#end - (this.#settings.INPUT_RING_BYTES - inputRoomBytes)) >>> 0;
  }

  #note(effect: FencedDeviceEffect, outputs: number[]): void {
    switch (effect.kind) {
      case 'transmit':
        this.rows.push(`transmit ${effect.port} ${hexOf(effect.bytes)}`);
        this.#overhear(effect.port, effect.bytes);
        return;
      case 'term':
        this.#seen.term += 1;
        this.#grantedPort = effect.port;
        this.rows.push(`term ${effect.term} ${effect.port}`);
        return;
      case 'session':
        this.rows.push(`session ${effect.session}`);
        this.#accepted = this.#sent = this.#base = this.#end = this.#settings.FIRST_OFFSET;
        this.#unconsumed = 0;
        return;
      case 'safe-state':
        this.#seen.safe += 1;
        this.rows.push('safe');
        return;
      case 'output':
        this.#seen.output += effect.bytes.length;
        outputs.push(...effect.bytes);
        this.#accepted = (this.#accepted + effect.bytes.length) >>> 0;
        this.#unconsumed += effect.bytes.length;
        return;
      case 'input-lost':
        this.#seen.lost += 1;
        this.#end = (this.#end - effect.bytes) >>> 0;
        this.rows.push(`lost ${effect.bytes}`);
        return;
      case 'discarded':
        this.#seen[effect.reason] += 1;
        this.#counts[effect.port].discarded[reasons.indexOf(effect.reason)]! += 1;
        return;
      case 'rejected-stale':
        this.#seen.stale += 1;
        this.#counts[effect.port].stale += 1;
        this.#counts[effect.port].staleBytes += effect.bytes;
        return;
      default:
      // attached and released show in the state, and a wish to be woken as `busy`: the C code is called every millisecond then.
    }
  }

  #overhear(port: DevicePort, bytes: Uint8Array): void {
    for (const item of this.#lines[port].push(bytes)) {
      if (item.kind !== 'message') throw new Error('the model transmits whole messages only');
      const { message } = item;
      if (message.kind === 'input') {
        this.#seen.input += message.bytes.length;
        const end = message.offset + message.bytes.length;
        if (end >= 2 ** 32) this.#seen.wrap += 1;
        this.#sent = end >>> 0;
      } else if (message.kind === 'attached') this.#sent = message.inputs;
      else if (message.kind === 'accepted') {
        if (message.gap) this.#seen.gap += 1;
        if (message.windowBytes === 0) this.#seen['window-full'] += 1;
        this.#sent = message.inputsSent;
      }
    }
  }
}
