/** A device without a fence: StandardFirmata whose one UART both boards are wired to. Whoever writes is obeyed. */
import type { DevicePort } from '../../../protocol/device-stream/device.ts';
import type { DeviceFront, FrontSurroundings } from './device-front.ts';

export class PlainFront implements DeviceFront {
  readonly #surroundings: FrontSurroundings;
  readonly #announce: () => void;
  session = 1;
  readonly term = 0;
  #lastPort: DevicePort | null = null;

  /** `announce`: the reset that opening the port of such a board causes, without the loss of its state. */
  constructor(surroundings: FrontSurroundings, announce: () => void) {
    this.#surroundings = surroundings;
    this.#announce = announce;
  }

  start(): void {
    this.#beginSession();
  }

  receive(port: DevicePort, bytes: Uint8Array): void {
    const { ledger, emit, execute } = this.#surroundings;
    if (this.#lastPort !== null && this.#lastPort !== port) ledger.takeovers += 1;
    this.#lastPort = port;
    const offset = ledger.output(port, bytes);
    const base64 = Buffer.from(bytes).toString('base64');
    emit({ event: 'output', port, term: 0, session: this.session, offset, base64 });
    execute(bytes);
  }

  produce(bytes: Uint8Array): void {
    this.#surroundings.ledger.inputBytes += bytes.length;
    this.#surroundings.transmit(0, bytes);
    this.#surroundings.transmit(1, bytes);
  }

  opened(): void {
    this.#announce();
  }

  restart(): void {
    this.session += 1;
    this.#beginSession();
    this.#surroundings.driveSafe();
  }

  stop(): void {}

  #beginSession(): void {
    this.#surroundings.ledger.beginSession(this.session);
    this.#surroundings.emit({ event: 'session', session: this.session, term: 0 });
  }
}
