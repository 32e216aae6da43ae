/**
 * Random lives of a fenced device, as intents: what fast-check makes and shrinks ("DATA at the accepted offset, one bit flipped"). The
 * device's present state makes bytes of them (model-life.test-rig.ts). So most frames are ones that matter, under the held term and
 * at the right offset, and the rest are just beside it.
 */
import fc from 'fast-check';
import type { DevicePort } from '../../../../protocol/device-stream/device.ts';
import type { StreamSettings } from './stream-host.test-rig.ts';

/** The one that is attached, or not; with nobody attached the one of the held term. */
export type Port = DevicePort | 'holder' | 'other';
export type Term = 'held' | 'next' | 'older' | { any: number };
export type Offset = { from: 'accepted' | 'sent' | 'end' | 'base'; delta: number } | { any: number };
export type Damage =
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

/** As many as the clocks of the two sides allow: model-life.test-rig.ts. */
const intentsMax = 200;

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

/** What the line makes of these bytes. */
export function damaged(bytes: Uint8Array, damage: Damage): Uint8Array {
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
