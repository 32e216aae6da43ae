import { execFileSync } from 'node:child_process';
import { builtinModules } from 'node:module';
import { expect, test } from 'vitest';
import { globalTable } from './globals.ts';

/** Runs a module in a process of its own, whose globals it may replace; gives what it prints as JSON. */
function inOwnProcess(code: string): unknown {
  const folder = new URL('./', import.meta.url).href;
  const source = code.replaceAll('FOLDER/', folder);
  const output = execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '--eval', source], {
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

const install = `
  import { createRequireForProgram } from 'FOLDER/builtins.ts';
  import { installGlobals } from 'FOLDER/globals.ts';
  import { FakeTurnContext } from 'FOLDER/turn-context.fake.ts';
  const context = new FakeTurnContext();
  const require = createRequireForProgram(context);
  installGlobals(context, require);
  const codeOf = (action) => { try { action(); return 'none' } catch (error) { return error.code ?? error.name } };
`;

test('the table has every global of this Node once', () => {
  const real = inOwnProcess(
    'console.log(JSON.stringify(Object.getOwnPropertyNames(globalThis)))',
  ) as string[];
  const named = globalTable.map((row) => row.global);
  // `node --eval` alone has the builtin modules as globals too.
  const missing = real.filter((name) => !named.includes(name) && !builtinModules.includes(name));
  expect(missing).toEqual([]);
  expect(new Set(named).size).toBe(named.length);
  // Rows for what this Node has only behind a flag.
  const optional = ['EventSource', 'Worker', 'localStorage', 'sessionStorage', 'Storage'];
  expect(named.filter((name) => !real.includes(name) && !optional.includes(name))).toEqual([]);
});

test('every global that is refused here throws when called, constructed or extended and constructed', () => {
  const names = globalTable
    .filter((row) => row.kind === 'refused' && row.by === 'here')
    .map((row) => row.global);
  const codes = inOwnProcess(`${install}
    const names = ${JSON.stringify(names)}.filter((name) => name in globalThis);
    console.log(JSON.stringify(Object.fromEntries(names.map((name) => [name, [
      codeOf(() => globalThis[name]()), codeOf(() => new globalThis[name]()), codeOf(() => new (class extends globalThis[name] {})()),
    ]]))));
  `) as Record<string, string[]>;
  expect(Object.keys(codes)).toEqual(expect.arrayContaining(['Request', 'Response', 'MessagePort']));
  for (const [name, got] of Object.entries(codes))
    expect(got, name).toEqual(Array(3).fill('UNDERSTUDY_REFUSED'));
});

test('the globals that are mediated here', () => {
  const told = inOwnProcess(`${install}
    const told = {};
    told.crypto = crypto === require('crypto').webcrypto;
    told.uuid = crypto.randomUUID() !== crypto.randomUUID();
    told.records = context.records.length;
    told.subtle = await crypto.subtle.digest('SHA-256', new Uint8Array(1)).catch((error) => error.code);
    const event = new Event('x');
    told.event = [event.timeStamp === event.timeStamp, event.timeStamp < 1];
    told.blob = codeOf(() => new Blob(['x']).text());
    told.file = [codeOf(() => new File(['x'], 'n').text()), new File([], 'n', { lastModified: 5 }).lastModified, new File([], 'n') instanceof Blob];
    told.url = [codeOf(() => URL.createObjectURL(new Blob([]))), new URL('file:///x').pathname];
    told.streaming = codeOf(() => WebAssembly.compileStreaming());
    told.builtin = [process.getBuiltinModule('fs') === require('fs'), codeOf(() => process.getBuiltinModule('net').connect(1))];
    console.log(JSON.stringify(told));
  `);
  expect(told).toEqual({
    crypto: true,
    uuid: true,
    records: 0,
    subtle: 'UNDERSTUDY_REFUSED',
    event: [true, true],
    blob: 'UNDERSTUDY_REFUSED',
    file: ['UNDERSTUDY_REFUSED', 5, true],
    url: ['UNDERSTUDY_REFUSED', '/x'],
    streaming: 'UNDERSTUDY_REFUSED',
    builtin: [true, 'UNDERSTUDY_REFUSED'],
  });
});
