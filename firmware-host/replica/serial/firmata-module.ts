/** The module `firmata`: the real firmata-io, bound to the replica's serial ports. */
import { createRequire } from 'node:module';
import type { SerialPortModule } from './serialport-module.ts';

/**
 * firmata-io waits 5,000 ms for an unsolicited version message before it asks. A device behind the pair has
 * been running since long before the program opens its port, so it has nothing unsolicited to say.
 */
const reportVersionTimeoutMs = 500;

type Constructor = new (port: unknown, options: object, callback?: unknown) => object;

/** Loads firmata-io: call it after the globals are interposed. */
export function createFirmataModule(serialPort: SerialPortModule): unknown {
  const require = createRequire(import.meta.url);
  const bind = require('firmata-io') as ((transport: unknown) => Constructor) & { Firmata: Constructor };
  const Firmata = bind(serialPort);
  class Board extends Firmata {
    constructor(port: unknown, options?: unknown, callback?: unknown) {
      const [given, ready] = typeof options === 'function' ? [{}, options] : [options ?? {}, callback];
      super(port, { reportVersionTimeout: reportVersionTimeoutMs, ...(given as object) }, ready);
    }
  }
  return Object.assign(Board, { Board, Firmata: Board, default: Board });
}
