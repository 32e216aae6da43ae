/**
 * What every peripheral of the emulated microcontroller is built on: one life of the chip, from a reset to the next.
 *
 * Cycles in here count from that reset; `machineCycle` turns them into the machine's, which never begin again. At a
 * reset all of this is thrown away and built anew, and only the RAM is copied: so no state of a peripheral can survive
 * one by being forgotten in a `reset` method.
 */
import type { CPU } from 'avr8js';
import type { Alarms } from './alarms.ts';
import type { Interrupts } from './interrupts.ts';
import type { Wires } from './wires.ts';

/** Something that the firmware did and that no chip is promised to do well. */
export type ChipComplaint =
  | 'sleep-without-interrupts'
  | 'sleep-mode-unsupported'
  | 'erased-program-memory'
  | 'stack-outside-ram'
  | 'clock-prescaler-unsupported'
  | 'usart-mode-unsupported'
  | 'adc-trigger-unsupported'
  | 'timer-clock-unsupported';

export interface Chip {
  readonly cpu: CPU;
  readonly clockHz: number;
  readonly alarms: Alarms;
  readonly interrupts: Interrupts;
  readonly wires: Wires;
  machineCycle(cycle: number): number;
  chipCycle(machineCycle: number): number;
  complain(complaint: ChipComplaint): void;
}
