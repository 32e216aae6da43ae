/**
 * A device that measures its controller: it makes an edge at an input pin and notes when the byte that answers it arrives.
 *
 * The same fence and the same Firmata as the rig's simulated device (fenced-front.ts, SimulatedFirmata), but on a line
 * whose time is exact: the rig's own lines move in steps of Node's 1 ms timer, which is more than what is measured here.
 *
 *     edge -> INPUT frame --line--> controller ... controller --line--> DATA frame -> pin 13 -> stop the clock
 *
 * Toward the controller a byte is handed over when its stop bit would have arrived: the process waits for that moment.
 * From the controller the arrival is reckoned: bytes come as fast as a pseudo-terminal is, and count as arrived when the
 * line, one byte after the other, would have brought them. Without a baud rate a line takes no time.
 *
 * Run as a process with a channel (`fork`), so that nothing else takes its time: options in argv, orders as messages.
 */
import { WaterTank } from '../../boards/plants/water-tank.ts';
import { SimulatedFirmata } from '../../boards/simulated/firmata.ts';
import { unoProfile } from '../../boards/uno/profile.ts';
import { monotonicMs } from '../../hil-tests/rigs/local/device-events.ts';
import type { DeviceFront, FrontSurroundings } from '../../hil-tests/rigs/local/device-front.ts';
import { deviceOptionsSchema } from '../../hil-tests/rigs/local/device-options.ts';
import { FencedFront } from '../../hil-tests/rigs/local/fenced-front.ts';
import { OutputLedger } from '../../hil-tests/rigs/local/output-ledger.ts';
import { PlainFront } from '../../hil-tests/rigs/local/plain-front.ts';
import { openPseudoTerminal } from '../../hil-tests/rigs/local/pseudo-terminal.ts';
import type { DevicePort } from '../../protocol/device-stream/device.ts';
import {
  type DeviceOrder,
  type DeviceReport,
  edgePatienceMs,
  type MeasuringDeviceOptions,
} from './measuring-device-contract.ts';

const edgePin = 2;
const answerPin = 13;
const bitsPerByte = 10;
/** Node's timers wake up to a millisecond late: the rest is waited for awake. */
const timerSlackMs = 1.5;
/** A device without a line's pace announces the fastest speed that its options allow. */
const baudRateMax = 4_000_000;
/** Faster than this a timer of 1 ms would bunch values together. */
const timerRateMax = 1000;
const digitalMessage = 0x90;
const analogMessage = 0xe0;

class Line {
  readonly #byteMs: number;
  #freeAtMs = 0;

  constructor(baudRate: number) {
    this.#byteMs = baudRate === 0 ? 0 : (bitsPerByte * 1000) / baudRate;
  }

  /** When the last bit of so many bytes arrives that are handed to the line at `nowMs`. */
  arrivalOf(nowMs: number, bytes: number): number {
    this.#freeAtMs = Math.max(nowMs, this.#freeAtMs) + bytes * this.#byteMs;
    return this.#freeAtMs;
  }
}

const word = new Int32Array(new SharedArrayBuffer(4));

class MeasuringDevice {
  readonly #options: MeasuringDeviceOptions;
  readonly #terminals = [
    openPseudoTerminal({ queueBytesMax: 2 ** 20 }),
    openPseudoTerminal({ queueBytesMax: 2 ** 20 }),
  ] as const;
  readonly #toController: readonly [Line, Line];
  readonly #fromController: readonly [Line, Line];
  readonly #underWay: { port: DevicePort; bytes: Uint8Array; atMs: number }[] = [];
  #deliveryTimer: NodeJS.Timeout | null = null;
  readonly #firmata: SimulatedFirmata;
  #firmataTimer: NodeJS.Timeout | null = null;
  readonly #front: DeviceFront;
  readonly #ledger = new OutputLedger();
  readonly #say: (report: DeviceReport) => void;
  #arrivedAtMs = 0;
  #level = 0;
  #edge: {
    atMs: number;
    level: number;
    latencies: number[];
    lost: number;
    left: number;
    intervalMs: number;
  } | null = null;
  #edgeTimer: NodeJS.Timeout | null = null;
  #streamTimer: NodeJS.Timeout | null = null;

  constructor(options: MeasuringDeviceOptions, say: (report: DeviceReport) => void) {
    this.#options = options;
    this.#say = say;
    const { baudRate } = options;
    this.#toController = [new Line(baudRate), new Line(baudRate)];
    this.#fromController = [new Line(baudRate), new Line(baudRate)];
    this.#firmata = new SimulatedFirmata({
      profile: unoProfile,
      ...(options.plant === 'tank' ? { plant: new WaterTank() } : {}),
    });
    const surroundings: FrontSurroundings = {
      clock: monotonicMs,
      emit: (event) => {
        if (event.event === 'attached')
          say({ kind: 'attached', board: event.port === 0 ? 'a' : 'b', term: event.term });
        if (event.event === 'input-lost') this.#lost += event.bytes;
      },
      ledger: this.#ledger,
      transmit: (port, bytes) => this.#transmit(port, bytes),
      execute: (bytes) => this.#execute(bytes),
      driveSafe: () => {
        this.#firmata.reset(monotonicMs());
        this.#firmata.safeState(monotonicMs());
        this.#planFirmata();
      },
    };
    const announce = (): void => this.#firmata.opened(monotonicMs());
    const deviceOptions = deviceOptionsSchema.parse({
      plant: 'none',
      baudRate: baudRate === 0 ? baudRateMax : baudRate,
      holdTimeMs: 2000,
      windowBytes: 1024,
      inputRingBytes: 8192,
    });
    this.#front =
      options.mode === 'fenced'
        ? new FencedFront(surroundings, deviceOptions)
        : new PlainFront(surroundings, announce);
    this.#firmata.onTransmit = (bytes) => this.#front.produce(bytes);
    for (const port of [0, 1] as const) {
      let isNew = true;
      this.#terminals[port].onData((bytes) => {
        if (isNew) this.#front.opened(port);
        isNew = false;
        // Byte by byte where the line takes time: a frame is complete with its own last byte, not with what follows it.
        const step = baudRate === 0 ? bytes.length : 1;
        for (let at = 0; at < bytes.length; at += step) {
          this.#arrivedAtMs = this.#fromController[port].arrivalOf(monotonicMs(), step);
          this.#front.receive(port, bytes.slice(at, at + step));
        }
      });
    }
    this.#front.start();
    if (options.mode === 'fenced') announce();
    this.#planFirmata();
    say({ kind: 'ready', paths: [this.#terminals[0].path, this.#terminals[1].path] });
  }

  #lost = 0;

  order(order: DeviceOrder): void {
    switch (order.kind) {
      case 'edges':
        this.#edge = {
          atMs: 0,
          level: 0,
          latencies: [],
          lost: 0,
          left: order.count,
          intervalMs: order.intervalMs,
        };
        this.#nextEdge();
        return;
      case 'stream':
        this.#stream(order.valuesPerSecond, order.durationMs);
        return;
    }
  }

  stop(): void {
    for (const timer of [this.#edgeTimer, this.#streamTimer, this.#firmataTimer, this.#deliveryTimer]) {
      if (timer !== null) clearTimeout(timer);
    }
    this.#front.stop();
    for (const terminal of this.#terminals) terminal.close();
  }

  /** Not in step with anything: a poll that runs in step would be met early, or late, every time. */
  #nextEdge(): void {
    const edge = this.#edge!;
    if (edge.left === 0) {
      this.#edge = null;
      this.#say({ kind: 'edges', latenciesMs: edge.latencies, lost: edge.lost });
      return;
    }
    const jitterMs = (edge.left * 7) % 5;
    this.#edgeTimer = setTimeout(() => {
      edge.left -= 1;
      this.#level = this.#level === 0 ? 1 : 0;
      edge.level = this.#level;
      this.#edgeTimer = setTimeout(() => {
        edge.lost += 1;
        this.#nextEdge();
      }, edgePatienceMs);
      edge.atMs = monotonicMs();
      this.#front.produce(Uint8Array.of(digitalMessage, this.#level << edgePin, 0));
    }, edge.intervalMs + jitterMs);
  }

  #execute(bytes: Uint8Array): void {
    this.#firmata.receive(monotonicMs(), bytes);
    this.#planFirmata();
    const edge = this.#edge;
    if (edge === null || edge.atMs === 0) return;
    const pin = this.#firmata.pins.all.find(({ number }) => number === answerPin);
    if (pin?.value !== edge.level) return;
    edge.latencies.push(this.#arrivedAtMs - edge.atMs);
    edge.atMs = 0;
    clearTimeout(this.#edgeTimer!);
    this.#nextEdge();
  }

  /** Values of one analog channel, as many a millisecond as the rate has come to. */
  #stream(valuesPerSecond: number, durationMs: number): void {
    const beganMs = monotonicMs();
    const lostBefore = this.#lost;
    let sent = 0;
    const tick = (): void => {
      const elapsedMs = monotonicMs() - beganMs;
      const due = Math.floor((Math.min(elapsedMs, durationMs) * valuesPerSecond) / 1000);
      for (; sent < due; sent++)
        this.#front.produce(Uint8Array.of(analogMessage, sent & 0x7f, (sent >> 7) & 7));
      if (elapsedMs >= durationMs)
        this.#say({ kind: 'stream', sent, lostBytes: this.#lost - lostBefore, elapsedMs });
      else if (valuesPerSecond <= timerRateMax) this.#streamTimer = setTimeout(tick, 1);
      else {
        // One by one, as a sensor gives them: values that leave together are one turn of the program.
        Atomics.wait(word, 0, 0, 1000 / valuesPerSecond);
        this.#streamTimer = setImmediate(tick) as unknown as NodeJS.Timeout;
      }
    };
    tick();
  }

  #transmit(port: DevicePort, bytes: Uint8Array): void {
    if (this.#options.baudRate === 0) {
      this.#terminals[port].write(bytes);
      return;
    }
    const atMs = this.#toController[port].arrivalOf(monotonicMs(), bytes.length);
    this.#underWay.push({ port, bytes: bytes.slice(), atMs });
    this.#planDelivery();
  }

  #planDelivery(): void {
    const next = this.#underWay.toSorted((left, right) => left.atMs - right.atMs)[0];
    if (next === undefined || this.#deliveryTimer !== null) return;
    const waitMs = next.atMs - monotonicMs() - timerSlackMs;
    const deliver = (): void => {
      this.#deliveryTimer = null;
      const restMs = next.atMs - monotonicMs();
      if (restMs > 0) Atomics.wait(word, 0, 0, restMs);
      this.#underWay.splice(this.#underWay.indexOf(next), 1);
      this.#terminals[next.port].write(next.bytes);
      this.#planDelivery();
    };
    if (waitMs > 0) this.#deliveryTimer = setTimeout(deliver, Math.max(1, Math.floor(waitMs)));
    else this.#deliveryTimer = setImmediate(deliver) as unknown as NodeJS.Timeout;
  }

  #planFirmata(): void {
    if (this.#options.plant === 'none' || this.#firmataTimer !== null) return;
    const at = this.#firmata.nextWakeAt;
    if (at === null) return;
    this.#firmataTimer = setTimeout(
      () => {
        this.#firmataTimer = null;
        this.#firmata.tick(monotonicMs());
        this.#planFirmata();
      },
      Math.max(1, Math.ceil(at - monotonicMs())),
    );
  }
}

const device = new MeasuringDevice(JSON.parse(process.argv[2] ?? '{}') as MeasuringDeviceOptions, (report) =>
  process.send?.(report),
);
process.on('message', (order: DeviceOrder) => device.order(order));
process.once('disconnect', () => {
  device.stop();
  process.exit(0);
});
