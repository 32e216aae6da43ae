/**
 * The real johnny-five on the real firmata-io, bound to a simulated device in the same process. For tests only.
 *
 * It runs in real time, because johnny-five's display drivers spin on `process.hrtime` and `temporal` polls it;
 * tests wait for the event that they are about, with a deadline, never for time to pass. A rig lives until the
 * test file ends: johnny-five has no way to stop a program, and firmata-io throws when a device falls silent.
 */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { SimulatedFirmata, type SimulatedFirmataOptions } from './firmata.ts';

const require = createRequire(import.meta.url);

/**
 * A fresh johnny-five: it keeps its boards for the life of the module and gives every component without a board
 * the first of them.
 */
function freshPackages() {
  for (const path of Object.keys(require.cache)) {
    if (/node_modules\/(johnny-five|firmata-io)\//.test(path)) delete require.cache[path];
  }
  return { five: require('johnny-five'), bindTransport: require('firmata-io') };
}

const deadlineMs = 8_000;

/** What firmata-io wants of a serial port, with a device at the other end. */
class DeviceTransport extends EventEmitter {
  readonly #device: SimulatedFirmata;
  #timer: ReturnType<typeof setTimeout> | null = null;

  static list(): Promise<{ path: string }[]> {
    return Promise.resolve([]);
  }

  constructor(device: SimulatedFirmata) {
    super();
    this.#device = device;
    device.onTransmit = (bytes) => {
      // As a serial port does, and so that the program is never called from within its own call.
      setImmediate(() => {
        this.emit('data', Buffer.from(bytes));
      });
    };
    setImmediate(() => {
      this.emit('open');
      device.opened(performance.now());
      this.#arm();
    });
  }

  write(bytes: Uint8Array, callback?: () => void): void {
    this.#device.receive(performance.now(), bytes);
    this.#arm();
    if (callback !== undefined) setImmediate(callback);
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const wakeAt = this.#device.nextWakeAt;
    if (wakeAt === null) return;
    this.#timer = setTimeout(
      () => {
        this.#device.tick(performance.now());
        this.#arm();
      },
      Math.max(0, Math.ceil(wakeAt - performance.now())),
    );
  }
}

export interface Rig {
  device: SimulatedFirmata;
  /** Untyped, like `board` and `io`: a test uses what johnny-five's documentation names. */
  // biome-ignore lint/suspicious/noExplicitAny: untyped package
  five: any;
  // biome-ignore lint/suspicious/noExplicitAny: untyped package
  board: any;
  // biome-ignore lint/suspicious/noExplicitAny: untyped package
  io: any;
}

/** A device with a board that is ready. */
export async function startRig(options: SimulatedFirmataOptions): Promise<Rig> {
  const { five, bindTransport } = freshPackages();
  const device = new SimulatedFirmata(options);
  const transport = new DeviceTransport(device);
  const Firmata = bindTransport(DeviceTransport);
  const io = new Firmata(transport, {});
  // johnny-five asks for the name to tell Firmata from other platforms (Pins.isFirmata).
  io.name = 'Firmata';
  const board = new five.Board({ io, repl: false, debug: false, sigint: false });
  await event(board, 'ready');
  return { device, five, board, io };
}

/** The first `name` event whose arguments satisfy `accept`. */
export function event<T extends unknown[] = unknown[]>(
  emitter: { on(name: string, listener: (...args: T) => void): unknown },
  name: string,
  accept: (...args: T) => boolean = () => true,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no such '${name}' event within ${deadlineMs} ms`)),
      deadlineMs,
    );
    let done = false;
    emitter.on(name, (...args: T) => {
      if (done || !accept(...args)) return;
      done = true;
      clearTimeout(timer);
      resolve(args);
    });
  });
}

/** The moment at which an effect on the device makes `condition` true; at once when it already is. */
export function reached(device: SimulatedFirmata, condition: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    if (condition()) {
      resolve();
      return;
    }
    const timer = setTimeout(() => reject(new Error(`not reached within ${deadlineMs} ms`)), deadlineMs);
    const before = device.tracer.onEffect;
    device.tracer.onEffect = (effect) => {
      before?.(effect);
      if (!condition()) return;
      device.tracer.onEffect = before;
      clearTimeout(timer);
      resolve();
    };
  });
}
