import { Counter, Gauge, type OpenMetricsContentType, type Registry } from 'prom-client';

/** Of the supervisor's process, under the names that Prometheus's own libraries use. */
export function declareProcessMetrics(registry: Registry<OpenMetricsContentType>): void {
  const registers = [registry];
  const memory: Gauge = new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the supervisor.',
    registers,
    collect: () => memory.set(process.memoryUsage.rss()),
  });
  const cpu: Counter = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system time of the supervisor.',
    registers,
    collect: () => {
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc((user + system) / 1e6);
    },
  });
  const start = new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the supervisor began, since the Unix epoch.',
    registers,
  });
  start.set(Date.now() / 1000 - process.uptime());
}
