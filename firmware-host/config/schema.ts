/**
 * What may stand in a pair's configuration: every key with its unit, range and default.
 *
 * One file describes both boards, and the same file lies on both: what must agree cannot then differ. Each message is
 * the rule itself, so that it can follow the key's name: "timing.heartbeatIntervalMs must be 1..1000".
 */
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { parsePasswordHash, passwordHashRule } from '../console/password.ts';
import { keepBytesDefault } from '../journal/past-journals.ts';

const wholeNumber = (least: number, most: number) => {
  const rule = `must be a whole number ${least}..${most}`;
  return z.int(rule).min(least, rule).max(most, rule);
};

const text = (rule = 'must be text') => z.string(rule).min(1, 'must not be empty');

const quotedText = z.string('must be text: put quotes around it');

const oneOf = <const Values extends readonly [string, ...string[]]>(...values: Values) =>
  z.enum(values, `must be one of: ${values.join(', ')}`);

const mapping = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'invalid_type' ? 'must be a mapping' : undefined),
  });

/** A section that may be left out, or empty: all its keys have defaults. */
const section = <Schema extends z.ZodType>(schema: Schema) => z.preprocess((value) => value ?? {}, schema);

const baudRate = wholeNumber(1_200, 4_000_000);

export interface SocketAddress {
  address: string;
  port: number;
}

const addressRule = 'must be ADDRESS:PORT, such as 10.0.0.1:7411 or [fe80::1%eth0]:7411';

export function parseAddress(value: string): SocketAddress | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value);
  if (match === null) return null;
  const [, six, four, digits] = match;
  const port = Number(digits);
  if (port < 1 || port > 65_535) return null;
  if (six !== undefined) return isIPv6(six) ? { address: six, port } : null;
  return isIPv4(four!) ? { address: four!, port } : null;
}

const address = z.string(addressRule).transform((value, context): SocketAddress => {
  const parsed = parseAddress(value);
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: addressRule });
  return z.NEVER;
});

/** A serial port or pseudo-terminal on which this board can be watched and told. */
const consolePort = mapping({
  path: text(),
  baudRate: baudRate.default(115_200),
  /** Made by `understudy console password`. Without one, whoever reaches the port may do everything. */
  password: z
    .string(passwordHashRule)
    .refine((value) => parsePasswordHash(value) !== null, passwordHashRule)
    .optional(),
});

const loopbackRule =
  'must be on a loopback address, such as 127.0.0.1:9464 or [::1]:9464: it is not protected';

const loopbackAddress = address.refine(
  (value) => /^127\./.test(value.address) || value.address === '::1',
  loopbackRule,
);

/** The local socket alone, or with ports beside it. */
const consoleOfBoard = z.preprocess(
  (value) => (typeof value === 'string' ? { socket: value } : value),
  mapping({
    /** Unix socket, for this board's own user only. */
    socket: text(),
    ports: z.preprocess((value) => value ?? [], z.array(consolePort, 'must be a list')),
  }),
);

const board = mapping({
  /** The serial link's port on this board. */
  serial: mapping({ path: text(), baudRate: baudRate.default(115_200) }).optional(),
  /** The Ethernet link: where this board listens, and where it finds the other. */
  ethernet: mapping({ listen: address, peer: address })
    .refine((value) => isIPv6(value.listen.address) === isIPv6(value.peer.address), {
      path: ['peer'],
      message: 'must be of the same family (IPv4 or IPv6) as listen',
    })
    .optional(),
  /** Directory for the journal and the program's files. Relative to the configuration file, as all paths. */
  state: text(),
  /** Where this board's supervisor can be watched and told: a Unix socket, and ports. */
  console: consoleOfBoard,
  /** Directory under which the program's file writes go. Default: `files` in `state`. */
  filesRoot: text().optional(),
  /** Where `/metrics` and `/health` are served (HTTP, for this machine only). Default: nowhere. */
  metrics: loopbackAddress.optional(),
});

const device = mapping({
  /** The path that the program opens. */
  name: text(),
  /** fenced: speaks the fenced device stream, one port a board; plain: StandardFirmata and the like. */
  kind: oneOf('fenced', 'plain'),
  /** Default: that of the fenced board's firmware, or of StandardFirmata. */
  baudRate: baudRate.optional(),
  /** The real port on each board. A plain device may have one only. */
  ports: mapping({ a: text().optional(), b: text().optional() }),
  /** The device whose term decides. Default: the first fenced one. */
  arbiter: z.boolean('must be true or false').optional(),
});

const timing = mapping({
  /** How often a board says that it lives, in ms. */
  heartbeatIntervalMs: wholeNumber(1, 1_000).default(10),
  /** Silence on every link after which the other board counts as dead. At least 3 heartbeats. */
  detectionTimeoutMs: wholeNumber(3, 60_000).default(200),
  /** The same once the kernel says that the other board's process is gone. At most detectionTimeoutMs. */
  suspectTimeoutMs: wholeNumber(1, 60_000).default(15),
  /** How long a starting board waits for the other before `policy.alone` applies. */
  waitForPeerMs: wholeNumber(0, 3_600_000).default(10_000),
  /** How long one turn of the program may run before the program counts as hung; five times that for its first turn. */
  turnTimeoutMs: wholeNumber(10, 600_000).default(2_000),
  /** Silence of a fenced device after which it counts as lost. At least 3 keepalives. */
  deviceTimeoutMs: wholeNumber(10, 60_000).default(1_000),
  /** How often a controller that has nothing to send shows a fenced device that it lives. */
  keepaliveIntervalMs: wholeNumber(1, 10_000).default(50),
  /** How far the backup's replica may lag before the primary slows its intake, in turns ... */
  lagTurnsMax: wholeNumber(1, 1_000_000).default(500),
  /** ... and in ms of the backup's running time: a part of the takeover's length. */
  lagMsMax: wholeNumber(1, 60_000).default(200),
}).superRefine((value, context) => {
  const rule = (key: string, holds: boolean, message: string): void => {
    if (!holds) context.addIssue({ code: 'custom', path: [key], message });
  };
  rule(
    'detectionTimeoutMs',
    value.detectionTimeoutMs >= 3 * value.heartbeatIntervalMs,
    `must be at least 3 x heartbeatIntervalMs, ${3 * value.heartbeatIntervalMs}`,
  );
  rule(
    'suspectTimeoutMs',
    value.suspectTimeoutMs <= value.detectionTimeoutMs,
    `must be at most detectionTimeoutMs, ${value.detectionTimeoutMs}`,
  );
  rule(
    'deviceTimeoutMs',
    value.deviceTimeoutMs >= 3 * value.keepaliveIntervalMs,
    `must be at least 3 x keepaliveIntervalMs, ${3 * value.keepaliveIntervalMs}`,
  );
});

const policy = mapping({
  /**
   * What a board does that starts, waits and finds no other: `wait` for ever, or `lead` if it wins the arbiter's term
   * and its journal is not stale. Default: lead; wait when no device is fenced, as nothing then prevents two leaders.
   */
  alone: oneOf('wait', 'lead').optional(),
  /** When the program throws or hangs on both boards. */
  programFailure: oneOf('restart', 'stop').default('restart'),
  /** When the program ends by itself. */
  programExit: oneOf('stop', 'restart').default('stop'),
  /** Pause before a restart, in ms. */
  restartDelayMs: wholeNumber(0, 600_000).default(1_000),
  /** Restarts without a minute of undisturbed running between them, after which the pair stops. */
  restartsMax: wholeNumber(0, 1_000_000).default(10),
});

const journal = mapping({
  /** When the journal goes to the disk (journal/writer.ts has the table of what each survives). */
  fsync: oneOf('always', 'interval', 'never').default('interval'),
  fsyncIntervalMs: wholeNumber(1, 60_000).default(50),
  /** What past histories and their programs may take on the disk, in bytes; the oldest go first. */
  keepBytes: wholeNumber(0, 2 ** 50).default(keepBytesDefault),
  /** Size of the running journal at which it is told, and at each doubling, in bytes. */
  warnBytes: wholeNumber(2 ** 16, 2 ** 50).default(2 ** 30),
});

const log = mapping({ level: oneOf('error', 'warn', 'info').default('info') });

export const pairSchema = mapping({
  /** The control program: JavaScript or TypeScript. */
  program: text(),
  /** argv of the program, after its own name. */
  arguments: z.preprocess((value) => value ?? [], z.array(quotedText, 'must be a list')),
  /** Environment of the program: nothing else of the boards' environments reaches it. */
  environment: z.preprocess((value) => value ?? {}, z.record(z.string(), quotedText, 'must be a mapping')),
  /** File with the 32-byte pair key in 64 hex digits, the same on both boards; or the key itself. */
  pairKeyFile: text().optional(),
  pairKey: z
    .string('must be 64 hex digits, in quotes')
    .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits')
    .optional(),
  boards: mapping({ a: board, b: board }),
  devices: z.array(device, 'must be a list').min(1, 'must have at least one device'),
  timing: section(timing),
  policy: section(policy),
  journal: section(journal),
  log: section(log),
}).superRefine(checkWhole);

type Whole = {
  pairKeyFile?: string | undefined;
  pairKey?: string | undefined;
  boards: Record<'a' | 'b', z.infer<typeof board>>;
  devices: z.infer<typeof device>[];
};

/** Rules between sections. */
function checkWhole(value: Whole, context: z.RefinementCtx): void {
  const fault = (path: (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  if (value.pairKey === undefined && value.pairKeyFile === undefined) {
    fault(['pairKeyFile'], 'is missing: exactly one of pairKeyFile and pairKey must be given');
  } else if (value.pairKey !== undefined && value.pairKeyFile !== undefined) {
    fault(['pairKey'], 'must not be given beside pairKeyFile');
  }
  checkLinks(value, fault);
  checkDevices(value, fault);
}

function checkLinks({ boards }: Whole, fault: (path: (string | number)[], message: string) => void): void {
  const { a, b } = boards;
  if (!a.serial && !a.ethernet && !b.serial && !b.ethernet) {
    fault(['boards', 'a'], 'must have at least one link: serial, ethernet or (better) both');
  }
  for (const link of ['serial', 'ethernet'] as const) {
    if ((a[link] === undefined) === (b[link] === undefined)) continue;
    const without = a[link] === undefined ? 'a' : 'b';
    fault(['boards', without], `must have ${link}, as the other board has: a link has two ends`);
  }
  if (a.serial && b.serial && a.serial.baudRate !== b.serial.baudRate) {
    fault(['boards', 'b', 'serial', 'baudRate'], `must be the same as on board a, ${a.serial.baudRate}`);
  }
}

function checkDevices(
  { boards, devices }: Whole,
  fault: (path: (string | number)[], message: string) => void,
): void {
  const names = new Set<string>();
  const portsInUse = { a: new Set([boards.a.serial?.path]), b: new Set([boards.b.serial?.path]) };
  for (const side of ['a', 'b'] as const) {
    for (const [index, { path }] of boards[side].console.ports.entries()) {
      if (portsInUse[side].has(path)) {
        const at = ['boards', side, 'console', 'ports', index, 'path'];
        fault(at, 'must not be in use for something else on this board');
      }
      portsInUse[side].add(path);
    }
  }
  let hasArbiter = false;
  for (const [index, { name, kind, ports, arbiter }] of devices.entries()) {
    const at = ['devices', index];
    if (names.has(name)) fault([...at, 'name'], 'must be different for each device');
    names.add(name);
    for (const side of ['a', 'b'] as const) {
      const port = ports[side];
      if (port === undefined) {
        if (kind === 'fenced')
          fault([...at, 'ports'], `must have a port for board ${side}: a fenced device has one per board`);
        continue;
      }
      if (portsInUse[side].has(port))
        fault([...at, 'ports', side], 'must not be in use for something else on this board');
      portsInUse[side].add(port);
    }
    if (kind === 'plain' && ports.a === undefined && ports.b === undefined) {
      fault([...at, 'ports'], 'must have a port on at least one board');
    }
    if (!arbiter) continue;
    if (kind === 'plain') fault([...at, 'arbiter'], 'must be false: a plain device cannot decide');
    if (hasArbiter) fault([...at, 'arbiter'], 'must be true for one device only');
    hasArbiter = true;
  }
}
