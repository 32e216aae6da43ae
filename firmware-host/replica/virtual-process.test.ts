import { afterEach, describe, expect, test } from 'vitest';
import { expectReplayable, replicaOf, stdin, stopReplicas } from './recorded-run.fake.ts';

import { startEvent, startUs } from './scripted-supervisor.fake.ts';

afterEach(stopReplicas);

describe('what a program sees of its process', () => {
  test('does not depend on the machine', async () => {
    const replica = replicaOf(`
      console.log(process.pid, process.argv.join(' '), process.cwd(), JSON.stringify(process.env), __filename);
      console.log(process.stdout.isTTY, process.stdin.isTTY, process.stdout.columns, require('tty').isatty(1));
      try { process.binding('fs'); } catch (error) { console.log(error.code); }
      console.log(new Error('here').stack.split('\\n').slice(0, 2).join(), new Error('here').stack.includes('turn-runner'));`);
    await replica.start({ argv: ['--fast'], env: { TZ: 'UTC', PUMP: '2' } });
    expect(replica.consoleText.split('\n')).toEqual([
      '1000 /usr/bin/node /programs/program.js --fast /programs {"TZ":"UTC","PUMP":"2"} /programs/program.js',
      'undefined undefined undefined false',
      'UNDERSTUDY_REFUSED',
      'Error: here,    at Object.<anonymous> (/programs/program.js:5:19) false',
      '',
    ]);
  });

  test('files and randomness replay in a fresh process', async () => {
    const replica = await expectReplayable(`
      const fs = require('fs');
      const crypto = require('crypto');
      console.log(fs.readFileSync('/proc/uptime', 'utf8').length > 0, crypto.randomBytes(4).toString('hex'));
      fs.readFile('/proc/uptime', 'utf8', (error, text) => console.log(error, text));
      fs.promises.readFile('/nowhere').catch((error) => console.log(error.code));`);
    expect(replica.consoleText).toContain('ENOENT');
    expect(replica.consoleText).toMatch(/null \d+/);
  });

  test('measurements of the primary are recorded and replayed', async () => {
    const replica = await expectReplayable(`
      const hold = []; for (let index = 0; index < 1000; index++) hold.push(new Array(1000));
      console.log(JSON.stringify(process.memoryUsage()), JSON.stringify(process.cpuUsage()), process.memoryUsage.rss());`);
    expect(replica.history[0]!.values.length).toBeGreaterThan(0);
  });

  test('a call that the record does not hold is a divergence with the line of the call', async () => {
    const replica = replicaOf(`console.log('x');\nprocess.cpuUsage();`);
    await replica.ready();
    const answer = await replica.replay({ timeUs: startUs, event: startEvent, values: new Uint8Array(0) });
    expect(answer).toMatchObject({
      kind: 'diverged',
      expected: 'no further call',
      actual: 'process.cpuUsage(null)',
    });
    expect(answer).toHaveProperty('stack', expect.stringContaining('program.js:2:'));
    await replica.exited;
  });

  test('a recorded call that is not made is a divergence', async () => {
    const primary = replicaOf(`process.cpuUsage()`);
    await primary.start();
    const backup = replicaOf(`'something else'`);
    await backup.ready();
    const answer = await backup.replay(primary.history[0]!);
    expect(answer).toMatchObject({
      kind: 'diverged',
      expected: 'process.cpuUsage(null)',
      actual: 'no further call',
    });
  });

  test('domains and asynchronous contexts survive timers, immediates and completions', async () => {
    const replica = await expectReplayable(`
      const domain = require('domain').create();
      domain.on('error', (error) => console.log('domain', error.message));
      domain.run(() => {
        setTimeout(() => { throw new Error('timer'); }, 1);
        setImmediate(() => { throw new Error('immediate'); });
      });
      const { AsyncLocalStorage } = require('async_hooks');
      const storage = new AsyncLocalStorage();
      storage.run(7, () => setTimeout(() => console.log('stored', storage.getStore()), 2));`);
    expect(replica.consoleText).toBe('domain immediate\ndomain timer\nstored 7\n');
  });

  test('the REPL evaluates stdin in virtual time and leaves only at the end of input', async () => {
    const replica = await expectReplayable(
      `const session = require('repl').start({ prompt: '>> ', useGlobal: false }); session.context.level = 4;
       session.on('exit', () => console.log('left'));`,
      [stdin('level + 1\n'), stdin('Date.now()\n'), stdin('throw new Error("no")\n'), { kind: 'stdin-end' }],
    );
    expect(replica.consoleText).toContain('>> 5\n>> 1800000000003\n>> Uncaught Error: no\n');
    expect(replica.consoleText).toContain('left');
    expect(replica.exitCode).toBe(0);
  });

  test('console timers and warnings are deterministic', async () => {
    const replica = await expectReplayable(`
      console.time('fill'); setTimeout(() => console.timeEnd('fill'), 5);
      process.emitWarning('low'); setTimeout(() => {}, 2 ** 40);`);
    expect(replica.consoleText).toContain('(node:1000) Warning: low\n');
    expect(replica.consoleText).toContain('TimeoutOverflowWarning');
    expect(replica.consoleText).toMatch(/fill: 5ms|fill: 4\.9\d+ms|fill: 5\.\d+ms/);
  });
});
