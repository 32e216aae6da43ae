/**
 * Loaded before a control program that runs bare: without supervisors, in one process with the simulated device.
 *
 * ```
 * program -> johnny-five -> "firmata" ----+
 * program -> "serialport" 13 -------------+--> serialport's mock binding --> simulated devices
 * johnny-five, firmata -> "serialport" 8 -+
 * ```
 * johnny-five 2.1 and firmata 2.3 expect serialport 8, whose class takes `(path, options, callback)` and is itself the
 * export. Programs use serialport 13. So the name resolves by who asks. This is the run to compare the pair with: same
 * program, same device, nothing of ours in between.
 */
import assert from 'node:assert';
import { writeSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { type BareDevice, openDevices } from './devices.ts';
import type { BareNeeds } from './run.ts';

const reportDescriptor = 3;
const needs = JSON.parse(process.env.UNDERSTUDY_BARE_NEEDS ?? '') as BareNeeds;
delete process.env.UNDERSTUDY_BARE_NEEDS;

const require = createRequire(import.meta.url);
const serialport = require('serialport');
const { SerialPortStream } = require('@serialport/stream');
const mock = serialport.SerialPortMock.binding;
const devices = openDevices(needs);
for (const path of devices.keys()) mock.createPort(path, { echo: false, record: false });

function connect(
  path: string,
  port: { write(bytes: Buffer): Promise<void>; emitData(bytes: Buffer): void },
): void {
  const device = devices.get(path) as BareDevice;
  const write = port.write.bind(port);
  port.write = async (bytes) => {
    const copy = Buffer.from(bytes);
    await write(bytes);
    device.receive(copy);
    report();
  };
  device.start((bytes) => {
    assert(bytes.length > 0, 'a device sends at least a byte');
    port.emitData(Buffer.from(bytes));
  });
}

const binding = {
  list: () => Promise.resolve([...devices.keys()].map((path) => ({ path }))),
  async open(options: { path: string }) {
    const port = await mock.open(options);
    connect(options.path, port);
    return port;
  },
};

class SerialPort extends SerialPortStream {
  constructor(options: object, callback?: () => void) {
    super({ binding, ...options }, callback);
  }
  static list = binding.list;
}

class SerialPort8 extends SerialPortStream {
  constructor(path: string, options: object, callback?: () => void) {
    super({ binding, baudRate: 57_600, ...options, path }, callback);
  }
  static list = binding.list;
}

let reported = '';
/** One line, `outputs malformed`, whenever one of them has changed. */
function report(): void {
  let outputs = 0;
  let malformed = 0;
  for (const device of devices.values()) {
    outputs += device.outputCount();
    malformed += device.malformedCount();
  }
  const line = `${outputs} ${malformed}\n`;
  if (line !== reported) writeSync(reportDescriptor, line);
  reported = line;
}

const firmata = require('firmata-io')(SerialPort8);
const replaced: Record<string, unknown> = {
  'bare:firmata': firmata,
  'bare:serialport-8': SerialPort8,
  'bare:serialport-13': { ...serialport, SerialPort },
};
(globalThis as Record<symbol, unknown>)[Symbol.for('bare')] = replaced;

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'firmata') return { url: 'bare:firmata', format: 'commonjs', shortCircuit: true };
    if (specifier === 'serialport') {
      const old = /node_modules\/(johnny-five|firmata)\//.test(context.parentURL ?? '');
      return {
        url: old ? 'bare:serialport-8' : 'bare:serialport-13',
        format: 'commonjs',
        shortCircuit: true,
      };
    }
    return next(specifier, context);
  },
  load(url, context, next) {
    if (!(url in replaced)) return next(url, context);
    const source = `module.exports = globalThis[Symbol.for('bare')][${JSON.stringify(url)}];`;
    return { format: 'commonjs', source, shortCircuit: true };
  },
});
