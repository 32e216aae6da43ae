import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { SupervisorInput } from '../supervisor/effects.ts';
import type { BoardStatus } from '../supervisor/status.ts';
import { BoardMetrics } from './board-metrics.ts';
import { boardStatus } from './board-status.fake.ts';
import { parseOpenMetrics, sampleOf } from './openmetrics.test-rig.ts';

const tick: SupervisorInput = { kind: 'tick' };

class Watched {
  status: BoardStatus = boardStatus();
  now = 1_000;
  readonly metrics = new BoardMetrics({
    board: 'a',
    version: '0.1.0',
    programHash: 'ab'.repeat(32),
    linkNames: ['ethernet', 'serial'],
    status: () => this.status,
  });

  tickFor(ms: number): void {
    for (const until = this.now + ms; this.now < until; ) {
      this.now += 10;
      this.metrics.stepped(this.now, tick, [{ kind: 'wake', at: this.now + 10 }]);
    }
  }

  async read() {
    const { body } = await this.metrics.text();
    const families = parseOpenMetrics(body);
    return {
      families,
      value: (name: string, labels?: Record<string, string>) =>
        sampleOf(families, `understudy_${name}`, labels),
    };
  }
}

test('the text is OpenMetrics, and says so', async () => {
  const { contentType, body } = await new Watched().metrics.text();
  expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(parseOpenMetrics(body).size).toBeGreaterThan(30);
});

test('every name is documented with its type, and nothing else is', async () => {
  const { families } = await new Watched().read();
  const document = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...document.matchAll(/^\| `([a-z_]+)(?:\{([a-z_, ]*)\})?` \| (\w+) \|/gm)];
  const documented = rows.map(([, name, , type]) => `${name} ${type}`);
  const present = [...families.values()].map(({ name, type }) =>
    type === 'counter' ? `${name}_total ${type}` : `${name} ${type}`,
  );
  expect(documented.toSorted()).toEqual(present.toSorted());
  // Each name has its unit last, or is a count or a state.
  for (const { name } of families.values()) expect(name).toMatch(/^(understudy|process)_[a-z_]+$/);
});

test('labels are those of the document', async () => {
  const watched = new Watched();
  watched.metrics.reported({ level: 'info', code: 'PAIR_PRIMARY', text: '' });
  watched.tickFor(100);
  for (const at of [1_100, 1_110])
    watched.metrics.stepped(at, { kind: 'datagram', link: 0, bytes: new Uint8Array(1) }, []);
  const { families } = await watched.read();
  const document = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  for (const [, name, labels = ''] of document.matchAll(
    /^\| `([a-z_]+?)(?:_total)?(?:\{([a-z_, ]*)\})?` \|/gm,
  )) {
    const [sample] = families.get(name!)!.samples;
    const own = Object.keys(sample?.labels ?? {}).filter((label) => label !== 'le');
    expect(own.join(','), name).toBe(labels.replaceAll(' ', ''));
  }
});

test('what the status says is there in base units', async () => {
  const { value } = await new Watched().read();
  expect(value('role', { role: 'primary' })).toBe(1);
  expect(value('role', { role: 'backup' })).toBe(0);
  expect(value('term')).toBe(3);
  expect(value('protected')).toBe(1);
  expect(value('lag_turns')).toBe(2);
  expect(value('lag_seconds')).toBe(0.004);
  expect(value('turns', { stage: 'released' })).toBe(90);
  expect(value('link_up', { link: 'serial' })).toBe(0);
  expect(value('link_round_trip_seconds', { link: 'ethernet' })).toBe(0.0015);
  expect(value('link_round_trip_seconds', { link: 'serial' })).toBeUndefined();
  expect(value('link_discarded_total', { link: 'serial', reason: 'FRAME_CRC' })).toBe(4);
  expect(value('link_bytes_total', { link: 'ethernet', direction: 'out' })).toBe(12_000);
  expect(value('output_accepted_bytes_total', { device: '/dev/ttyACM0' })).toBe(500);
  expect(value('output_pending_bytes', { device: '/dev/ttyACM0' })).toBe(12);
  expect(value('device_attached', { device: '/dev/ttyACM0' })).toBe(1);
  expect(value('device_attached', { device: '/dev/ttyS1' })).toBeUndefined();
  expect(value('board_info', { board: 'a', version: '0.1.0', program: 'abababababab' })).toBe(1);
});

test('seconds are counted by state, and a pause of the figures belongs to the state before it', async () => {
  const watched = new Watched();
  watched.tickFor(1_000);
  watched.status = { ...watched.status, protected: false };
  watched.tickFor(500);
  watched.status = { ...watched.status, role: 'joining' };
  watched.tickFor(3_000);
  watched.status = { ...watched.status, role: 'backup', protected: true };
  watched.tickFor(250);
  const { value } = await watched.read();
  expect(value('protected_seconds_total')).toBeCloseTo(1.25, 1);
  expect(value('solo_seconds_total')).toBeCloseTo(0.5, 1);
});

test('counts go on when a new history or session begins from 0', async () => {
  const watched = new Watched();
  const [uno, gps] = watched.status.devices;
  watched.tickFor(100);
  expect((await watched.read()).value('turns_committed_total')).toBe(100);
  watched.status = { ...watched.status, turns: 5, devices: [{ ...uno!, confirmed: 20 }, gps!] };
  watched.tickFor(100);
  const { value } = await watched.read();
  expect(value('turns_committed_total')).toBe(105);
  expect(value('output_accepted_bytes_total', { device: '/dev/ttyACM0' })).toBe(520);
});

test('gaps on a link and the lateness of the loop are histograms in seconds', async () => {
  const watched = new Watched();
  const datagram = (now: number) =>
    watched.metrics.stepped(now, { kind: 'datagram', link: 1, bytes: new Uint8Array(1) }, []);
  for (const at of [0, 10, 20, 220]) datagram(at);
  watched.metrics.stepped(300, { kind: 'operator', command: 'lead', reason: '', from: '' }, [
    { kind: 'wake', at: 310 },
  ]);
  watched.metrics.stepped(310.5, tick, [{ kind: 'wake', at: 320 }]);
  watched.metrics.stepped(500, tick, []);
  const { value } = await watched.read();
  expect(value('heartbeat_gap_seconds_count', { link: 'serial' })).toBe(3);
  expect(value('heartbeat_gap_seconds_bucket', { link: 'serial', le: '0.01' })).toBe(2);
  expect(value('heartbeat_gap_seconds_sum', { link: 'serial' })).toBeCloseTo(0.22);
  expect(value('event_loop_delay_seconds_count')).toBe(2);
  expect(value('event_loop_delay_seconds_bucket', { le: '0.001' })).toBe(1);
  expect(value('event_loop_delay_seconds_sum')).toBeCloseTo(0.1805);
});

test('reigns are counted by claim and cause, reports by level and code', async () => {
  const { metrics, read } = new Watched();
  const report = (code: string, details?: Record<string, unknown>) =>
    metrics.reported({ level: 'info', code, text: '', ...(details && { details }) });
  report('PAIR_CLAIM', { claim: 'takeover', cause: 'verdict' });
  report('PAIR_PRIMARY');
  report('PAIR_CLAIM', { claim: 'switchover', cause: 'handover' });
  report('PAIR_PRIMARY');
  report('PAIR_CLAIM', { claim: 'solo', cause: 'verdict' });
  const { value } = await read.call(Object.assign(new Watched(), { metrics }));
  expect(value('reigns_total', { claim: 'takeover', cause: 'verdict' })).toBe(1);
  expect(value('reigns_total', { claim: 'switchover', cause: 'handover' })).toBe(1);
  expect(value('reigns_total', { claim: 'solo' })).toBeUndefined();
  expect(value('reports_total', { level: 'info', code: 'PAIR_CLAIM' })).toBe(3);
});

test('the journal’s bytes, syncs and faults', async () => {
  const watched = new Watched();
  watched.metrics.written(100, 100);
  watched.metrics.written(50, 150);
  watched.metrics.synced(0.003);
  watched.metrics.failed();
  const { value } = await watched.read();
  expect(value('journal_written_bytes_total')).toBe(150);
  expect(value('journal_size_bytes')).toBe(150);
  expect(value('journal_sync_seconds_bucket', { le: '0.005' })).toBe(1);
  expect(value('journal_faults_total')).toBe(1);
});
