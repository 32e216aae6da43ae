/** What the simulated device's process prints, one JSON object a line. */

export type DeviceEvent =
  | { event: 'ready'; mode: 'fenced' | 'plain'; paths: [string, string]; session: number; term: number }
  | { event: 'attached'; port: number; term: number; session: number }
  | { event: 'released'; port: number; term: number }
  /** `offset`: of the first byte, counted from the session's begin. In plain mode `port` tells who wrote. */
  | { event: 'output'; port: number; term: number; session: number; offset: number; base64: string }
  | { event: 'rejected-stale'; port: number; term: number; bytes: number }
  | { event: 'safe-state' }
  | { event: 'session'; session: number; term: number }
  | { event: 'input-lost'; bytes: number }
  | { event: 'discarded'; port: number; reason: string }
  | { event: 'wrong-speed'; port: number; baudRate: number }
  | { event: 'port'; port: number; path: string; open: boolean }
  | { event: 'bad-command'; reason: string }
  /** Every `reportIntervalMs`. `pins`: those that are outputs; `effects`: what the device did to the world so far. */
  | {
      event: 'state';
      pins: { pin: number; mode: number; value: number; level: number }[];
      plant: Record<string, number | boolean>;
      effects: { count: number; digest: number };
    }
  | ({ event: 'summary' } & DeviceSummary);

export interface SessionSummary {
  session: number;
  outputBytes: number;
  /** CRC-32 of all outputs of the session, in order. */
  outputCrc32: number;
  /** In plain mode, by port; in fenced mode of the port that held the device. */
  outputBytesByPort: [number, number];
}

export interface DeviceSummary {
  sessions: SessionSummary[];
  rejectedFrames: number;
  rejectedBytes: number;
  safeStates: number;
  takeovers: number;
  inputBytes: number;
  inputBytesLost: number;
  discardedFrames: number;
  effects: { count: number; digest: number };
}

/** CLOCK_MONOTONIC in milliseconds: comparable between the processes of one machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
