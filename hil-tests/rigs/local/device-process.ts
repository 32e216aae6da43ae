/**
 * A simulated device as a process: two UARTs on pseudo-terminals, the fence, Firmata, and a plant to control.
 *
 *     board a: serialport --> pseudo-terminal --> fence --> Firmata --> pins --> plant
 *     board b: serialport --> pseudo-terminal ----'
 *
 * Run: `node hil-tests/rigs/local/device-process.ts --options '{"plant":"water-tank","holdTimeMs":1000}'`. Prints events
 * (device-events.ts) and takes commands (device-options.ts), one JSON object a line. Ends with a summary and exit code
 * 0 on SIGTERM, SIGINT, `{"command":"stop"}` or the end of its input; with 2 when the options are wrong.
 */
import process from 'node:process';
import { mega2560Profile } from '../../../boards/mega-2560/profile.ts';
import { Bench } from '../../../boards/plants/bench.ts';
import { attachBenchParts } from '../../../boards/plants/bench-parts.ts';
import type { Plant } from '../../../boards/plants/plant.ts';
import { WaterTank } from '../../../boards/plants/water-tank.ts';
import { pinModes } from '../../../boards/profile.ts';
import { SimulatedFirmata } from '../../../boards/simulated/firmata.ts';
import { unoProfile } from '../../../boards/uno/profile.ts';
import type { DevicePort } from '../../../protocol/device-stream/device.ts';
import { DeviceClock } from './device-clock.ts';
import { deviceOptionsFrom, obeyDeviceCommands, tellDeviceEvents } from './device-command-line.ts';
import { type DeviceEvent, monotonicMs } from './device-events.ts';
import type { DeviceFront, FrontSurroundings } from './device-front.ts';
import {
  type DeviceCommand,
  type DeviceOptions,
  deviceCommandSchema,
  deviceOptionsSchema,
} from './device-options.ts';
import { DeviceUart } from './device-uart.ts';
import { FencedFront } from './fenced-front.ts';
import { OutputLedger } from './output-ledger.ts';
import { PlainFront } from './plain-front.ts';

const outputModes: ReadonlySet<number> = new Set([
  pinModes.output,
  pinModes.pwm,
  pinModes.servo,
  pinModes.stepper,
]);

export class DeviceProcess {
  readonly #options: DeviceOptions;
  readonly #emit: (event: DeviceEvent) => void;
  readonly #ledger = new OutputLedger();
  readonly #plant: Plant | null;
  readonly #firmata: SimulatedFirmata;
  readonly #uarts: readonly [DeviceUart, DeviceUart];
  readonly #front: DeviceFront;
  readonly #clock = new DeviceClock(monotonicMs);
  readonly #reports: NodeJS.Timeout;
  #firmataTimer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: DeviceOptions, emit: (event: DeviceEvent) => void) {
    this.#options = options;
    this.#emit = emit;
    this.#plant = plantOf(options);
    const profile = options.board === 'uno' ? unoProfile : mega2560Profile;
    this.#firmata = new SimulatedFirmata({
      profile,
      ...(this.#plant === null ? {} : { plant: this.#plant }),
    });
    if (options.plant === 'bench') attachBenchParts(this.#firmata);
    this.#uarts = [this.#uart(0), this.#uart(1)];
    const surroundings: FrontSurroundings = {
      clock: () => this.#clock.now(),
      emit,
      ledger: this.#ledger,
      transmit: (port, bytes) => this.#uarts[port].write(bytes),
      execute: (bytes) => {
        this.#firmata.receive(monotonicMs(), bytes);
        this.#planFirmata();
      },
      driveSafe: () => {
        this.#firmata.reset(monotonicMs());
        this.#firmata.safeState(monotonicMs());
        this.#planFirmata();
      },
    };
    const announce = () => this.#firmata.opened(monotonicMs());
    this.#front =
      options.mode === 'fenced'
        ? new FencedFront(surroundings, options)
        : new PlainFront(surroundings, announce);
    this.#firmata.onTransmit = (bytes) => this.#front.produce(bytes);
    const paths: [string, string] = [this.#uarts[0].path, this.#uarts[1].path];
    const { session, term } = this.#front;
    emit({ event: 'ready', mode: options.mode, paths, session, term });
    this.#front.start();
    // In fenced mode the announcement waits in the ring for whoever attaches first.
    if (options.mode === 'fenced') announce();
    this.#planFirmata();
    this.#reports = setInterval(() => this.#report(), options.reportIntervalMs);
  }

  command(command: DeviceCommand): void {
    switch (command.command) {
      case 'restart':
        for (const uart of this.#uarts) uart.clear();
        this.#front.restart();
        return;
      case 'plant':
        if (this.#plant instanceof WaterTank) this.#plant.pressButton(command.durationMs);
        else this.#emit({ event: 'bad-command', reason: 'only the water tank has a push button to press' });
        return;
      case 'close-port':
        this.#uarts[command.port as DevicePort].close();
        this.#emit({ event: 'port', port: command.port, path: '', open: false });
        return;
      case 'open-port': {
        const uart = this.#uarts[command.port as DevicePort];
        uart.open();
        this.#emit({ event: 'port', port: command.port, path: uart.path, open: true });
        return;
      }
      case 'send-string':
        this.#firmata.sendString(command.text);
        return;
      case 'stop':
        this.stop();
        return;
    }
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#reports);
    if (this.#firmataTimer !== null) clearTimeout(this.#firmataTimer);
    this.#front.stop();
    this.#clock.stop();
    for (const uart of this.#uarts) uart.close();
    this.#emit({ event: 'summary', ...this.#ledger.summary(this.#effects) });
  }

  get #effects(): { count: number; digest: number } {
    const { count, digest } = this.#firmata.tracer;
    return { count, digest };
  }

  #uart(port: DevicePort): DeviceUart {
    const linkPath = this.#options.linkPaths?.[port];
    return new DeviceUart({
      baudRate: this.#options.baudRate,
      ...(linkPath === undefined ? {} : { linkPath }),
      clock: monotonicMs,
      receive: (bytes) => this.#front.receive(port, bytes),
      opened: () => this.#front.opened(port),
      wrongSpeed: (baudRate) => this.#emit({ event: 'wrong-speed', port, baudRate }),
    });
  }

  #planFirmata(): void {
    if (this.#firmataTimer !== null) clearTimeout(this.#firmataTimer);
    this.#firmataTimer = null;
    const at = this.#firmata.nextWakeAt;
    if (at === null || this.#stopped) return;
    const delayMs = Math.max(1, Math.ceil(at - monotonicMs()));
    this.#firmataTimer = setTimeout(() => {
      this.#firmata.tick(monotonicMs());
      this.#planFirmata();
    }, delayMs);
  }

  #report(): void {
    for (const uart of this.#uarts) uart.poll();
    const pins = this.#firmata.pins.all
      .filter((pin) => outputModes.has(pin.mode))
      .map((pin) => ({ pin: pin.number, mode: pin.mode, value: pin.value, level: pin.level }));
    this.#emit({ event: 'state', pins, plant: this.#plant?.state() ?? {}, effects: this.#effects });
  }
}

function plantOf(options: DeviceOptions): Plant | null {
  switch (options.plant) {
    case 'water-tank':
      return new WaterTank({ seed: options.seed });
    case 'bench':
      return new Bench({ seed: options.seed });
    case 'none':
      return null;
  }
}

function main(): void {
  const options = deviceOptionsFrom(process.argv.slice(2), deviceOptionsSchema);
  if (options === null) return;
  const emit = tellDeviceEvents();
  const device = new DeviceProcess(options, emit);
  obeyDeviceCommands(deviceCommandSchema, device, emit);
}

if (import.meta.main) main();
