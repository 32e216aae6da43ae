/**
 * Random lives of a fenced device, lived by the reference model and told to the C code.
 *
 * An intent is what fast-check makes and shrinks ("DATA at the accepted offset, one bit flipped"); the model's present state makes bytes of
 * it. So most frames are ones that matter, under the held term and at the right offset, and the rest are just beside it. The model runs
 * first; what was put into it goes to the C code as one batch, and the two transcripts must be equal, row for row.
 *
 * The model counts time in fractions of a millisecond, the C code in whole ones. Each step of the model is therefore 2^-16 ms later than
 * the one before, as real clocks are: a line that is free at exactly this millisecond is free for both, whatever a sum of floating-point
 * numbers says. All steps together stay below the 1/288 ms in which a line of 115200 baud counts.
 */
import fc from 'fast-check';
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
import type { StreamSettings } from './stream-host.test-rig.ts';

/** The one that is attached, or not; with nobody attached the one of the held term. */
type Port = DevicePort | 'holder' | 'other';
type Term = 'held' | 'next' | 'older' | { any: number };
type Offset = { from: 'accepted' | 'sent' | 'end' | 'base'; delta: number } | { any: number };
type Damage =
  | { kind: 'none' | 'doubled' | 'undelimited' }
  | { kind: 'bit' | 'dropped' | 'cut'; at: number }
  | { kind: 'inserted'; at: number; byte: number };

export type Intent = { afterMs: number } & (
  | {
      kind: 'attach';
      port: Port;
      term: Term;
      session: 'this' | 'other' | 0;
      inputs: Offset;
      damage: Damage;
    }
  | { kind: 'data'; port: Port; term: Term; offset: Offset; bytes: Uint8Array; damage: Damage }
  | { kind: 'input-ack'; port: Port; term: Term; offset: Offset; damage: Damage }
  | { kind: 'resend'; port: Port; term: Term; offset: Offset; damage: Damage }
  | { kind: 'keepalive'; port: Port; term: Term; damage: Damage }
  | { kind: 'release'; port: Port; term: Term; damage: Damage }
  | { kind: 'query'; port: Port; damage: Damage }
  /** Whole frames that are no controller's message: of another length or type, or a device's own. */
  | { kind: 'payload'; port: Port; bytes: Uint8Array }
  | { kind: 'noise'; port: Port; bytes: Uint8Array }
  | { kind: 'produce'; bytes: Uint8Array }
  | { kind: 'consume'; share: number }
  | { kind: 'tick' }
  | { kind: 'restart'; sessions: number }
);

/** More would take the fractions of a millisecond beyond what is argued above. */
export const intentsMax = 200;
const stepMs = 2 ** -16;

const u32 = fc.nat({ max: 0xffff_ffff });
const port = fc.oneof(
  { weight: 7, arbitrary: fc.constant<Port>('holder') },
  { weight: 1, arbitrary: fc.constantFrom<Port>('other', 0, 1) },
);
const term: fc.Arbitrary<Term> = fc.oneof(
  { weight: 16, arbitrary: fc.constant('held' as const) },
  { weight: 2, arbitrary: fc.constantFrom('next' as const, 'older' as const) },
  { weight: 1, arbitrary: fc.record({ any: fc.oneof(fc.nat({ max: 9 }), u32) }) },
);
const attachTerm: fc.Arbitrary<Term> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('next' as const, 'held' as const) },
  { weight: 1, arbitrary: term },
);
const offset = (from: 'accepted' | 'sent' | 'end' | 'base'): fc.Arbitrary<Offset> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ from: fc.constant(from), delta: fc.constant(0) }) },
    {
      weight: 4,
      arbitrary: fc.record({ from: fc.constant(from), delta: fc.integer({ min: -80, max: 10 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        from: fc.constantFrom('accepted' as const, 'sent' as const, 'end' as const, 'base' as const),
        delta: fc.constantFrom(-1, 0, 1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ any: u32 }) },
  );
const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 24, arbitrary: fc.constant<Damage>({ kind: 'none' }) },
  { weight: 1, arbitrary: fc.constantFrom<Damage>({ kind: 'doubled' }, { kind: 'undelimited' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('bit' as const, 'dropped' as const, 'cut' as const),
      at: fc.nat(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('inserted' as const),
      at: fc.nat(),
      byte: fc.nat({ max: 255 }),
    }),
  },
);
const piece = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 8 }),
  fc.uint8Array({ minLength: 40, maxLength: 64, size: 'max' }),
);
const is = <K extends string>(kind: K): fc.Arbitrary<K> => fc.constant(kind);

function intentKinds(settings: Required<StreamSettings>): fc.Arbitrary<Intent> {
  const afterMs = fc.oneof(
    { weight: 50, arbitrary: fc.constantFrom(0, 0, 0, 1, 2, 7) },
    { weight: 1, arbitrary: fc.constantFrom(settings.HOLD_TIME_MS - 1, settings.HOLD_TIME_MS) },
  );
  const session = fc.constantFrom(
    'this' as const,
    'this' as const,
    'this' as const,
    'other' as const,
    0 as const,
  );
  const many = { size: 'max' } as const;
  const produced = fc.oneof(
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: 80, ...many }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: settings.INPUT_RING_BYTES + 5, ...many }) },
  );
  const payload = fc
    .tuple(
      fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 0x81, 0x82, 0x83, 0x84, 0x85, 0, 8),
      fc.uint8Array({ maxLength: 75, ...many }),
    )
    .map(([type, body]) => Uint8Array.of(type, ...body));
  const sent = offset('sent');
  const frame = { afterMs, port, damage };
  const data = { bytes: piece, offset: offset('accepted'), term };
  const kinds: [number, fc.Arbitrary<Intent>][] = [
    [20, fc.record({ ...frame, kind: is('attach'), term: attachTerm, session, inputs: sent })],
    [80, fc.record({ ...frame, ...data, kind: is('data') })],
    [12, fc.record({ ...frame, kind: is('input-ack'), term, offset: sent })],
    [10, fc.record({ ...frame, kind: is('resend'), term, offset: sent })],
    [8, fc.record({ ...frame, kind: is('keepalive'), term })],
    [2, fc.record({ ...frame, kind: is('release'), term })],
    [3, fc.record({ ...frame, kind: is('query') })],
    [4, fc.record({ afterMs, port, kind: is('payload'), bytes: payload })],
    [4, fc.record({ afterMs, port, kind: is('noise'), bytes: fc.uint8Array({ maxLength: 180, ...many }) })],
    [30, fc.record({ afterMs, kind: is('produce'), bytes: produced })],
    [12, fc.record({ afterMs, kind: is('consume'), share: fc.constantFrom(0.1, 0.4, 1) })],
    [30, fc.record({ afterMs, kind: is('tick') })],
    [1, fc.record({ afterMs, kind: is('restart'), sessions: fc.integer({ min: 1, max: 3 }) })],
  ];
  return fc.oneof(...kinds.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

export interface Life {
  session: number;
  heldTerm: number;
  heldPort: DevicePort | null;
  /** What the C code's clock shows at the model's time 0. */
  startMs: number;
  intents: Intent[];
}

export function anyLife(settings: Required<StreamSettings>): fc.Arbitrary<Life> {
  return fc
    .record({
      session: fc.constantFrom(1, 0x01020304, 0xffff_fffe, 0xffff_ffff),
      heldTerm: fc.constantFrom(0, 1, 255, 0xffff_fffc),
      heldPort: fc.constantFrom<DevicePort | null>(0, 1, null),
      startMs: fc.constantFrom(0, 12_345, 2 ** 31 - 30, 2 ** 32 - 30),
      intents: fc.array(intentKinds(settings), { minLength: 1, maxLength: intentsMax, size: 'large' }),
    })
    .map((life) => (life.heldTerm === 0 ? { ...life, heldPort: null } : life));
}

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

function damaged(bytes: Uint8Array, damage: Damage): Uint8Array {
  const list = [...bytes];
  const at = 'at' in damage ? damage.at % list.length : 0;
  switch (damage.kind) {
    case 'none':
      break;
    case 'doubled':
      list.push(...list);
      break;
    case 'undelimited':
      list.pop();
      break;
    case 'bit':
      list[at]! ^= 1 << (damage.at % 8);
      break;
    case 'dropped':
      list.splice(at, 1);
      break;
    case 'cut':
      list.length = at;
      break;
    case 'inserted':
      list.splice(at, 0, damage.byte);
      break;
  }
  return Uint8Array.from(list);
}
