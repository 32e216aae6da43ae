/** Items as a console says them, for tests: whole and valid, with what a test is about overwritten. */
import type {
  ConsoleItem,
  EventOnConsole,
  LinkOnConsole,
  StatusOnConsole,
} from '../../firmware-host/console/console-schema.ts';
import type { Report } from '../../firmware-host/supervisor/effects.ts';
import type { Board } from './model.ts';

export const wallTimeMs = Date.UTC(2026, 10, 23, 12, 0, 0);

export function hello(board: Board, monotonicMs = 0): Extract<ConsoleItem, { kind: 'hello' }> {
  return {
    ...{ schema: 1, kind: 'hello', board, monotonicMs, wallTimeMs, version: '0.1.0', line: 'socket' },
    ...{ locked: false, role: 'primary', statusIntervalMs: 100, program: 'examples/tank.js' },
    timing: { heartbeatIntervalMs: 10, detectionTimeoutMs: 200, suspectTimeoutMs: 15, lagMsMax: 200 },
  };
}

export function link(name: string, overwritten: Partial<LinkOnConsole> = {}): LinkOnConsole {
  return {
    ...{ name, sent: 1000, received: 1000, bytesSent: 90_000, bytesReceived: 91_000, discarded: {} },
    ...{ retransmitted: 3, duplicates: 1, roundTripMs: name === 'serial' ? 12.4 : 1.1, lastHeardAt: 0 },
    ...{ up: true, silentForMs: 4, ...overwritten },
  };
}

export function status(
  board: Board,
  monotonicMs: number,
  overwritten: Partial<StatusOnConsole> = {},
): { kind: 'status'; schema: 1; board: Board; monotonicMs: number; answers?: number } & StatusOnConsole {
  const role = overwritten.role ?? (board === 'a' ? 'primary' : 'backup');
  return {
    ...{ schema: 1, kind: 'status', board, monotonicMs, wallTimeMs, pid: 1, replicaPid: 2 },
    ...{ role, term: 3, protected: true, historyId: 'h', turns: 12_345, executedTurns: 12_345 },
    ...{
      releasedTurns: 12_345,
      lagTurns: 0,
      lagMs: null,
      verdict: 'green',
      silentForMs: 4,
      virtualTimeUs: 0,
    },
    divergences: 0,
    links: [link('ethernet'), link('serial')],
    devices: [
      {
        ...{ name: '/dev/ttyACM0', kind: 'fenced', open: true, attached: role === 'primary', session: 7 },
        ...{ produced: 900, confirmed: 900, inputs: 3000, inputsLost: 0, discarded: 0, arbiter: true },
        pins: [
          { name: 'D9', mode: 'PWM', value: 146 },
          { name: 'D13', mode: 'OUTPUT', value: 1 },
          { name: 'A0', mode: 'ANALOG', value: 512 },
        ],
      },
    ],
    ...overwritten,
  };
}

export function event(
  index: number,
  monotonicMs: number,
  code: string,
  text: string,
  level: Report['level'] = 'info',
  details?: Record<string, unknown>,
): EventOnConsole {
  const report: Report = { level, code, text, ...(details === undefined ? {} : { details }) };
  return { index, monotonicMs, wallTimeMs: wallTimeMs + monotonicMs, report };
}

export function told(board: Board, each: EventOnConsole): ConsoleItem {
  return { schema: 1, kind: 'report', board, ...each };
}
