/**
 * As much of MQTT 3.1.1 (OASIS, 2014) as a warm standby needs: CONNECT with a last will (§3.1), SUBSCRIBE (§3.8), PUBLISH at
 * QoS 0 (§3.3) and PINGREQ (§3.12). A package would bring more than the contestant that it is for.
 */
import { createConnection, type Socket } from 'node:net';

const packet = {
  connect: 1,
  connack: 2,
  publish: 3,
  subscribe: 8,
  suback: 9,
  pingRequest: 12,
  disconnect: 14,
} as const;
const protocolLevel = 4;
const flags = { cleanSession: 0x02, will: 0x04 } as const;
const lengthBytesMax = 4;

export interface MqttOptions {
  port: number;
  clientId: string;
  /** The broker calls a client dead after one and a half times this silence (§3.1.2.10). */
  keepAliveS: number;
  will: { topic: string; text: string };
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** Type, flags, remaining length in groups of seven bits (§2.2.3), body. */
export function encodePacket(type: number, low: number, ...body: Buffer[]): Buffer {
  const content = Buffer.concat(body);
  const head = [(type << 4) | low];
  let rest = content.length;
  do {
    head.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), content]);
}

/** Null: not all of it is there. Throws when the length breaks §2.2.3. */
export function decodePacket(bytes: Buffer): { type: number; body: Buffer; taken: number } | null {
  let length = 0;
  for (let index = 1; index <= lengthBytesMax; index++) {
    const byte = bytes[index];
    if (byte === undefined) return null;
    length |= (byte & 0x7f) << (7 * (index - 1));
    if (byte < 0x80) {
      const taken = 1 + index + length;
      if (bytes.length < taken) return null;
      return { type: bytes[0]! >> 4, body: bytes.subarray(1 + index, taken), taken };
    }
  }
  throw new Error('MQTT §2.2.3: a remaining length of more than four bytes');
}

export class MqttClient {
  readonly #socket: Socket;
  #waiting: Buffer = Buffer.alloc(0);
  #pings: NodeJS.Timeout | null = null;
  #answers: ((type: number, body: Buffer) => void)[] = [];
  onMessage: (topic: string, text: string) => void = () => {};

  private constructor(options: MqttOptions) {
    this.#socket = createConnection(options.port, '127.0.0.1').setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#take(chunk));
  }

  static async connect(options: MqttOptions): Promise<MqttClient> {
    const client = new MqttClient(options);
    await new Promise<void>((resolve, reject) => {
      client.#socket.once('connect', resolve);
      client.#socket.once('error', reject);
    });
    const { clientId, keepAliveS, will } = options;
    const variable = Buffer.from([
      protocolLevel,
      flags.cleanSession | flags.will,
      keepAliveS >> 8,
      keepAliveS & 0xff,
    ]);
    client.#socket.write(
      encodePacket(
        packet.connect,
        0,
        text('MQTT'),
        variable,
        text(clientId),
        text(will.topic),
        text(will.text),
      ),
    );
    const body = await client.#answer(packet.connack);
    if (body[1] !== 0) throw new Error(`the MQTT broker refused the connection with code ${body[1]}`);
    client.#pings = setInterval(
      () => client.#socket.write(encodePacket(packet.pingRequest, 0)),
      (keepAliveS * 1000) / 2,
    );
    return client;
  }

  #answer(wanted: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#socket.once('close', () => reject(new Error('the MQTT broker closed the connection')));
      this.#answers.push((type, body) => {
        if (type === wanted) resolve(body);
      });
    });
  }

  #take(chunk: Buffer): void {
    this.#waiting = Buffer.concat([this.#waiting, chunk]);
    for (let next = decodePacket(this.#waiting); next !== null; next = decodePacket(this.#waiting)) {
      this.#waiting = this.#waiting.subarray(next.taken);
      const { type, body } = next;
      if (type === packet.publish) {
        const topicBytes = body.readUInt16BE(0);
        this.onMessage(body.toString('utf8', 2, 2 + topicBytes), body.toString('utf8', 2 + topicBytes));
      } else for (const answer of this.#answers) answer(type, body);
    }
  }

  async subscribe(topic: string): Promise<void> {
    const answered = this.#answer(packet.suback);
    this.#socket.write(encodePacket(packet.subscribe, 2, Buffer.from([0, 1]), text(topic), Buffer.from([0])));
    await answered;
  }

  /** Resolves when it is handed to the kernel. */
  publish(topic: string, message: string): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(encodePacket(packet.publish, 0, text(topic), Buffer.from(message)), () => resolve());
    });
  }

  /** In good order: the broker forgets the will (§3.14). */
  end(): Promise<void> {
    if (this.#pings !== null) clearInterval(this.#pings);
    return new Promise((resolve) => this.#socket.end(encodePacket(packet.disconnect, 0), () => resolve()));
  }
}
