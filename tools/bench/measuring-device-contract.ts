/** What is said between a measurement and its device's process (measuring-device.ts). */

export interface MeasuringDeviceOptions {
  mode: 'fenced' | 'plain';
  /** Of the line; 0: it takes no time. */
  baudRate: number;
  /** `none`: the device says only what it is told to. */
  plant: 'tank' | 'none';
}

export type DeviceOrder =
  /** Edges one after the other, each when the one before is answered, with a pause between. */
  | { kind: 'edges'; count: number; intervalMs: number }
  /** Values of an analog channel, three bytes each. */
  | { kind: 'stream'; valuesPerSecond: number; durationMs: number };

export type DeviceReport =
  | { kind: 'ready'; paths: [string, string] }
  | { kind: 'attached'; board: 'a' | 'b'; term: number }
  /** `lost`: edges without an answer. */
  | { kind: 'edges'; latenciesMs: number[]; lost: number }
  | { kind: 'stream'; sent: number; lostBytes: number; elapsedMs: number };

/** An edge that is not answered within this time counts as lost. */
export const edgePatienceMs = 500;
