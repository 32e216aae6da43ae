/** What runs on a simulated device behind its fence: takes accepted output, produces input for the program. */
export interface SimulatedFirmware {
  /** Output bytes that the fence accepted for good, in order. */
  outputs(bytes: Uint8Array, nowMs: number): void;
  /** When `advance` has something to do; a time that is past means at once, null: not before bytes come. */
  nextWakeAt(): number | null;
  /** Messages for the program that are there by now, each to be produced as a whole. */
  advance(nowMs: number): Uint8Array[];
  /** The microcontroller starts anew, or is driven to its safe state because no controller lives. */
  reset(): void;
}
