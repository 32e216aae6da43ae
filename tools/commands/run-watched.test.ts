/** One real board, alone, as systemd and a scraper see it; and what it leaves behind for a replay. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { keptBundleName } from '../../firmware-host/journal/past-journals.ts';
import { parseOpenMetrics, sampleOf } from '../../firmware-host/metrics/openmetrics.test-rig.ts';
import { NotifyReceiver } from '../../firmware-host/systemd/notify-receiver.test-rig.ts';
import { freeUdpPorts } from '../../hil-tests/rigs/local/ethernet-cable.ts';
import { openPseudoTerminal } from '../../hil-tests/rigs/local/pseudo-terminal.ts';
import { runCommand, scratchFolder, startCommand } from '../command-line.test-rig.ts';

const program = `
  let count = 0;
  setInterval(() => { count += 1; if (count % 25 === 0) console.log('counted', count); }, 20);
`;

interface Watched {
  folder: string;
  url: string;
  configFile: string;
}

async function aloneBoard(): Promise<Watched> {
  const folder = scratchFolder();
  const device = openPseudoTerminal();
  onTestFinished(() => device.close());
  const [own, peer, http] = (await freeUdpPorts(3)) as [number, number, number];
  writeFileSync(join(folder, 'package.json'), '{}');
  writeFileSync(join(folder, 'counter.js'), program);
  const configFile = join(folder, 'pair.yaml');
  const config = {
    program: 'counter.js',
    pairKey: 'ab'.repeat(32),
    boards: {
      a: {
        ethernet: { listen: `127.0.0.1:${own}`, peer: `127.0.0.1:${peer}` },
        state: 'state-a',
        console: 'a.sock',
        metrics: `127.0.0.1:${http}`,
      },
      b: {
        ethernet: { listen: `127.0.0.1:${peer}`, peer: `127.0.0.1:${own}` },
        state: 'state-b',
        console: 'b.sock',
      },
    },
    devices: [{ name: '/dev/ttyACM0', kind: 'plain', ports: { a: device.path } }],
    // Nobody but the watchdog shall notice that the program stands still.
    timing: { waitForPeerMs: 0, turnTimeoutMs: 600_000 },
    policy: { alone: 'lead' },
  };
  // JSON is YAML.
  writeFileSync(configFile, JSON.stringify(config));
  return { folder, url: `http://127.0.0.1:${http}`, configFile };
}

/** Children of a process, by the kernel's list. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

async function figures(url: string) {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  const families = parseOpenMetrics(await response.text());
  return (name: string, labels?: Record<string, string>): number => {
    const value = sampleOf(families, `understudy_${name}`, labels);
    expect(value, name).toBeDefined();
    return value!;
  };
}

test('a board tells systemd what it does, and falls silent when its program stands still', {
  timeout: 120_000,
}, async () => {
  const { folder, url, configFile } = await aloneBoard();
  const address = `@understudy/${folder}`;
  const systemd = new NotifyReceiver(address);
  const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '2000000' };
  const board = startCommand(['run', '--board', 'a', '--config', configFile], { env });
  expect(await systemd.next(/READY=1/)).toMatch(/^READY=1\nSTATUS=\w+, term \d+, /);
  expect(await systemd.next(/^STATUS=primary/)).toMatch(/^STATUS=primary, term 1, SOLO, turn \d+$/);
  await board.errorLine(/WATCHDOG_SHORT/);
  for (let ping = 0; ping < 3; ping++) await systemd.next(/^WATCHDOG=1$/);

  const health = await fetch(`${url}/health`);
  expect(health.status).toBe(503);
  expect(await health.json()).toMatchObject({ healthy: false, role: 'primary', reasons: [{ code: 'SOLO' }] });
  const before = await figures(url);
  expect(before('role', { role: 'primary' })).toBe(1);
  expect(before('protected')).toBe(0);
  expect(before('solo_seconds_total')).toBeGreaterThan(0.5);
  expect(before('reigns_total', { claim: 'cold-start' })).toBe(1);
  expect(before('turns_committed_total')).toBeGreaterThan(25);
  expect(before('journal_written_bytes_total')).toBeGreaterThan(100);
  expect(before('journal_sync_seconds_count')).toBeGreaterThan(0);
  expect(before('link_up', { link: 'ethernet' })).toBe(0);
  expect(before('device_open', { device: '/dev/ttyACM0', kind: 'plain' })).toBe(1);

  const [replica] = childrenOf(board.child.pid!);
  process.kill(replica!, 'SIGSTOP');
  await board.errorLine(/WATCHDOG_WITHHELD .*REPLICA_STANDS_STILL/);
  // The supervisor itself goes on: only the program does not. What was under way when it was stopped may still count as progress.
  for (const expected of ['what was under way', 'nothing']) {
    const loops = (await figures(url))('event_loop_delay_seconds_count');
    while ((await figures(url))('event_loop_delay_seconds_count') < loops + 100);
    const pings = systemd.take().filter((message) => message.includes('WATCHDOG'));
    if (expected === 'nothing') expect(pings).toEqual([]);
    systemd.messages.length = 0;
  }
  process.kill(replica!, 'SIGCONT');
  await systemd.next(/^WATCHDOG=1$/);

  board.child.kill('SIGTERM');
  await systemd.next(/^STOPPING=1/);
  expect((await board.ended).code).toBe(exitCodes.ok.code);

  // What it recorded runs again, with the bundle that the board keeps.
  const journal = join(folder, 'state-a', 'journal.usj');
  const replayed = await runCommand('replay', journal);
  expect(replayed).toMatchObject({ code: exitCodes.ok.code, stderr: '' });
  expect(replayed.stdout).toMatch(/digests equal: equal\n$/);
  const [kept] = readdirSync(join(folder, 'state-a', 'past')).filter((name) => name.endsWith('.bundle.js'));
  expect(replayed.stdout).toContain('found    ');
  expect(kept).toBe(keptBundleName(/^bundle {3}([0-9a-f]{64})$/m.exec(replayed.stdout)![1]!));
});

test('a past history is kept when the program changes, and still runs', { timeout: 120_000 }, async () => {
  const { folder, url, configFile } = await aloneBoard();
  const runShortly = async (): Promise<void> => {
    const board = startCommand(['run', '--board', 'a', '--config', configFile, '--json']);
    await board.line(/^counted 25$/);
    expect((await fetch(`${url}/health`)).status).toBe(503);
    board.child.kill('SIGTERM');
    expect((await board.ended).code).toBe(exitCodes.ok.code);
  };
  await runShortly();
  writeFileSync(join(folder, 'counter.js'), `${program}\n// changed\nsetInterval(() => {}, 70);`);
  await runShortly();
  const past = join(folder, 'state-a', 'past');
  const [journal, ...others] = readdirSync(past).filter((name) => name.endsWith('.usj'));
  expect(others).toEqual([]);
  expect(readdirSync(past).filter((name) => name.endsWith('.bundle.js'))).toHaveLength(2);
  const replayed = await runCommand('replay', join(past, journal!));
  expect(replayed.code).toBe(exitCodes.ok.code);
  expect(replayed.stdout).toContain('stdout');
  expect(replayed.stdout).toMatch(/digests equal: equal\n$/);
});
