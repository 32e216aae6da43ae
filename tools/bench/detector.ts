/**
 * False takeovers of the failure detector over its timeout, under several loads and priorities, on one machine.
 *
 * Two processes and the board's own detector (tools/doctor/heartbeat-trial.ts): what a whole pair would add is other work
 * of its own processes, which the CPU load stands for. `understudy doctor --jitter` runs the same on a user's board.
 */
import { pairSchema } from '../../firmware-host/config/schema.ts';
import {
  type Priority,
  runHeartbeatTrial,
  type TrialResult,
  trialTimeoutsMs,
} from '../doctor/heartbeat-trial.ts';
import { type LoadKind, startLoad } from './load.ts';
import type { Figure, Measurement, MeasureOptions, Part } from './measurement.ts';

const loads = ['none', 'cpu', 'memory', 'disk'] as const satisfies readonly LoadKind[];
const priorities = ['normal', 'nice', 'real-time'] as const satisfies readonly Priority[];
const timing = pairSchema.shape.timing.parse(undefined);

interface Cell {
  load: LoadKind;
  priority: Priority;
  result: TrialResult;
}

async function run(options: MeasureOptions): Promise<Part> {
  const durationMs = options.quick ? 5_000 : 60_000;
  const cells: Cell[] = [];
  for (const load of loads) {
    const running = await startLoad(load);
    try {
      for (const priority of priorities) {
        options.tell(`detector: load ${load}, priority ${priority}, ${durationMs / 1000} s`);
        const { heartbeatIntervalMs } = timing;
        const result = await runHeartbeatTrial({
          priority,
          durationMs,
          heartbeatIntervalMs,
          timeoutsMs: trialTimeoutsMs,
        });
        cells.push({ load, priority, result });
      }
    } finally {
      await running.stop();
    }
  }
  return detectorPart(cells);
}

export function detectorPart(cells: readonly Cell[]): Part {
  const figures = cells.flatMap(({ load, priority, result }) => {
    const minutes = result.durationMs / 60_000;
    const note =
      result.priorityRefused === null ? {} : { note: `priority refused: ${result.priorityRefused}` };
    const silences = result.falseTakeovers.map(({ longestSilenceMs }) => longestSilenceMs);
    const rates = result.falseTakeovers.map(
      ({ timeoutMs, intervalMs, count }): Figure => ({
        id: `detector.${load}.${priority}.${timeoutMs}`,
        text: `load ${load}, priority ${priority}: false takeovers at ${timeoutMs} ms`,
        value: count / minutes,
        unit: '1/min',
        ...(timeoutMs === timing.detectionTimeoutMs && priority === 'nice'
          ? { bound: { kind: 'at most' as const, value: 0 } }
          : {}),
        ...(intervalMs < timing.heartbeatIntervalMs ? { note: `heartbeats every ${intervalMs} ms` } : {}),
        ...note,
      }),
    );
    const longest: Figure = {
      id: `detector.${load}.${priority}.silence`,
      text: `load ${load}, priority ${priority}: longest silence`,
      value: Math.max(...silences),
      unit: 'ms',
      floor: timing.heartbeatIntervalMs,
      ...note,
    };
    return [longest, ...rates];
  });
  return {
    id: 'detector',
    title: 'Detector: false takeovers over the timeout',
    figures,
    plots: loads.map((load) => ({
      title: `False takeovers, load ${load}`,
      xLabel: 'detectionTimeoutMs',
      yLabel: 'a minute',
      xScale: 'log' as const,
      yScale: 'linear' as const,
      curves: cells
        .filter((cell) => cell.load === load)
        .map(({ priority, result }) => ({
          name: priority,
          points: result.falseTakeovers.map(
            ({ timeoutMs, count }) => [timeoutMs, (count * 60_000) / result.durationMs] as const,
          ),
        })),
    })),
    remarks: [
      `The default is detectionTimeoutMs ${timing.detectionTimeoutMs}, heartbeatIntervalMs ${timing.heartbeatIntervalMs}; boards run with priority nice.`,
      'Zero in a short run is no proof: docs/reliability.md has the long runs of whole pairs.',
    ],
  };
}

export const detector: Measurement = { id: 'detector', title: 'Detector', run };
