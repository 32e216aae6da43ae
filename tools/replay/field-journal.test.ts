/** A real pair on one computer, with a takeover in the middle: its journals run again, its figures tell what happened. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { parseOpenMetrics, sampleOf } from '../../firmware-host/metrics/openmetrics.test-rig.ts';
import { freeUdpPorts } from '../../hil-tests/rigs/local/ethernet-cable.ts';
import { startLocalRig } from '../../hil-tests/rigs/local/local-rig.ts';
import { runCommand } from '../command-line.test-rig.ts';
import { parseVcd } from './vcd.test-rig.ts';

const tank = fileURLToPath(new URL('../../examples/tank.js', import.meta.url));

test('a journal with a takeover in it runs again, on either board’s account', {
  timeout: 180_000,
}, async () => {
  const rig = await startLocalRig({
    program: tank,
    plant: 'tank',
    timing: { detectionTimeoutMs: 1000 },
    start: false,
  });
  const [portA, portB] = (await freeUdpPorts(2)) as [number, number];
  const metricsOf = { a: `127.0.0.1:${portA}`, b: `127.0.0.1:${portB}` };
  const config = parse(readFileSync(rig.configFile, 'utf8')) as { boards: Record<'a' | 'b', object> };
  for (const board of ['a', 'b'] as const) Object.assign(config.boards[board], { metrics: metricsOf[board] });
  writeFileSync(rig.configFile, stringify(config));
  try {
    rig.restart('a');
    rig.restart('b');
    const turnsOf = (board: 'a' | 'b'): number => rig.boards[board].status?.executedTurns ?? 0;
    const bothHave = (count: number): boolean => turnsOf('a') > count && turnsOf('b') > count;
    await rig.until((each) => each.isProtected() && bothHave(100), 60_000, 'both boards have run 100 turns');
    const protectedHealth = await fetch(`http://${metricsOf.b}/health`);
    expect([protectedHealth.status, await protectedHealth.json()]).toMatchObject([200, { healthy: true }]);
    const dead = rig.primary()!;
    const heir = dead === 'a' ? 'b' : 'a';
    rig.kill(dead);
    await rig.until((each) => each.primary() === heir, 30_000, 'the backup has taken over');
    const before = turnsOf(heir);
    await rig.until(() => turnsOf(heir) > before + 100, 30_000, 'it goes on');
    const health = await fetch(`http://${metricsOf[heir]}/health`);
    expect([health.status, await health.json()]).toMatchObject([503, { reasons: [{ code: 'SOLO' }] }]);
    const response = await fetch(`http://${metricsOf[heir]}/metrics`);
    const families = parseOpenMetrics(await response.text());
    const value = (name: string, labels?: Record<string, string>): number =>
      sampleOf(families, `understudy_${name}`, labels) ?? Number.NaN;
    expect(value('reigns_total', { claim: 'takeover', cause: 'verdict' })).toBe(1);
    expect(value('protected_seconds_total')).toBeGreaterThan(0);
    expect(value('solo_seconds_total')).toBeGreaterThan(0);
    for (const link of ['ethernet', 'serial']) {
      expect(value('heartbeat_gap_seconds_count', { link })).toBeGreaterThan(20);
      expect(value('link_up', { link })).toBe(0);
    }
    expect(value('device_attached', { device: '/dev/ttyACM0' })).toBe(1);
    expect(value('output_accepted_bytes_total', { device: '/dev/ttyACM0' })).toBeGreaterThan(100);
    await rig.stopBoards();
    const file = (board: 'a' | 'b'): string => join(rig.stateDirectory(board), 'journal.usj');
    const vcd = join(rig.directory, 'tank.vcd');
    const ofHeir = await runCommand('replay', file(heir), '--vcd', vcd);
    expect(ofHeir).toMatchObject({ code: exitCodes.ok.code, stderr: '' });
    expect(ofHeir.stdout).toMatch(/\d{2,} digests equal: equal\n$/);
    const { signals } = parseVcd(readFileSync(vcd, 'utf8'));
    // What drives the level bar is written every 30 ms: across the takeover too.
    const bar = signals.get('ttyACM0.D9_pwm')!;
    expect(bar.changes.length).toBeGreaterThan(10);
    // The dead board's journal ends where it died, and is the beginning of the same history.
    const ofDead = await runCommand('replay', file(dead));
    expect(ofDead.code).toBe(exitCodes.ok.code);
    const historyOf = (text: string): string => /^history {2}(\w+)/m.exec(text)![1]!;
    expect(historyOf(ofDead.stdout)).toBe(historyOf(ofHeir.stdout));
  } finally {
    await rig.stop();
  }
});
