/**
 * The module `serialport` as control programs require it, in both shapes at once: that of version 13
 * (`{ SerialPort, ReadlineParser, ... }`) and that of version 8, which johnny-five 2.1 and firmata use
 * (`new SerialPort(path, options, callback)`, static `list()` and `parsers`). The stream and the parsers are
 * the real packages; only the binding is ours.
 */
import { createRequire } from 'node:module';
import type { BindingInterface } from '@serialport/bindings-interface';

type Callback = (error: Error | null) => void;
type Constructor = new (...values: never[]) => object;

/** Version 8 opened at this speed when none was named. */
const defaultBaudRate = 9600;

const parserPackages = [
  '@serialport/parser-byte-length',
  '@serialport/parser-cctalk',
  '@serialport/parser-delimiter',
  '@serialport/parser-inter-byte-timeout',
  '@serialport/parser-packet-length',
  '@serialport/parser-readline',
  '@serialport/parser-ready',
  '@serialport/parser-regex',
  '@serialport/parser-slip-encoder',
  '@serialport/parser-spacepacket',
];

export interface SerialPortModule {
  new (path: string, options?: object | Callback, callback?: Callback): object;
  new (options: object, callback?: Callback): object;
  list(): Promise<{ path: string }[]>;
  binding: BindingInterface;
  parsers: Record<string, Constructor>;
  SerialPort: SerialPortModule;
}

/** Loads the packages: call it after the globals are interposed, for they capture timers. */
export function createSerialPortModule(binding: BindingInterface): SerialPortModule {
  const require = createRequire(import.meta.url);
  const { SerialPortStream, DisconnectedError } = require('@serialport/stream') as {
    SerialPortStream: Constructor;
    DisconnectedError: Constructor;
  };

  function SerialPort(first: unknown, second?: unknown, third?: unknown): unknown {
    const target =
      (new.target as unknown as Constructor | undefined) ?? (SerialPort as unknown as Constructor);
    if (typeof first !== 'string') {
      return Reflect.construct(SerialPortStream, [{ binding, ...(first as object) }, second], target);
    }
    const [options, callback] = typeof second === 'function' ? [{}, second] : [second ?? {}, third];
    const settings = { binding, baudRate: defaultBaudRate, ...(options as object), path: first };
    return Reflect.construct(SerialPortStream, [settings, callback], target);
  }
  Object.setPrototypeOf(SerialPort, SerialPortStream);
  SerialPort.prototype = Object.create(SerialPortStream.prototype, {
    constructor: { value: SerialPort, writable: true, configurable: true },
  });

  const parsers: Record<string, Constructor> = {};
  for (const name of parserPackages) {
    for (const [exported, value] of Object.entries(require(name) as Record<string, Constructor>)) {
      Object.assign(SerialPort, { [exported]: value });
      if (exported.endsWith('Parser')) parsers[exported.slice(0, -'Parser'.length)] = value;
    }
  }
  const members = { list: () => binding.list(), binding, Binding: binding, parsers, DisconnectedError };
  return Object.assign(SerialPort, members, {
    SerialPort,
    default: SerialPort,
  }) as unknown as SerialPortModule;
}

/** `SerialPortMock` of the module: the stream over the package's own mock binding, needed by tests only. */
export function addSerialPortMock(module: SerialPortModule): void {
  const require = createRequire(import.meta.url);
  Object.defineProperty(module, 'SerialPortMock', {
    configurable: true,
    enumerable: true,
    get: () => {
      const { MockBinding } = require('@serialport/binding-mock') as { MockBinding: BindingInterface };
      return class SerialPortMock extends (module as unknown as new (options: object) => object) {
        static binding = MockBinding;
        static list = MockBinding.list;
        constructor(options: object) {
          super({ binding: MockBinding, ...options });
        }
      };
    },
  });
}
