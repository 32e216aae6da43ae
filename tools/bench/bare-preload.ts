/**
 * Loaded before a control program that runs bare on a real port: `johnny-five` and `firmata` as their packages are, on
 * serialport 13 in the manner of serialport 8, which is what johnny-five 2.1 expects. Nothing of ours is in between.
 *
 * `UNDERSTUDY_BARE_PORT`: what `/dev/ttyACM0` is for the program.
 */
import { createRequire, registerHooks } from 'node:module';

const require = createRequire(import.meta.url);
const serialport = require('serialport') as typeof import('serialport');
const portFile = process.env.UNDERSTUDY_BARE_PORT ?? '';
const baudRate = Number(process.env.UNDERSTUDY_BARE_BAUD_RATE ?? '57600');
const programPort = '/dev/ttyACM0';

class SerialPort8 extends serialport.SerialPort {
  constructor(_path: string, _options: object, callback?: (error: Error | null) => void) {
    super({ path: portFile, baudRate }, callback);
  }
  static override list = () => Promise.resolve([{ path: programPort }]) as never;
}

const firmata = require('firmata-io')(SerialPort8) as unknown;
const replaced: Record<string, unknown> = { 'bare:firmata': firmata, 'bare:serialport': SerialPort8 };
(globalThis as Record<symbol, unknown>)[Symbol.for('bare')] = replaced;

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'firmata' && specifier !== 'serialport') return next(specifier, context);
    return { url: `bare:${specifier}`, format: 'commonjs', shortCircuit: true };
  },
  load(url, context, next) {
    if (!(url in replaced)) return next(url, context);
    const source = `module.exports = globalThis[Symbol.for('bare')][${JSON.stringify(url)}];`;
    return { format: 'commonjs', source, shortCircuit: true };
  },
});
