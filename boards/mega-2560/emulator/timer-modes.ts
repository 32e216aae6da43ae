/** The timers of the ATmega2560: where their registers and pins are, and what their waveform modes mean (datasheet, tables 16-8, 17-2, 20-8). */
import { wireOf } from './arduino-pins.ts';

/** `none`: normal and CTC mode, no PWM. */
export type Slope = 'none' | 'one' | 'two';

export interface WaveformMode {
  slope: Slope;
  top: number | 'compare' | 'capture';
  /** When a written OCRx takes effect. */
  update: 'at once' | 'at top' | 'at bottom';
  /** Output unit A may toggle although this is a PWM mode. */
  togglesA: boolean;
}

export interface TimerPlace {
  bits: 8 | 16;
  controlA: number;
  controlB: number;
  controlC: number | null;
  count: number;
  capture: number | null;
  flags: number;
  mask: number;
  /** By the three clock select bits; -1: an external clock. */
  dividers: readonly number[];
  units: readonly { address: number; wire: number; asModulator: boolean }[];
  /** Flag bit in TIFR and TIMSK, and its vector. */
  vectors: readonly (readonly [flag: number, vector: number])[];
}

const usualDividers = [0, 1, 8, 64, 256, 1024, -1, -1];
const timer2Dividers = [0, 1, 8, 32, 64, 128, 256, 1024];

function wide(number: number, base: number, firstVector: number, pins: readonly string[]): TimerPlace {
  return {
    bits: 16,
    controlA: base,
    controlB: base + 1,
    controlC: base + 2,
    count: base + 4,
    capture: base + 6,
    flags: 0x35 + number,
    mask: 0x6e + number,
    dividers: usualDividers,
    units: pins.map((pin, index) => ({
      address: base + 8 + 2 * index,
      wire: wireOf(pin),
      asModulator: false,
    })),
    vectors: [
      [2, firstVector],
      [4, firstVector + 1],
      [8, firstVector + 2],
      [1, firstVector + 3],
    ],
  };
}

function narrow(
  number: 0 | 2,
  base: number,
  firstVector: number,
  pins: readonly { pin: string; asModulator: boolean }[],
): TimerPlace {
  return {
    bits: 8,
    controlA: base,
    controlB: base + 1,
    controlC: null,
    count: base + 2,
    capture: null,
    flags: 0x35 + number,
    mask: 0x6e + number,
    dividers: number === 2 ? timer2Dividers : usualDividers,
    units: pins.map(({ pin, asModulator }, index) => ({
      address: base + 3 + index,
      wire: wireOf(pin),
      asModulator,
    })),
    vectors: [
      [2, firstVector],
      [4, firstVector + 1],
      [1, firstVector + 2],
    ],
  };
}

/** PB7 is both OC0A and OC1C. */
export const timerPlaces: readonly TimerPlace[] = [
  narrow(0, 0x44, 21, [
    { pin: 'B7', asModulator: true },
    { pin: 'G5', asModulator: false },
  ]),
  wide(1, 0x80, 17, ['B5', 'B6', 'B7']),
  narrow(2, 0xb0, 13, [
    { pin: 'B4', asModulator: false },
    { pin: 'H6', asModulator: false },
  ]),
  wide(3, 0x90, 32, ['E3', 'E4', 'E5']),
  wide(4, 0xa0, 42, ['H3', 'H4', 'H5']),
  wide(5, 0x120, 47, ['L3', 'L4', 'L5']),
];

type ModeRow = readonly [Slope, WaveformMode['top'], WaveformMode['update'], togglesA?: true];

const narrowModes: readonly ModeRow[] = [
  ['none', 0xff, 'at once'],
  ['two', 0xff, 'at top'],
  ['none', 'compare', 'at once'],
  ['one', 0xff, 'at bottom'],
  ['none', 0xff, 'at once'],
  ['two', 'compare', 'at top', true],
  ['none', 0xff, 'at once'],
  ['one', 'compare', 'at bottom', true],
];

const wideModes: readonly ModeRow[] = [
  ['none', 0xffff, 'at once'],
  ['two', 0xff, 'at top'],
  ['two', 0x1ff, 'at top'],
  ['two', 0x3ff, 'at top'],
  ['none', 'compare', 'at once'],
  ['one', 0xff, 'at bottom'],
  ['one', 0x1ff, 'at bottom'],
  ['one', 0x3ff, 'at bottom'],
  ['two', 'capture', 'at bottom'],
  ['two', 'compare', 'at bottom', true],
  ['two', 'capture', 'at top'],
  ['two', 'compare', 'at top', true],
  ['none', 'capture', 'at once'],
  ['none', 0xffff, 'at once'],
  ['one', 'capture', 'at bottom', true],
  ['one', 'compare', 'at bottom', true],
];

const modesOf = (rows: readonly ModeRow[]): readonly WaveformMode[] =>
  rows.map(([slope, top, update, togglesA = false]) => ({ slope, top, update, togglesA }));

const narrowWaveforms = modesOf(narrowModes);
const wideWaveforms = modesOf(wideModes);

export function waveformOf(place: TimerPlace, mode: number): WaveformMode {
  return (place.bits === 16 ? wideWaveforms : narrowWaveforms)[mode]!;
}
