/**
 * The bench that programs stand on when they run bare: a knob that somebody turns, a thermometer, a third axis, two
 * contacts that somebody works. Everything is a function of the device's time, so that two runs see the same bench.
 *
 *   A0 knob, sine of 2 s      A1 LM35, 20..30 degrees C over 7 s      A2 sine of 3 s
 *   2, 4 contacts, 400 ms closed of 800 ms, 4 a quarter later than 2: as a pair they are a rotary encoder
 */
import type { Plant } from '../../../boards/plants/plant.ts';
import type { PinBank } from '../../../boards/simulated/pins.ts';

const contactPeriodMs = 800;

function sine(now: number, periodMs: number): number {
  return Math.sin((2 * Math.PI * now) / periodMs);
}

export class BenchPlant implements Plant {
  #knobShare = 0.5;
  #celsius = 25;
  #contacts: [boolean, boolean] = [false, false];
  readonly #echoPin: number | null;

  /** @param echoPin pin with an ultrasonic ranger, whose wall comes and goes between 20 and 100 cm */
  constructor(echoPin: number | null = null) {
    this.#echoPin = echoPin;
  }

  step(now: number, pins: PinBank): void {
    this.#knobShare = 0.5 + 0.49 * sine(now, 2000);
    this.#celsius = 25 + 5 * sine(now, 7000);
    pins.driveAnalog(0, this.#knobShare);
    // 10 mV a degree, at a reference of 5 V.
    pins.driveAnalog(1, (this.#celsius * 0.01) / pins.profile.analogReferenceVolts);
    pins.driveAnalog(2, 0.5 + 0.3 * sine(now, 3000));
    const closed = (shiftMs: number) => (now + shiftMs) % contactPeriodMs < contactPeriodMs / 2;
    this.#contacts = [closed(contactPeriodMs / 4), closed(0)];
    pins.drive(2, this.#contacts[0] ? 1 : 0);
    pins.drive(4, this.#contacts[1] ? 1 : 0);
    // Sound takes 58 us there and back for each centimetre.
    if (this.#echoPin !== null) pins.pin(this.#echoPin).echoUs = 58 * (60 + 40 * sine(now, 5000));
  }

  state(): Record<string, number | boolean> {
    return {
      knobShare: this.#knobShare,
      temperatureCelsius: this.#celsius,
      contactOnPin2: this.#contacts[0],
      contactOnPin4: this.#contacts[1],
    };
  }
}
