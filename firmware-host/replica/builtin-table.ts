/**
 * The complete table of Node's builtin modules, as a program in a replica sees them (DESIGN.md section 3).
 *
 * - pure: the real module; what it computes is the same on both boards.
 * - mediated: our module of the same shape; what it asks of the world is recorded, virtual or done on both.
 * - refused: fails with a RefusedError. With `lenient`, `require` gives an object of the module's shape whose functions
 *   fail when called: libraries that only mention the module then load. Without, `require` itself fails.
 *
 * A test asserts that no builtin of this Node is missing.
 */
import type { Refusal } from './refusal.ts';

export type BuiltinRow =
  | { module: string; kind: 'pure'; reason: string }
  | {
      module: string;
      kind: 'mediated';
      reason: string;
      /** here: made by modules/. world: the real module, interposed by virtual-globals.ts before the program starts. */
      by: 'here' | 'world';
    }
  | ({ module: string; kind: 'refused'; lenient: boolean } & Refusal);

const computes = 'computes from its arguments only.';
const inTurn = 'runs within the turn, in a fixed order.';
const network = {
  reason: 'networking is refused for now: what arrives is not yet recorded for the other board.',
  remedy: 'Talk to devices over a serial port, or run the networked part as a program of its own.',
};
const otherProcess = {
  reason: 'what another process or thread does, and when, differs between boards.',
  remedy: 'Do the work in the program itself, or run it as a service of its own.',
};
const debugging = {
  reason: 'it looks into or changes the runtime of one board.',
  remedy: 'Run the program without Understudy to debug it.',
};

const pure = (module: string, reason = computes): BuiltinRow => ({ module, kind: 'pure', reason });
const here = (module: string, reason: string): BuiltinRow => ({
  module,
  kind: 'mediated',
  reason,
  by: 'here',
});
const world = (module: string, reason: string): BuiltinRow => ({
  module,
  kind: 'mediated',
  reason,
  by: 'world',
});
const lenient = (module: string, refusal: Refusal): BuiltinRow => ({
  module,
  kind: 'refused',
  lenient: true,
  ...refusal,
});
const strict = (module: string, refusal: Refusal): BuiltinRow => ({
  module,
  kind: 'refused',
  lenient: false,
  ...refusal,
});

export const builtinTable: readonly BuiltinRow[] = [
  pure('_stream_duplex', inTurn),
  pure('_stream_passthrough', inTurn),
  pure('_stream_readable', inTurn),
  pure('_stream_transform', inTurn),
  pure('_stream_writable', inTurn),
  pure('assert'),
  pure('assert/strict'),
  pure('buffer', 'computes from its arguments only; reading a Blob is refused by globals.ts.'),
  pure('constants'),
  pure('diagnostics_channel', inTurn),
  pure('domain', inTurn),
  pure('events', inTurn),
  pure('punycode'),
  pure('querystring'),
  pure('readline', 'reads the stream that it is given, process.stdin, which is mediated.'),
  pure('readline/promises', 'reads the stream that it is given, process.stdin, which is mediated.'),
  pure('stream', inTurn),
  pure('stream/consumers', inTurn),
  pure('stream/promises', inTurn),
  pure('string_decoder'),
  pure('sys'),
  pure('util'),
  pure('util/types'),

  here('async_hooks', 'ids are constants or the program’s own; hooks are refused.'),
  here('crypto', 'randomness is the pair’s; what is drawn inside OpenSSL is recorded.'),
  here('fs', 'reads are recorded, writes are done on both boards.'),
  here('fs/promises', 'reads are recorded, writes are done on both boards.'),
  here('module', 'createRequire gives the program’s own require.'),
  here('os', 'identity is the pair’s; what belongs to the machine is recorded.'),
  here('path', 'relative paths begin at the program’s current directory.'),
  here('path/posix', 'relative paths begin at the program’s current directory.'),
  here('path/win32', 'relative paths begin at the program’s current directory.'),
  here('repl', 'sessions reach modules through the program’s require.'),
  here('stream/web', 'compression streams are refused: they run on other threads.'),
  here('tty', 'only process.stdin can be a terminal.'),
  here('url', 'relative paths begin at the program’s current directory.'),
  here('v8', 'serialisation is given, statistics are recorded, the rest is refused.'),
  here('vm', 'contexts have the virtual clock; options that leave it are refused.'),
  here('zlib', 'everything is computed at the call; streams give their output at the end.'),

  world('console', 'writes are outputs of the turn, times are virtual.'),
  world('perf_hooks', 'time is virtual.'),
  world('process', 'identity, time, signals and streams are the pair’s.'),
  world('timers', 'time is virtual.'),
  world('timers/promises', 'time is virtual.'),

  lenient('dgram', network),
  lenient('dns', network),
  lenient('dns/promises', network),
  lenient('http', network),
  lenient('http2', network),
  lenient('https', network),
  lenient('net', network),
  lenient('tls', network),
  strict('_http_agent', network),
  strict('_http_client', network),
  strict('_http_common', network),
  strict('_http_incoming', network),
  strict('_http_outgoing', network),
  strict('_http_server', network),
  strict('_stream_wrap', network),
  strict('_tls_common', network),
  strict('_tls_wrap', network),

  lenient('child_process', otherProcess),
  lenient('cluster', otherProcess),
  lenient('worker_threads', otherProcess),
  lenient('inspector', debugging),
  lenient('inspector/promises', debugging),
  strict('trace_events', debugging),
  strict('wasi', {
    reason: 'its calls reach the system directly.',
    remedy: 'Use WebAssembly without WASI.',
  }),
  strict('node:sea', {
    reason: 'the program is not the executable.',
    remedy: 'Read assets with fs.',
  }),
  strict('node:sqlite', {
    reason: 'its files are written by the database itself, past the record.',
    remedy: 'Keep data in files written with fs, or in a service of its own.',
  }),
  strict('node:test', { reason: 'tests are not control programs.', remedy: 'Run tests with node --test.' }),
  strict('node:test/reporters', {
    reason: 'tests are not control programs.',
    remedy: 'Run tests with node --test.',
  }),
];

const rows = new Map(builtinTable.map((row) => [row.module, row]));

/** The row of a builtin by the name a program uses: `fs`, `node:fs`, `node:sqlite`. */
export function builtinRow(name: string): BuiltinRow | undefined {
  return rows.get(name) ?? (name.startsWith('node:') ? rows.get(name.slice('node:'.length)) : undefined);
}
