import { builtinModules } from 'node:module';
import { describe, expect, test, vi } from 'vitest';
import { builtinRow, builtinTable } from './builtin-table.ts';
import { builtinModuleGetter, createRequireForProgram, type ProgramRequire } from './builtins.ts';
import { RefusedError } from './refusal.ts';
import { FakeTurnContext } from './turn-context.fake.ts';

type Members = Record<string, unknown>;

function programRequire(context = new FakeTurnContext()): ProgramRequire {
  return createRequireForProgram(context, { currentDirectory: () => '/home/pi/app' });
}

/** A function of each lenient module that programs would call, with what it takes. */
const calls: Record<string, (module: never) => unknown> = {
  dgram: (dgram: typeof import('node:dgram')) => dgram.createSocket('udp4'),
  dns: (dns: typeof import('node:dns')) => dns.lookup('localhost', () => {}),
  'dns/promises': (dns: typeof import('node:dns/promises')) => dns.lookup('localhost'),
  http: (http: typeof import('node:http')) => http.get('http://localhost'),
  http2: (http2: typeof import('node:http2')) => http2.connect('http://localhost'),
  https: (https: typeof import('node:https')) => https.request('https://localhost'),
  net: (net: typeof import('node:net')) => new net.Socket(),
  tls: (tls: typeof import('node:tls')) => tls.connect(1),
  child_process: (child: typeof import('node:child_process')) => child.execSync('true'),
  cluster: (cluster: typeof import('node:cluster').default) => cluster.fork(),
  worker_threads: (threads: typeof import('node:worker_threads')) => new threads.Worker('x'),
  inspector: (inspector: typeof import('node:inspector')) => inspector.open(),
  'inspector/promises': (inspector: typeof import('node:inspector')) => new inspector.Session(),
};

test('the table has every builtin of this Node once, and nothing else', () => {
  const names = builtinTable.map((row) => row.module);
  expect([...names].sort()).toEqual([...builtinModules].sort());
});

describe.each(builtinTable)('$kind: $module', (row) => {
  const withPrefix = row.module.startsWith('node:') ? row.module : `node:${row.module}`;

  test(`behaves as its row says, with and without node:`, () => {
    const require = programRequire();
    expect(row.reason.length).toBeGreaterThan(10);
    expect(builtinRow(withPrefix)).toBe(row);
    if (row.kind === 'refused' && !row.lenient) {
      for (const name of [row.module, withPrefix]) {
        expect(() => require(name)).toThrow(RefusedError);
        expect(() => require(name)).toThrow(row.module.replace('node:', ''));
      }
      return;
    }
    const given = require(row.module) as Members;
    expect(require(withPrefix)).toBe(given);
    const real = process.getBuiltinModule(row.module) as unknown as Members;
    if (row.kind === 'pure' || (row.kind === 'mediated' && row.by === 'world')) expect(given).toBe(real);
    else expect(given).not.toBe(real);
    if (row.kind === 'refused') {
      const call = calls[row.module];
      expect(call, 'a call to try').toBeDefined();
      expect(() => call!(given as never)).toThrow(RefusedError);
      expect(() => call!(given as never)).toThrow(row.reason);
    }
    // Nothing that Node offers is missing; accessors that warn are not read.
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(real))) {
      if (descriptor.value !== undefined && name !== 'prototype') expect(given, name).toHaveProperty([name]);
    }
  });
});

describe('refused modules', () => {
  test('give constants, and classes that can be extended but not constructed', () => {
    const require = programRequire();
    const http = require('node:http') as typeof import('node:http');
    expect(http.STATUS_CODES[404]).toBe('Not Found');
    expect(http.METHODS).toContain('GET');
    class Agent extends http.Agent {}
    expect(() => new Agent()).toThrow(
      expect.objectContaining({ code: 'UNDERSTUDY_REFUSED', what: 'http.Agent' }),
    );
    expect((require('node:cluster') as typeof import('node:cluster').default).isPrimary).toBe(true);
    expect((require('node:worker_threads') as typeof import('node:worker_threads')).isMainThread).toBe(true);
    const dns = require('node:dns') as typeof import('node:dns');
    expect(() => dns.promises.lookup('x')).toThrow(RefusedError);
  });
});

describe('require', () => {
  test('supplied packages are made once, when asked for', () => {
    const make = vi.fn(() => ({ SerialPort: 1 }));
    const require = createRequireForProgram(new FakeTurnContext(), { supplied: { serialport: make } });
    expect(make).not.toHaveBeenCalled();
    expect(require('serialport')).toBe(require('serialport'));
    expect(make).toHaveBeenCalledOnce();
    expect(require.resolve('serialport')).toBe('serialport');
  });

  test('what is not bundled is not found; native addons are refused', () => {
    const require = programRequire();
    const notFound = expect.objectContaining({
      code: 'MODULE_NOT_FOUND',
      message: expect.stringContaining("'left-pad'"),
    });
    expect(() => require('left-pad')).toThrow(notFound);
    expect(() => require.resolve('left-pad')).toThrow(notFound);
    expect(() => require('toString')).toThrow(expect.objectContaining({ code: 'MODULE_NOT_FOUND' }));
    expect(() => require('node:nothing')).toThrow(expect.objectContaining({ code: 'MODULE_NOT_FOUND' }));
    expect(() => require('/x/build/Release/i2c.node')).toThrow(RefusedError);
    expect(() => require(7 as unknown as string)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });

  test('resolve, cache and getBuiltinModule', () => {
    const require = programRequire();
    expect(require.resolve('node:fs')).toBe('node:fs');
    expect(require.cache).toEqual({});
    const get = builtinModuleGetter(require);
    expect(get('node:fs')).toBe(require('node:fs'));
    expect(get('left-pad')).toBeUndefined();
    expect(() => get('sqlite')).not.toThrow();
    expect(() => get('node:sqlite')).toThrow(RefusedError);
  });

  test('JSON files are read through the mediated fs', async () => {
    const context = new FakeTurnContext();
    const file = new URL('../../package.json', import.meta.url).pathname;
    expect(programRequire(context)(file)).toMatchObject({ name: 'understudy' });
    expect(context.records.map((record) => record.call)).toEqual([expect.stringContaining('readFile')]);
  });
});

describe('mediated modules', () => {
  const require = programRequire();

  test('path and url begin at the program’s current directory', () => {
    const path = require('node:path') as typeof import('node:path');
    expect(path.resolve('log.txt')).toBe('/home/pi/app/log.txt');
    expect(path.relative('a', '/home/pi/b')).toBe('../../b');
    expect(path.posix).toBe(require('node:path/posix'));
    expect(path.posix.resolve('x', '/y', 'z')).toBe('/y/z');
    const url = require('node:url') as typeof import('node:url');
    expect(url.pathToFileURL('a b/').href).toBe('file:///home/pi/app/a%20b/');
    expect(url.fileURLToPath('file:///x')).toBe('/x');
  });

  test('async_hooks: storage works, ids do not tell of the board', () => {
    const hooks = require('node:async_hooks') as typeof import('node:async_hooks');
    const storage = new hooks.AsyncLocalStorage<number>();
    expect(storage.run(7, () => storage.getStore())).toBe(7);
    expect([hooks.executionAsyncId(), hooks.triggerAsyncId()]).toEqual([1, 0]);
    expect(new hooks.AsyncResource('x').asyncId()).toBe(2);
    expect(() => hooks.createHook({})).toThrow(RefusedError);
  });

  test('module gives the program’s own require', () => {
    const module = require('node:module') as typeof import('node:module');
    expect(module.createRequire('/anywhere/x.js')('os')).toBe(require('node:os'));
    expect(module.isBuiltin('fs')).toBe(true);
    expect(module.builtinModules).toContain('fs');
    expect(() => module.registerHooks({})).toThrow(RefusedError);
    expect(() => (module as unknown as Members & { runMain(): void }).runMain()).toThrow(RefusedError);
  });

  test('v8 serialises and refuses the rest', () => {
    const v8 = require('node:v8') as typeof import('node:v8');
    expect(v8.deserialize(v8.serialize({ a: 1n }))).toEqual({ a: 1n });
    expect(v8.getHeapStatistics().total_heap_size).toBeGreaterThan(0);
    expect(() => v8.setFlagsFromString('--x')).toThrow(RefusedError);
    expect(() => v8.startupSnapshot.isBuildingSnapshot()).toThrow(RefusedError);
  });

  test('vm runs code, but not with options that leave the turn', () => {
    const vm = require('node:vm') as typeof import('node:vm');
    expect(vm.runInNewContext('a + 1', { a: 2 })).toBe(3);
    expect(new vm.Script('typeof require').runInNewContext()).toBe('undefined');
    expect(() => vm.runInThisContext('1', { timeout: 5 })).toThrow(RefusedError);
    expect(() => new vm.Script('1', { importModuleDynamically: async () => ({}) as never })).toThrow(
      RefusedError,
    );
    expect(() => vm.measureMemory()).toThrow(RefusedError);
  });

  test('tty knows only stdin', () => {
    const tty = require('node:tty') as typeof import('node:tty');
    expect([tty.isatty(0), tty.isatty(1)]).toEqual([false, false]);
    const terminal = programRequire(new FakeTurnContext({ start: { stdinIsTerminal: true } }));
    expect((terminal('tty') as typeof tty).isatty(0)).toBe(true);
    expect(() => new tty.WriteStream(1)).toThrow(RefusedError);
  });

  test('repl sessions reach modules through the program’s require', async () => {
    const { PassThrough } = await import('node:stream');
    const repl = require('node:repl') as typeof import('node:repl');
    const input = new PassThrough();
    const output = new PassThrough();
    const server = repl.start({ prompt: '', input, output, terminal: false });
    expect(server.context.fs).toBe(require('node:fs'));
    expect(server.context.require).toBe(require);
    const answer = (): Promise<string> =>
      new Promise((resolve) => output.once('data', (chunk) => resolve(String(chunk))));
    let next = answer();
    input.write('try { child_process.execSync("true") } catch (error) { error.code }\n');
    expect(await next).toContain('UNDERSTUDY_REFUSED');
    next = answer();
    input.write('.save /tmp/x\n');
    expect(await next).toContain('not available');
    server.close();
  });

  test('compression streams are refused', () => {
    const web = require('node:stream/web') as typeof import('node:stream/web');
    expect(() => new web.CompressionStream('gzip')).toThrow(RefusedError);
    expect(new web.ReadableStream()).toBeInstanceOf(ReadableStream);
  });
});
