/**
 * A pair of fixed numbers, in surroundings that do nothing of themselves: for lives that are struck at exact points
 * (exhaustive/) and for lives that people read (transcripts/). Nothing here is drawn from a seed that anybody chooses.
 */

import type { Interference } from './board.ts';
import type { LifeFacts, Observed } from './observation.ts';
import { programOf } from './programs/generated-program.ts';
import { numberedModulus } from './programs/numbered-firmware.ts';
import type { ProgramPlan } from './programs/program-plan.ts';
import type { SimulatedFirmware } from './programs/simulated-firmware.ts';
import { Random } from './random.ts';
import type { DrawnNumbers } from './swarm.ts';
import { World } from './world.ts';

const device = { name: 'machine', windowBytes: 256, inputRingBytes: 1024 };

/** Quick to detect and to join, so that a life is short; the relations between the numbers are those of a real pair. */
export const quietNumbers: DrawnNumbers = {
  devices: [device],
  deviceBitsPerSecond: 115_200,
  ethernetBitsPerSecond: 100_000_000,
  serialBitsPerSecond: 115_200,
  heartbeatIntervalMs: 20,
  detectionTimeoutMs: 80,
  suspectTimeoutMs: 15,
  waitForPeerMs: 100,
  alone: 'lead',
  holdTimeMs: 400,
  keepaliveIntervalMs: 50,
  deviceTimeoutMs: 500,
  turnTimeoutMs: 200,
  turnMs: 0.1,
  lagTurnsMax: 500,
  lagMsMax: 200,
  sendBufferBytesMax: 65_536,
  fsync: 'interval',
  fsyncIntervalMs: 50,
  diskWriteMs: 0.2,
  diskSyncMs: 1,
  programFailure: 'restart',
  programExit: 'restart',
  restartDelayMs: 50,
  restartsMax: 10,
};

/** Sends a few numbered bytes at a fixed beat, as numbered-firmware.ts does at drawn times. */
export class Metronome implements SimulatedFirmware {
  readonly #everyMs: number;
  readonly #messageBytes: number;
  #dueAt: number | null = null;
  #next = 0;

  constructor(everyMs: number, messageBytes: number) {
    this.#everyMs = everyMs;
    this.#messageBytes = messageBytes;
  }

  outputs(): void {}

  nextWakeAt(): number {
    return this.#dueAt ?? 0;
  }

  advance(nowMs: number): Uint8Array[] {
    this.#dueAt ??= nowMs + this.#everyMs;
    if (nowMs < this.#dueAt) return [];
    this.#dueAt += this.#everyMs;
    const bytes = new Uint8Array(this.#messageBytes);
    for (let index = 0; index < bytes.length; index++) {
      bytes[index] = this.#next;
      this.#next = (this.#next + 1) % numberedModulus;
    }
    return [bytes];
  }

  reset(): void {
    this.#next = 0;
    this.#dueAt = null;
  }
}

export interface QuietProgram {
  /** A line by timer comes so often; each shows a value that was read by a synchronous call. */
  tickMs: number;
  /** A line for every so many input bytes. */
  reactionBytes: number;
  openAfterMs: number;
}

/** Opens its device, writes a line by timer and a line in reaction to input, and uses a synchronous value. */
export function quietPlan({ tickMs, reactionBytes, openAfterMs }: QuietProgram): ProgramPlan {
  const always = { every: 1, share: 1 };
  const write = { ...always, action: { kind: 'write', port: 0, lines: 1, paddingBytes: 0 } } as const;
  const read = { ...always, action: { kind: 'read', returns: 'number' } } as const;
  return {
    ports: [{ device: device.name, openAfterMs, readBytesMax: 64, queueBytesMax: 16_384, reopenAfterMs: 20 }],
    routines: [
      { kind: 'interval', ms: tickMs, referenced: true, steps: [read, write] },
      { kind: 'data', port: 0, everyBytes: reactionBytes, steps: [write] },
    ],
    exit: null,
    throwAfterMs: null,
  };
}

export interface QuietPair {
  program: QuietProgram;
  firmware: SimulatedFirmware;
  interference?: Interference;
  observe(observed: Observed): void;
}

export function createQuietPair({ program, firmware, interference, observe }: QuietPair): World {
  return new World({
    ...quietNumbers,
    random: new Random('quiet pair'),
    program: programOf('quiet', quietPlan(program)),
    devices: [{ ...device, firmware }],
    ...(interference === undefined ? {} : { interference }),
    observe,
  });
}

/** For the checkers. `faults` may be added to while the life is lived. */
export function quietFacts(times: { quietAt: number; endsAt: number }): LifeFacts {
  const numbers = quietNumbers;
  return {
    seed: 0,
    detectionTimeoutMs: numbers.detectionTimeoutMs,
    suspectTimeoutMs: numbers.suspectTimeoutMs,
    heartbeatIntervalMs: numbers.heartbeatIntervalMs,
    waitForPeerMs: numbers.waitForPeerMs,
    holdTimeMs: numbers.holdTimeMs,
    restartDelayMs: numbers.restartDelayMs,
    turnTimeoutMs: numbers.turnTimeoutMs,
    lagTurnsMax: numbers.lagTurnsMax,
    lagMsMax: numbers.lagMsMax,
    sendBufferBytesMax: numbers.sendBufferBytesMax,
    fsync: numbers.fsync,
    alone: numbers.alone,
    devices: [{ name: device.name, arbiter: true }],
    faults: [],
    ...times,
  };
}
