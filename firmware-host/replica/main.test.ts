import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { decodeOutputs } from '../../protocol/record.ts';
import { encodeToReplica } from '../ipc.ts';
import { expectReplayable, replicaOf, stdin, stopReplicas } from './recorded-run.fake.ts';
import { startEvent, startUs } from './scripted-supervisor.fake.ts';

afterEach(stopReplicas);

describe('a turn', () => {
  test('drains ticks, microtasks, completions and immediates in the order of Node', async () => {
    const replica = await expectReplayable(`
      setImmediate(() => console.log('immediate'));
      setTimeout(() => console.log('timeout'), 1);
      Promise.resolve().then(() => console.log('microtask'));
      process.nextTick(() => console.log('tick'));
      require('serialport').list().then((ports) => console.log('list', ports[0].path));
      console.log('main');`);
    expect(replica.consoleText).toBe('main\ntick\nmicrotask\nlist /dev/ttyACM0\nimmediate\ntimeout\n');
    expect(replica.exitCode).toBe(0);
  });

  test('ends although the program spins on a clock', async () => {
    const replica = await expectReplayable(`
      const start = Date.now();
      while (Date.now() - start < 20);
      const before = process.hrtime.bigint();
      while (process.hrtime.bigint() - before < 5_000_000n);
      const mark = performance.now();
      while (performance.now() - mark < 5);
      console.log(Date.now() - start, Math.round(process.uptime() * 1000), Math.round(performance.now()));`);
    expect(replica.consoleText).toBe('30 30 30\n');
    expect(replica.exitCode).toBe(0);
  });

  test('paces immediates that reschedule themselves, in equal steps that replay as one idle run', async () => {
    const program = `let polls = 0; setImmediate(function poll() { polls++; Date.now(); setImmediate(poll); });
      process.on('SIGUSR2', () => console.log('polls', polls));`;
    const primary = replicaOf(program);
    const started = await primary.start();
    expect(started).toMatchObject({ paced: true, wakeAtUs: startUs + 1000, alive: true });
    await primary.runUntil(startUs + 50_000);
    expect(primary.history).toHaveLength(51);
    const ask = await primary.perform(startUs + 50_001, { kind: 'signal', signal: 'SIGUSR2' });
    const polled = primary.consoleText;

    const backup = replicaOf(program);
    await backup.ready();
    await backup.replay(primary.history[0]!);
    const idle = await backup.idle(startUs + 1000, 1000, 50);
    expect(idle).toMatchObject({ kind: 'done', turn: 50, digest: primary.history[50]!.digest });
    const asked = await backup.replay(primary.history[51]!);
    expect(asked).toMatchObject({ kind: 'done', digest: ask.digest, outputs: Buffer.from(ask.outputs) });
    expect(polled).toMatch(/^polls 20\d\n$/);
  });

  test('ends although asynchronous calls, which complete at once, are made in an endless loop', async () => {
    const replica = replicaOf(`
      const { stat } = require('fs/promises');
      let calls = 0;
      (async () => { for (;;) { await stat('/'); calls++; } })();
      process.on('SIGUSR2', () => { console.log('calls', calls); process.exit(0); });`);
    const started = await replica.start();
    expect(started).toMatchObject({ paced: true, wakeAtUs: startUs + 1000, alive: true });
    await replica.perform(startUs + 1000, { kind: 'signal', signal: 'SIGUSR2' });
    expect(replica.consoleText).toBe('calls 4096\n');
  });

  test('that has outputs is refused in an idle run', async () => {
    const replica = replicaOf(`setInterval(() => console.log('seen'), 1)`);
    await replica.start();
    expect(await replica.idle(startUs + 1000, 1000, 5)).toMatchObject({
      kind: 'diverged',
      expected: 'a turn without outputs',
      actual: 'stdout: seen',
    });
    await replica.exited;
  });

  test('begins no earlier than the end of the one before', async () => {
    const replica = replicaOf(`const t = Date.now(); while (Date.now() < t + 3);
      process.stdin.on('data', () => console.log(Date.now() - t))`);
    const started = await replica.start();
    expect(started.endUs).toBeGreaterThan(startUs + 3000);
    const turn = await replica.perform(startUs + 10, stdin('x'));
    expect(turn.startUs).toBe(started.endUs);
    expect(replica.consoleText).toBe('3\n');
  });
});

describe('time', () => {
  test('is virtual in Date, its subclasses, Intl and other realms', async () => {
    const replica = await expectReplayable(`
      class Stamp extends Date { day() { return this.getUTCDate(); } }
      const format = new Intl.DateTimeFormat('en', { timeZone: 'UTC', year: 'numeric', minute: 'numeric' });
      const vm = require('vm');
      console.log(new Date().toISOString(), new Stamp().day(), new Date() instanceof Date, typeof Date());
      console.log(Date.UTC(2020, 1, 1), new Date(5).getTime(), Date.length, Date.name, new Date().constructor === Date);
      console.log(format.format(), format.formatToParts().length);
      console.log(vm.runInNewContext('Date.now()'), vm.runInNewContext('new Date() instanceof Date'));
      console.log(new Event('x').timeStamp < 1, performance.mark('a').startTime < 1);`);
    expect(replica.consoleText.split('\n').slice(0, 5)).toEqual([
      '2027-01-15T08:00:00.000Z 15 true string',
      '1580515200000 5 7 Date true',
      expect.stringContaining('2027'),
      '1800000000000 true',
      'true true',
    ]);
  });

  test('moves through timers of every form', async () => {
    const replica = await expectReplayable(`
      const timers = require('timers/promises');
      const { promisify } = require('util');
      const at = () => Date.now() - ${startUs / 1000};
      const refreshed = setTimeout(() => console.log('refreshed', at()), 10);
      setTimeout(() => refreshed.refresh(), 5);
      setTimeout(() => console.log('unreferenced'), 5000).unref();
      const cleared = setTimeout(() => console.log('cleared'), 1);
      clearTimeout(+cleared);
      let count = 0;
      const interval = setInterval(() => { if (++count === 3) clearInterval(interval); console.log('interval', at()); }, 4);
      timers.setTimeout(7, 'seven').then((value) => console.log(value, at()));
      promisify(setTimeout)(8, 'eight').then((value) => console.log(value, at()));
      AbortSignal.timeout(9).addEventListener('abort', (event) => console.log(event.target.reason.name, at()));
      (async () => {
        let ticks = 0;
        for await (const value of timers.setInterval(20, 'every')) { console.log(value, at()); if (++ticks === 2) break; }
        const controller = new AbortController();
        const waiting = timers.scheduler.wait(1000, { signal: controller.signal });
        controller.abort();
        await waiting.catch((error) => console.log(error.code));
      })();`);
    expect(replica.consoleText.trim().split('\n')).toEqual([
      'interval 4',
      'seven 7',
      'eight 8',
      'interval 8',
      'TimeoutError 9',
      'interval 12',
      'refreshed 15',
      'every 20',
      'every 40',
      'ABORT_ERR',
    ]);
    expect(replica.exitCode).toBe(0);
  });
});

describe('randomness', () => {
  test('is the same for the same seed and another for another', async () => {
    const program = `console.log(Math.random(), crypto.randomUUID(), require('vm').runInNewContext('Math.random()'))`;
    const one = await expectReplayable(program);
    const other = replicaOf(program);
    await other.start({ seed: 'ff0102030405060708090a0b0c0d0e0f' });
    expect(other.consoleText).not.toBe(one.consoleText);
  });
});

describe('the end of a program', () => {
  test('an error that nothing catches is reported with the line of the source', async () => {
    const sourceMap = {
      version: 3,
      sources: ['../pump.ts'],
      names: [],
      mappings: 'AAAA;AAUA',
      file: 'bundle.js',
    };
    const replica = replicaOf(`console.log('before');\nthrow new TypeError('dry run');`, sourceMap);
    await replica.ready();
    const answer = await replica.tryPerform(startUs, startEvent);
    expect(answer).toMatchObject({ kind: 'failed', turn: 0, name: 'TypeError', message: 'dry run' });
    expect(answer).toHaveProperty('stack', expect.stringMatching(/pump\.ts:11:/));
    await replica.exited;
  });

  test.each([
    ['a rejection', `Promise.reject(new Error('lost'))`],
    ['a tick', `process.nextTick(() => { throw new Error('lost') })`],
    ['a microtask', `queueMicrotask(() => { throw new Error('lost') })`],
    ['an immediate', `setImmediate(() => { throw new Error('lost') })`],
    ['top-level await', `await null; throw new Error('lost')`],
    ['an emitter', `new (require('events'))().emit('error', new Error('lost'))`],
  ])('%s fails the turn', async (_, program) => {
    const replica = replicaOf(program);
    await replica.ready();
    expect(await replica.tryPerform(startUs, startEvent)).toMatchObject({ kind: 'failed', message: 'lost' });
    await replica.exited;
  });

  test('a syntax error fails the turn', async () => {
    const replica = replicaOf('const = 1');
    await replica.ready();
    expect(await replica.tryPerform(startUs, startEvent)).toMatchObject({
      kind: 'failed',
      name: 'SyntaxError',
    });
  });

  test("listeners of 'uncaughtException' and 'unhandledRejection' come first", async () => {
    const replica = await expectReplayable(`
      process.on('uncaughtException', (error, origin) => console.log(error.message, origin));
      process.on('unhandledRejection', (error) => console.log('rejected', error.message));
      setTimeout(() => console.log('goes on'), 1);
      setImmediate(() => { throw new Error('immediate') });
      Promise.reject(new Error('promise'));
      throw new Error('main');`);
    expect(replica.consoleText).toBe(
      'main uncaughtException\nrejected promise\nimmediate uncaughtException\ngoes on\n',
    );
  });

  test('process.exit does not return and runs its listeners', async () => {
    const replica = await expectReplayable(`
      process.on('exit', (code) => console.log('leaving', code));
      try { process.exit(3); } finally { console.log('never'); }`);
    expect(replica.consoleText).toBe('leaving 3\n');
    expect(replica.exitCode).toBe(3);
    await replica.exited;
  });

  test("'beforeExit' may find new work; an await that never ends is exit code 13", async () => {
    const replica = await expectReplayable(`
      process.once('beforeExit', () => setTimeout(() => console.log('more'), 2));
      await new Promise(() => {});`);
    expect(replica.consoleText).toBe('more\n');
    expect(replica.exitCode).toBe(13);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('%s without a listener ends it with code %i', async (signal, code) => {
    const replica = replicaOf('setInterval(() => {}, 1000)');
    await replica.start();
    const done = await replica.perform(startUs + 5, { kind: 'signal', signal });
    expect(decodeOutputs(done.outputs)).toEqual([{ kind: 'exit', code }]);
  });

  test('the process ends when its socket does, even in an endless turn', async () => {
    const idle = replicaOf('setInterval(() => {}, 1000)');
    await idle.start();
    idle.send(new Uint8Array(0));
    await idle.stop();

    const spinning = replicaOf('for (;;);');
    await spinning.ready();
    const start = { kind: 'turn', mode: 'perform', turn: 0, timeUs: startUs, event: startEvent } as const;
    const messages = [
      encodeToReplica({ kind: 'boot', options: spinning.bootOptions }),
      encodeToReplica({ ...start, values: new Uint8Array(0) }),
    ];
    const bystander = spawn(
      process.execPath,
      ['-e', bystanderProgram, spinning.mainFile, ...messages.map(hexOf)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [line] = (await once(bystander.stdout, 'data')) as [Buffer];
    const replicaPid = Number(line.toString());
    expect(existsProcess(replicaPid)).toBe(true);
    bystander.kill('SIGKILL');
    await expect.poll(() => existsProcess(replicaPid), { timeout: 10_000 }).toBe(false);
  });
});

/** A supervisor that starts a replica, tells its process id and then only waits. */
const bystanderProgram = `
  const [mainFile, ...messages] = process.argv.slice(1);
  const child = require('child_process').spawn(process.execPath, [mainFile], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  child.stdio[3].once('data', () => console.log(child.pid));
  for (const message of messages) child.stdio[3].write(Buffer.from(message, 'hex'));`;

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function existsProcess(pid: number): boolean {
  try {
    // What has died but was not yet collected by its parent shows as state Z.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
