/** The pins of every device, from what passes between the supervisor and the replica: see `firmata-pins.ts`. */
import { decodeOutputs } from '../../protocol/record.ts';
import type { SeenByReplica } from '../supervisor/host.ts';
import type { PinOnConsole } from './console-schema.ts';
import { FirmataPins } from './firmata-pins.ts';

export class DevicePins {
  readonly #names: ReadonlySet<string>;
  /** By port number: on a backup a port's input may be seen before the output that opened it. */
  readonly #ports = new Map<number, FirmataPins>();
  /** The port number under which the program has opened each device. */
  readonly #portOf = new Map<string, number>();

  /** `devices`: the paths under which the program knows them. */
  constructor(devices: readonly string[]) {
    this.#names = new Set(devices);
  }

  see(seen: SeenByReplica): void {
    switch (seen.kind) {
      case 'started':
        this.#ports.clear();
        this.#portOf.clear();
        return;
      case 'input':
        this.#at(seen.port).received(seen.bytes);
        return;
      case 'outputs':
        return this.#outputs(seen.outputs);
    }
  }

  #outputs(encoded: Uint8Array): void {
    for (const output of decodeOutputs(encoded)) {
      if (output.kind === 'write') this.#at(output.port).written(output.bytes);
      else if (output.kind === 'request' && output.operation === 'open')
        this.#opened(output.port, output.argument);
    }
  }

  #opened(port: number, argument: string): void {
    const { path } = JSON.parse(argument) as { path?: unknown };
    if (typeof path === 'string' && this.#names.has(path)) this.#portOf.set(path, port);
  }

  #at(port: number): FirmataPins {
    let pins = this.#ports.get(port);
    if (pins === undefined) {
      pins = new FirmataPins();
      this.#ports.set(port, pins);
    }
    return pins;
  }

  of(device: string): PinOnConsole[] {
    const port = this.#portOf.get(device);
    return port === undefined ? [] : (this.#ports.get(port)?.list() ?? []);
  }
}
