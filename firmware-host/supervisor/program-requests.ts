/**
 * Carries out what the program asks of its ports: open, close, drain, settings, the list of ports.
 *
 *   turn with a request -> asked -> (gate lets it out) -> begin -> `completed` event -> turn -> completed
 *
 * Both boards keep the list of what was asked (`requests.ts`), only the one that leads carries it out. A request that
 * cannot be answered yet (the port is not open here, the device has not confirmed) is looked at again before each turn.
 */
import type { ReplicaEvent, RequestOutput } from '../../protocol/record.ts';
import type { CoreState } from './core-state.ts';
import type { DeviceStream } from './device-stream.ts';
import type { Parts } from './parts.ts';
import { type OpenRequest, portSettingsOf, Requests } from './requests.ts';

type Others = Pick<Parts, 'gate'>;

export class ProgramRequests {
  readonly #core: CoreState;
  readonly #parts: Others;
  readonly #requests = new Requests();

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  /** A new history: nothing was asked. */
  reset(): void {
    this.#requests.clear();
  }

  /** A new reign: whatever was begun elsewhere has to be done here. */
  restart(): void {
    this.#requests.restart();
  }

  /** The device on which the program has opened this port, or null for none of the pair's. */
  streamOf(port: number): DeviceStream | null {
    const device = this.#requests.deviceOf(port);
    return device === null ? null : this.#core.streams[device]!;
  }

  /** The port of this device that the program is about to hear is open; null for none. */
  portBeingOpened(stream: DeviceStream): number | null {
    return this.#requests.portBeingOpened(stream.index);
  }

  get asksToOpen(): boolean {
    return [...this.#requests.outstanding()].some((request) => request.operation === 'open');
  }

  /** The program's turn had this request among its outputs. */
  asked(turn: number, request: RequestOutput): void {
    if (request.operation === 'open') this.#bindPort(request.port, portSettingsOf(request).path);
    this.#requests.add(turn, request, this.streamOf(request.port)?.produced ?? 0);
  }

  #bindPort(port: number, path: string): void {
    const stream = this.#core.streams.find((each) => each.options.name === path);
    if (stream !== undefined) this.#requests.bind(port, stream.index);
  }

  /** The program has been told the answer. */
  completed(event: Extract<ReplicaEvent, { kind: 'completed' }>): void {
    const request = this.#requests.completed(event.request);
    const stream = request === undefined ? null : this.streamOf(request.port);
    if (request === undefined || stream === null || !event.ok) return;
    if (request.operation === 'open') {
      stream.port = request.port;
      stream.portOpen = true;
    } else if (request.operation === 'close' && stream.port === request.port) stream.portOpen = false;
  }

  /** Carries out what the gate has let through and what is still to be begun. */
  begin(): void {
    for (const request of this.#requests.outstanding()) {
      if (request.turn >= this.#parts.gate.releasedTurns) break;
      this.#carryOut(request);
    }
  }

  #carryOut(request: OpenRequest): void {
    const stream = this.streamOf(request.port);
    if (request.operation === 'list') {
      this.#answer(request, true, this.#core.options.start.ports);
      return;
    }
    if (request.operation === 'open') {
      this.#openPort(request, stream);
      return;
    }
    if (stream === null) {
      this.#answer(request, false, { message: 'Port is not open' });
      return;
    }
    if (request.operation === 'drain') {
      if (stream.confirmed >= request.offset || !stream.portOpen) this.#answer(request, true, null);
      return;
    }
    if (request.operation === 'update' || request.operation === 'set') this.#configure(request, stream);
    request.begun = true;
    this.#answer(request, true, request.operation === 'get' ? { cts: true, dsr: true, dcd: true } : null);
  }

  #openPort(request: OpenRequest, stream: DeviceStream | null): void {
    const { path } = portSettingsOf(request);
    if (stream === null) {
      const text = `No such file or directory, cannot open ${path}`;
      this.#answer(request, false, { message: `Error: ${text}` });
      this.#core.report('warning', 'PORT_UNKNOWN', `the program opens ${path}, which is not in the config`);
      return;
    }
    if (stream.portOpen) {
      this.#answer(request, false, { message: `Error: Resource temporarily unavailable Cannot lock port` });
      return;
    }
    if (!stream.opened || (stream.controller !== null && !stream.attached)) return;
    this.#configure(request, stream);
    request.begun = true;
    this.#answer(request, true, null);
  }

  /** A plain device's line takes the program's settings; the line to a fenced one is the pair's own. */
  #configure(request: OpenRequest, stream: DeviceStream): void {
    if (request.begun || stream.controller !== null) return;
    this.#core.emit({ kind: 'device-configure', device: stream.index, settings: request.argument });
  }

  #answer(request: OpenRequest, ok: boolean, result: unknown): void {
    request.answered = true;
    this.#core.runner.events.push({
      kind: 'completed',
      request: request.request,
      ok,
      result: JSON.stringify(result ?? null),
    });
  }
}
