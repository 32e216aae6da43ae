/**
 * A water tank: water comes in through a valve, goes out through a pump and to a consumer whose demand varies.
 *
 *      valve --> |~~~~~~~~| <- float switch (closed at and above its height)
 *                | level  |--> pump
 *                |________|--> consumer
 *
 * Level, in metres, from the balance of flows in litres a second; valve and pump follow their command with a
 * first-order lag. The level sensor spans the analog reference over the height, with noise. The float switch
 * closes to ground, the push button to the supply, as johnny-five's Switch and Button take them by default. Sized so that a full stroke takes about twenty seconds: a takeover is watched in seconds.
 */
import type { PinBank } from '../simulated/pins.ts';
import { Noise } from './noise.ts';
import { type Plant, plantStepMs } from './plant.ts';

export interface WaterTankOptions {
  seed?: number;
  initialLevelMetres?: number;
  /** Outputs of the device, high: running, open. */
  pumpPin?: number;
  valvePin?: number;
  /** Analog input of the level sensor. */
  levelChannel?: number;
  /** Input of the device, low: closed. */
  floatSwitchPin?: number;
  /** Input of the device, high: pressed. */
  buttonPin?: number;
}

const areaSquareMetres = 0.02;
const heightMetres = 1;
const valveLitresPerSecond = 1;
const pumpLitresPerSecond = 0.8;
const demandLitresPerSecond = 0.15;
const demandSwingLitresPerSecond = 0.1;
const demandPeriodMs = 23_000;
const actuatorLagMs = 200;
const sensorNoiseShare = 0.002;
const floatSwitchMetres = 0.9;
const floatHysteresisMetres = 0.01;
const litresPerCubicMetre = 1000;

export class WaterTank implements Plant {
  readonly #pins: Required<Omit<WaterTankOptions, 'seed' | 'initialLevelMetres'>>;
  readonly #noise: Noise;
  #levelMetres: number;
  /** Opening of the valve and speed of the pump, 0..1. */
  #valve = 0;
  #pump = 0;
  #floating = false;
  #pressedUntil = -1;
  #overflowLitres = 0;
  #dryRunMs = 0;
  #consumedLitres = 0;
  #demandLitresPerSecond = demandLitresPerSecond;
  #time = 0;

  constructor(options: WaterTankOptions = {}) {
    const { seed = 1, initialLevelMetres = 0.5, ...pins } = options;
    this.#pins = { pumpPin: 7, valvePin: 8, levelChannel: 0, floatSwitchPin: 2, buttonPin: 4, ...pins };
    this.#noise = new Noise(seed);
    this.#levelMetres = initialLevelMetres;
  }

  /** Presses the button for `durationMs` from now on. */
  pressButton(durationMs = 150): void {
    this.#pressedUntil = this.#time + durationMs;
  }

  step(now: number, pins: PinBank): void {
    this.#time = now;
    const { valvePin, pumpPin, levelChannel, floatSwitchPin, buttonPin } = this.#pins;
    const share = plantStepMs / actuatorLagMs;
    this.#valve += (pins.pin(valvePin).duty - this.#valve) * share;
    this.#pump += (pins.pin(pumpPin).duty - this.#pump) * share;
    this.#balance(now);
    if (this.#levelMetres >= floatSwitchMetres) this.#floating = true;
    else if (this.#levelMetres < floatSwitchMetres - floatHysteresisMetres) this.#floating = false;
    const reading = this.#levelMetres / heightMetres + sensorNoiseShare * this.#noise.next();
    pins.driveAnalog(levelChannel, reading);
    pins.drive(floatSwitchPin, this.#floating ? 0 : 1);
    pins.drive(buttonPin, now < this.#pressedUntil ? 1 : 0);
  }

  state(): Record<string, number | boolean> {
    return {
      levelMetres: this.#levelMetres,
      levelShare: this.#levelMetres / heightMetres,
      inflowLitresPerSecond: this.#valve * valveLitresPerSecond,
      pumpLitresPerSecond: this.#pump * pumpLitresPerSecond,
      demandLitresPerSecond: this.#demandLitresPerSecond,
      valveOpenShare: this.#valve,
      pumpSpeedShare: this.#pump,
      floatSwitchClosed: this.#floating,
      buttonPressed: this.#time < this.#pressedUntil,
      overflowLitres: this.#overflowLitres,
      consumedLitres: this.#consumedLitres,
      pumpDryRunMs: this.#dryRunMs,
    };
  }

  #balance(now: number): void {
    const seconds = plantStepMs / 1000;
    const phase = (2 * Math.PI * now) / demandPeriodMs;
    this.#demandLitresPerSecond = demandLitresPerSecond + demandSwingLitresPerSecond * Math.sin(phase);
    const pumped = this.#pump * pumpLitresPerSecond * seconds;
    const wanted = this.#demandLitresPerSecond * seconds;
    let litres = this.#levelMetres * areaSquareMetres * litresPerCubicMetre;
    litres += this.#valve * valveLitresPerSecond * seconds;
    if (litres < pumped && this.#pump > 0.1) this.#dryRunMs += plantStepMs;
    litres = Math.max(0, litres - pumped);
    const taken = Math.min(litres, wanted);
    this.#consumedLitres += taken;
    litres -= taken;
    const full = areaSquareMetres * heightMetres * litresPerCubicMetre;
    if (litres > full) {
      this.#overflowLitres += litres - full;
      litres = full;
    }
    this.#levelMetres = litres / litresPerCubicMetre / areaSquareMetres;
  }
}
