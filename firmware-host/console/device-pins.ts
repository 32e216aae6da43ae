/** The pins of every device, from what passes between the supervisor and the replica: see `firmata-pins.ts`. */
import { decodeOutputs } from '../../protocol/record.ts';
import type { SeenByReplica } from '../supervisor/host.ts';
import type { PinOnConsole } from './console-schema.ts';
import { FirmataPins } from './firmata-pins.ts';

export class DevicePins {
  readonly #pins: Map<string, FirmataPins>;
  /** The device that the program has opened under each of its port numbers. */
  readonly #devices = new Map<number, string>();

  /** `devices`: the paths under which the program knows them. */
  constructor(devices: readonly string[]) {
    this.#pins = new Map(devices.map((name) => [name, new FirmataPins()]));
  }

  see(seen: SeenByReplica): void {
    switch (seen.kind) {
      case 'started':
        this.#devices.clear();
        for (const name of this.#pins.keys()) this.#pins.set(name, new FirmataPins());
        return;
      case 'input':
        this.#of(seen.port)?.received(seen.bytes);
        return;
      case 'outputs':
        return this.#outputs(seen.outputs);
    }
  }

  #outputs(encoded: Uint8Array): void {
    for (const output of decodeOutputs(encoded)) {
      if (output.kind === 'write') this.#of(output.port)?.written(output.bytes);
      else if (output.kind === 'request' && output.operation === 'open')
        this.#opened(output.port, output.argument);
    }
  }

  #opened(port: number, argument: string): void {
    const { path } = JSON.parse(argument) as { path?: unknown };
    if (typeof path === 'string' && this.#pins.has(path)) this.#devices.set(port, path);
  }

  #of(port: number): FirmataPins | null {
    const device = this.#devices.get(port);
    return device === undefined ? null : (this.#pins.get(device) ?? null);
  }

  of(device: string): PinOnConsole[] {
    return this.#pins.get(device)?.list() ?? [];
  }
}
