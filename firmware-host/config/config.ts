/**
 * Reading a pair's configuration: YAML in, a checked Config out, or all mistakes at once with their places.
 *
 * ```
 * pair.yaml:14:24 timing.heartbeatIntervalMs must be a whole number 1..1000 (got 0)
 * pair.yaml:19:3 policy.alnoe is not a key: did you mean alone?
 * ```
 * Rules between sections (one key given of two, ports used twice) are checked once every section is right by itself.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isMap, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { nearestName } from './nearest-name.ts';
import { pairSchema, type SocketAddress } from './schema.ts';

export type { SocketAddress } from './schema.ts';

export type ConfigErrorCode =
  /** The file cannot be read. */
  | 'CONFIG_MISSING'
  /** It is not YAML. */
  | 'CONFIG_SYNTAX'
  /** A key or value breaks a rule. */
  | 'CONFIG_INVALID'
  /** The pair key's file cannot be read. */
  | 'CONFIG_KEY_MISSING'
  /** The pair key is not 64 hex digits. */
  | 'CONFIG_KEY_FORMAT'
  /** Everyone on this machine may read the pair key. */
  | 'CONFIG_KEY_EXPOSED';

export interface ConfigProblem {
  /** From 1. */
  line: number;
  column: number;
  /** Such as `boards.a.serial.path`; empty for the whole file. */
  key: string;
  rule: string;
  /** `file:line:column key rule (got value)`. */
  text: string;
}

export class ConfigError extends Error {
  readonly code: ConfigErrorCode;
  /** In the order of the file; empty when the file could not be read. */
  readonly problems: readonly ConfigProblem[];
  constructor(
    code: ConfigErrorCode,
    message: string,
    problems: readonly ConfigProblem[] = [],
    cause?: unknown,
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'ConfigError';
    this.code = code;
    this.problems = problems;
  }
}

export type BoardName = 'a' | 'b';

export interface ConsolePortConfig {
  path: string;
  baudRate: number;
  /** Hash of its password (console/password.ts), null for none. */
  password: string | null;
}

export interface BoardConfig {
  serial: { path: string; baudRate: number } | null;
  ethernet: { listen: SocketAddress; peer: SocketAddress } | null;
  state: string;
  /** Path of the local socket. */
  console: string;
  consolePorts: ConsolePortConfig[];
  filesRoot: string;
  /** Of the HTTP server with metrics and health; null: none. */
  metrics: SocketAddress | null;
}

export interface DeviceConfig {
  name: string;
  kind: 'fenced' | 'plain';
  baudRate: number;
  ports: { a: string | null; b: string | null };
  arbiter: boolean;
}

type Checked = z.infer<typeof pairSchema>;

/** Defaults filled in, paths absolute. Units and ranges are at the schema's keys (schema.ts). */
export interface Config {
  /** The file it came from. */
  file: string;
  program: string;
  arguments: string[];
  environment: Record<string, string>;
  pairKey: { kind: 'file'; path: string } | { kind: 'hex'; hex: string };
  boards: Record<BoardName, BoardConfig>;
  devices: DeviceConfig[];
  timing: Checked['timing'];
  policy: Checked['policy'] & { alone: 'wait' | 'lead' };
  journal: Checked['journal'];
  log: Checked['log'];
}

type Document = ReturnType<typeof parseDocument>;
type Path = readonly PropertyKey[];

/** Throws ConfigError. */
export function loadConfig(file: string): Config {
  const path = resolve(file);
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(
      'CONFIG_MISSING',
      `${file}: cannot be read (${(error as Error).message})`,
      [],
      error,
    );
  }
  return parseConfig(source, file);
}

/** `file` is for messages, and relative paths start at its directory. Throws ConfigError. */
export function parseConfig(source: string, file: string): Config {
  const lineCounter = new LineCounter();
  const document = parseDocument(source, { lineCounter, prettyErrors: false });
  const placed = (offset: number, key: string, rule: string, got = ''): ConfigProblem => {
    const { line, col } = lineCounter.linePos(offset);
    const words = [key, rule, got].filter((word) => word !== '').join(' ');
    return { line, column: col, key, rule, text: `${file}:${line}:${col} ${words}` };
  };
  if (document.errors.length > 0) {
    fail(
      'CONFIG_SYNTAX',
      document.errors.map((error) => placed(error.pos[0], '', error.message)),
    );
  }
  let raw: unknown;
  try {
    raw = document.toJS();
  } catch (error) {
    // An alias without its anchor, or a bomb of aliases: found only when the value is made.
    fail('CONFIG_SYNTAX', [placed(0, '', (error as Error).message)]);
  }
  const result = pairSchema.safeParse(raw);
  if (result.success) return complete(result.data, file);
  const problems = result.error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey(document, raw, issue.path, key, placed));
    }
    const value = valueAt(raw, issue.path);
    const isSecret = issue.path[0] === 'pairKey' || issue.path.at(-1) === 'password';
    const got = value === undefined ? '' : `(got ${isSecret ? 'a secret' : shown(value)})`;
    const rule =
      value === undefined && issue.code !== 'custom' ? `is missing: ${issue.message}` : issue.message;
    return [placed(offsetOf(document, issue.path), keyOf(issue.path), rule, got)];
  });
  return fail('CONFIG_INVALID', problems);
}

function fail(code: ConfigErrorCode, found: ConfigProblem[]): never {
  const unique = [...new Map(found.map((problem) => [problem.text, problem])).values()];
  unique.sort((left, right) => left.line - right.line || left.column - right.column);
  throw new ConfigError(code, unique.map((problem) => problem.text).join('\n'), unique);
}

function unknownKey(
  document: Document,
  raw: unknown,
  path: Path,
  key: string,
  placed: (offset: number, key: string, rule: string) => ConfigProblem,
): ConfigProblem {
  const known = knownKeys(path).filter((name) => valueAt(raw, [...path, name]) === undefined);
  const nearest = nearestName(key, known);
  const advice =
    nearest === null ? `the keys here are ${knownKeys(path).join(', ')}` : `did you mean ${nearest}?`;
  return placed(offsetOf(document, [...path, key], 'key'), keyOf([...path, key]), `is not a key: ${advice}`);
}

/** The keys that the schema knows at a path. */
function knownKeys(path: Path): string[] {
  let schema: unknown = pairSchema;
  for (const step of path) {
    const inner = unwrapped(schema) as { shape?: Record<string, unknown>; element?: unknown };
    schema = typeof step === 'number' ? inner.element : inner.shape?.[String(step)];
  }
  const { shape = {} } = unwrapped(schema) as { shape?: Record<string, unknown> };
  return Object.keys(shape);
}

/** The object or list beneath `optional`, `default` and `preprocess`. */
function unwrapped(schema: unknown): unknown {
  let inner = schema as { def?: { type?: string; innerType?: unknown; out?: unknown } };
  for (;;) {
    const next = inner?.def?.innerType ?? (inner?.def?.type === 'pipe' ? inner.def.out : undefined);
    if (next === undefined) return inner;
    inner = next as typeof inner;
  }
}

function keyOf(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${String(step)}`))
    .join('');
}

function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Offset in the text of the value at a path (or of its key), else of the nearest mapping that should have it. */
function offsetOf(document: Document, path: Path, part: 'key' | 'value' = 'value'): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const step = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === step);
      if (pair !== undefined) {
        // A section that lacks something is best shown by its own key, not by the first of its lines.
        const wanted =
          part === 'key' || length < path.length || isMap(pair.value) ? pair.key : (pair.value ?? pair.key);
        const range = (wanted as Node).range;
        if (range) return range[0];
      }
    } else {
      const node = document.getIn(path.slice(0, length), true) as Node | undefined;
      if (node?.range) return node.range[0];
    }
  }
  return document.contents?.range?.[0] ?? 0;
}

/** Of the fenced board's firmware (boards/mega-2560/firmware/uart.h), and of StandardFirmata. */
const defaultBaudRates = { fenced: 115_200, plain: 57_600 };

function complete(checked: Checked, file: string): Config {
  const directory = dirname(resolve(file));
  const absolute = (path: string): string => resolve(directory, path);
  const boardOf = (name: BoardName): BoardConfig => {
    const { serial, ethernet, state, console: terminal, filesRoot, metrics } = checked.boards[name];
    return {
      serial: serial === undefined ? null : { ...serial, path: absolute(serial.path) },
      ethernet: ethernet ?? null,
      state: absolute(state),
      console: absolute(terminal.socket),
      consolePorts: terminal.ports.map(({ path, baudRate, password }) => ({
        path: absolute(path),
        baudRate,
        password: password ?? null,
      })),
      filesRoot: filesRoot === undefined ? join(absolute(state), 'files') : absolute(filesRoot),
      metrics: metrics ?? null,
    };
  };
  const chosen = checked.devices.findIndex((device) => device.arbiter);
  const arbiter = chosen >= 0 ? chosen : checked.devices.findIndex((device) => device.kind === 'fenced');
  return {
    file: resolve(file),
    program: absolute(checked.program),
    arguments: checked.arguments,
    environment: checked.environment,
    pairKey:
      checked.pairKeyFile === undefined
        ? { kind: 'hex', hex: checked.pairKey! }
        : { kind: 'file', path: absolute(checked.pairKeyFile) },
    boards: { a: boardOf('a'), b: boardOf('b') },
    devices: checked.devices.map(({ ports, ...device }, index) => ({
      ...device,
      baudRate: device.baudRate ?? defaultBaudRates[device.kind],
      ports: {
        a: ports.a === undefined ? null : absolute(ports.a),
        b: ports.b === undefined ? null : absolute(ports.b),
      },
      arbiter: index === arbiter,
    })),
    timing: checked.timing,
    policy: { ...checked.policy, alone: checked.policy.alone ?? (arbiter >= 0 ? 'lead' : 'wait') },
    journal: checked.journal,
    log: checked.log,
  };
}
