/**
 * From a line that a console said to an item, or to nothing.
 *
 * What hangs on the other end of a cable is not ours to trust: another program may speak there, the kernel may write between
 * two items, a half line may be lost. So an item counts only when everything that the monitor reads of it has the shape of
 * `firmware-host/console/console-schema.ts`; unknown fields and kinds are nobody's fault and are passed over.
 */
import { z } from 'zod';
import { type ConsoleItem, consoleSchema } from '../../firmware-host/console/console-schema.ts';

const number = z.number();
const text = z.string();
const numberOrNull = number.nullable();
const role = z.enum(['starting', 'contending', 'primary', 'joining', 'backup', 'stepped-down', 'stopped']);

const common = {
  schema: z.literal(consoleSchema),
  board: z.enum(['a', 'b']),
  monotonicMs: number,
  answers: z.union([number, text]).optional(),
};

const event = {
  index: number,
  monotonicMs: number,
  wallTimeMs: number,
  report: z.looseObject({ level: z.enum(['info', 'warning', 'alarm']), code: text, text }),
};

const link = z.looseObject({
  ...{
    name: text,
    sent: number,
    received: number,
    retransmitted: number,
    duplicates: number,
    up: z.boolean(),
  },
  ...{ bytesSent: number, bytesReceived: number, roundTripMs: numberOrNull, silentForMs: numberOrNull },
  discarded: z.record(text, number),
});

const pin = z.looseObject({ name: text, mode: text.nullable(), value: number });

const device = z.looseObject({
  ...{ name: text, kind: z.enum(['fenced', 'plain']), open: z.boolean(), attached: z.boolean() },
  ...{ produced: number, confirmed: number, inputs: number, inputsLost: number, discarded: number },
  ...{ arbiter: z.boolean(), pins: z.array(pin).optional() },
});

const incident = z.looseObject({
  ...{ outcome: text, cause: text, rule: text, section: text, term: numberOrNull },
  ...{ beganAtMs: number, decidedAtMs: numberOrNull, sentences: z.array(text) },
});

const item = z.discriminatedUnion('kind', [
  z.looseObject({
    ...common,
    kind: z.literal('hello'),
    ...{ version: text, line: text, locked: z.boolean(), program: text, statusIntervalMs: number },
    timing: z.looseObject({
      heartbeatIntervalMs: number,
      detectionTimeoutMs: number,
      suspectTimeoutMs: number,
    }),
  }),
  z.looseObject({
    ...common,
    kind: z.literal('status'),
    ...{ role, term: number, protected: z.boolean(), historyId: text.nullable(), pid: number },
    ...{
      turns: number,
      executedTurns: number,
      releasedTurns: number,
      lagTurns: numberOrNull,
      lagMs: numberOrNull,
    },
    ...{ verdict: z.enum(['green', 'yellow', 'red']), silentForMs: numberOrNull, divergences: number },
    ...{ links: z.array(link), devices: z.array(device) },
  }),
  z.looseObject({ ...common, kind: z.literal('report'), ...event }),
  z.looseObject({ ...common, kind: z.literal('events'), events: z.array(z.looseObject(event)) }),
  z.looseObject({
    ...common,
    kind: z.literal('journal'),
    lines: z.array(z.looseObject({ turn: number, kind: text, text })),
  }),
  z.looseObject({ ...common, kind: z.literal('explain'), incident: incident.nullable() }),
  z.looseObject({
    ...common,
    kind: z.literal('value'),
    ...{ name: text, value: z.union([number, text, z.boolean(), z.null()]) },
  }),
  z.looseObject({ ...common, kind: z.literal('bundle'), path: text, bytes: number }),
  z.looseObject({
    ...common,
    kind: z.literal('help'),
    commands: z.array(z.looseObject({ usage: text, text })),
  }),
  z.looseObject({ ...common, kind: z.literal('version'), version: text, node: text }),
  z.looseObject({
    ...common,
    kind: z.literal('confirm'),
    ...{ command: text, text, expiresInMs: number },
  }),
  z.looseObject({ ...common, kind: z.literal('done'), command: text, text }),
  z.looseObject({ ...common, kind: z.literal('error'), code: text, text }),
  z.looseObject({ ...common, kind: z.literal('dropped'), items: number }),
  z.looseObject({ ...common, kind: z.literal('links'), links: z.array(link) }),
  z.looseObject({ ...common, kind: z.literal('devices'), devices: z.array(device) }),
]);

export type Reading =
  | { kind: 'item'; item: ConsoleItem }
  /** A console of ours, but of another schema: nothing of it can be understood. */
  | { kind: 'foreign'; schema: number }
  /** Not for us: a prompt, the kernel, another program. */
  | { kind: 'noise' };

/** `line`: without its end. What stands before the object (a prompt, a time stamp of the kernel) is passed over. */
export function readItem(line: string): Reading {
  const start = line.indexOf('{"schema":');
  if (start < 0) return { kind: 'noise' };
  let raw: unknown;
  try {
    raw = JSON.parse(line.slice(start));
  } catch {
    return { kind: 'noise' };
  }
  const { schema } = raw as { schema: unknown };
  if (typeof schema === 'number' && schema !== consoleSchema) return { kind: 'foreign', schema };
  const parsed = item.safeParse(raw);
  // The shape was compared as far as the monitor reads it; the rest is the console's own promise.
  return parsed.success ? { kind: 'item', item: parsed.data as unknown as ConsoleItem } : { kind: 'noise' };
}
