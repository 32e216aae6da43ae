/**
 * Pulse measurement for ultrasonic rangers (sysex 0x75, PingFirmata): the device pulses the pin and answers
 * with the time that the echo took. The answer comes when the echo has come back, or, without an echo, 0 after
 * the timeout.
 */
import type { Feature, FeatureContext } from './feature.ts';
import { fromPairs, sysex, toPairs } from './messages.ts';

interface Ping {
  pin: number;
  at: number;
  durationUs: number;
}

const pingsMax = 32;
const echoUsMax = 1_000_000;

export class Sonar implements Feature {
  readonly ids = [sysex.pingRead];
  readonly #context: FeatureContext;
  #pings: Ping[] = [];

  constructor(context: FeatureContext) {
    this.#context = context;
  }

  get nextAt(): number | null {
    let next: number | null = null;
    for (const ping of this.#pings) if (next === null || ping.at < next) next = ping.at;
    return next;
  }

  sysex(now: number, _id: number, data: Uint8Array): boolean {
    if (data.length < 18) return false;
    const pin = this.#context.pins.all[data[0]!];
    if (pin === undefined || this.#pings.length >= pingsMax) return false;
    const numbers = fromPairs(data.subarray(2, 18));
    const view = new DataView(numbers.buffer);
    const timeoutUs = Math.min(view.getUint32(4), echoUsMax);
    const heard = pin.echoUs > 0 && pin.echoUs <= timeoutUs;
    const durationUs = heard ? Math.round(pin.echoUs) : 0;
    this.#context.tracer.record(now, 'ping', pin.number, [data[1]!, view.getUint32(0)]);
    this.#pings.push({ pin: pin.number, at: now + (heard ? durationUs : timeoutUs) / 1000, durationUs });
    return true;
  }

  advance(now: number): void {
    const due = this.#pings.filter((ping) => ping.at <= now);
    this.#pings = this.#pings.filter((ping) => ping.at > now);
    for (const ping of due) {
      const duration = ping.durationUs;
      const bytes = [duration >>> 24, (duration >>> 16) & 0xff, (duration >>> 8) & 0xff, duration & 0xff];
      this.#context.sendSysex(sysex.pingRead, [...toPairs([ping.pin]), ...toPairs(bytes)]);
    }
  }

  reset(): void {
    this.#pings = [];
  }

  safeState(): void {}
}
