import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { boardStatus } from './board-status.fake.ts';
import { type Health, healthOf } from './health.ts';
import { MetricsServer, type MetricsSource } from './metrics-server.ts';

const anyPort = { address: '127.0.0.1', port: 0 };

async function serve(source: Partial<MetricsSource> = {}) {
  const faults: string[] = [];
  const whole: MetricsSource = {
    metrics: async () => ({ contentType: 'application/openmetrics-text; version=1.0.0', body: '# EOF\n' }),
    health: () => healthOf(boardStatus(), []),
    ...source,
  };
  const server = new MetricsServer(anyPort, whole, (text) => faults.push(text));
  onTestFinished(() => server.close());
  await server.listening();
  return { server, faults, url: `http://127.0.0.1:${server.port}` };
}

test('/metrics has the text and its type', async () => {
  const { url } = await serve();
  const response = await fetch(`${url}/metrics?name[]=x`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0');
  expect(await response.text()).toBe('# EOF\n');
});

test('/health is 200 or 503, as JSON with reasons', async () => {
  let health: Health = healthOf(boardStatus(), []);
  const { url } = await serve({ health: () => health });
  const good = await fetch(`${url}/health`);
  expect([good.status, await good.json()]).toEqual([200, health]);
  health = healthOf(boardStatus({ protected: false }), []);
  const bad = await fetch(`${url}/health`);
  expect(bad.status).toBe(503);
  expect(bad.headers.get('content-type')).toBe('application/json');
  expect(await bad.json()).toMatchObject({ healthy: false, reasons: [{ code: 'SOLO' }] });
});

test('other paths and methods are refused, HEAD has no body', async () => {
  const { url } = await serve();
  expect((await fetch(url)).status).toBe(404);
  const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x'.repeat(100_000) });
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  const head = await fetch(`${url}/health`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});

test('figures that cannot be given close the connection and are told', async () => {
  const { url, faults } = await serve({ metrics: () => Promise.reject(new Error('no figures')) });
  await expect(fetch(`${url}/metrics`)).rejects.toThrow();
  expect(faults).toEqual(['a request failed: no figures']);
  expect((await fetch(`${url}/health`)).status).toBe(200);
});

test('a port that is taken is told, and nothing more', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    other.close();
  });
  const { port } = other.address() as { port: number };
  const source: MetricsSource = {
    metrics: async () => ({ contentType: '', body: '' }),
    health: () => healthOf(boardStatus(), []),
  };
  const fault = await new Promise<string>((resolve) => {
    const server = new MetricsServer({ address: '127.0.0.1', port }, source, resolve);
    onTestFinished(() => server.close());
  });
  expect(fault).toContain('EADDRINUSE');
});
