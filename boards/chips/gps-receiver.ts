/**
 * A GPS receiver on a serial port: one RMC and one GGA sentence a second (NMEA 0183), moving on a circle, so
 * that position, speed and course change. The first sentence comes one second after power-on.
 */
import type { SerialPeer } from '../simulated/serial-ports.ts';

const periodMs = 1000;
const metresPerDegree = 111_320;
const secondsPerRound = 120;
const knotsPerMetrePerSecond = 1.943844;

export interface GpsOptions {
  latitudeDegrees?: number;
  longitudeDegrees?: number;
  radiusMetres?: number;
  altitudeMetres?: number;
  baudRate?: number;
}

function checksum(sentence: string): string {
  let sum = 0;
  for (const character of sentence) sum ^= character.charCodeAt(0);
  return sum.toString(16).toUpperCase().padStart(2, '0');
}

/** Degrees and minutes as NMEA writes them: ddmm.mmmm or dddmm.mmmm. */
function angle(degrees: number, wholeDigits: 2 | 3): string {
  const total = Math.round(Math.abs(degrees) * 60 * 10_000);
  const whole = Math.floor(total / 600_000);
  const minutes = ((total % 600_000) / 10_000).toFixed(4).padStart(7, '0');
  return `${String(whole).padStart(wholeDigits, '0')}${minutes}`;
}

export class GpsReceiver implements SerialPeer {
  readonly #options: Required<GpsOptions>;
  #count = 0;
  /** Bytes that the program sent to the receiver. */
  receivedBytes = 0;

  constructor(options: GpsOptions = {}) {
    this.#options = {
      latitudeDegrees: 48.137,
      longitudeDegrees: 11.575,
      radiusMetres: 100,
      altitudeMetres: 519,
      baudRate: 9600,
      ...options,
    };
  }

  get nextAt(): number {
    return (this.#count + 1) * periodMs;
  }

  get baudRate(): number {
    return this.#options.baudRate;
  }

  receive(_now: number, bytes: Uint8Array): void {
    this.receivedBytes += bytes.length;
  }

  transmit(now: number): Uint8Array {
    this.#count = Math.floor(now / periodMs);
    const text = this.#sentences(this.#count);
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  }

  #sentences(seconds: number): string {
    const { latitudeDegrees, longitudeDegrees, radiusMetres, altitudeMetres } = this.#options;
    const phase = (2 * Math.PI * seconds) / secondsPerRound;
    const latitude = latitudeDegrees + (radiusMetres * Math.cos(phase)) / metresPerDegree;
    const metresPerDegreeEast = metresPerDegree * Math.cos((latitudeDegrees * Math.PI) / 180);
    const longitude = longitudeDegrees + (radiusMetres * Math.sin(phase)) / metresPerDegreeEast;
    const knots = ((2 * Math.PI * radiusMetres) / secondsPerRound) * knotsPerMetrePerSecond;
    const course = (90 + (360 * seconds) / secondsPerRound) % 360;
    const two = (value: number) => String(value % 60).padStart(2, '0');
    const hours = String(12 + (Math.floor(seconds / 3600) % 12)).padStart(2, '0');
    const time = `${hours}${two(Math.floor(seconds / 60))}${two(seconds)}.000`;
    const north = `${angle(latitude, 2)},${latitude < 0 ? 'S' : 'N'}`;
    const east = `${angle(longitude, 3)},${longitude < 0 ? 'W' : 'E'}`;
    return [
      `GPRMC,${time},A,${north},${east},${knots.toFixed(2)},${course.toFixed(2)},010126,,,A`,
      `GPGGA,${time},${north},${east},1,08,1.0,${altitudeMetres.toFixed(1)},M,47.0,M,,`,
    ]
      .map((sentence) => `$${sentence}*${checksum(sentence)}\r\n`)
      .join('');
  }
}
