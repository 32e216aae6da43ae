import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { decodePacket, encodePacket, MqttClient } from './mqtt-client.ts';

let server: Server | null = null;
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.close();
  server = null;
});

test('remaining lengths take one byte to 127 and two from 128 on (§2.2.3)', () => {
  expect([...encodePacket(12, 0)]).toEqual([0xc0, 0]);
  expect([...encodePacket(3, 0, Buffer.alloc(127))].slice(0, 2)).toEqual([0x30, 127]);
  expect([...encodePacket(3, 0, Buffer.alloc(128))].slice(0, 3)).toEqual([0x30, 0x80, 1]);
});

test('a packet in pieces is none until all of it is there', () => {
  const packet = encodePacket(3, 0, Buffer.alloc(200, 7));
  for (let length = 0; length < packet.length; length++)
    expect(decodePacket(packet.subarray(0, length))).toBeNull();
  expect(decodePacket(Buffer.concat([packet, Buffer.from([1])]))).toMatchObject({
    type: 3,
    taken: packet.length,
  });
});

test('a length of five bytes is refused', () => {
  expect(() => decodePacket(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1]))).toThrow('§2.2.3');
});

/** Answers CONNECT with a code and SUBSCRIBE with a message on the topic. */
async function broker(connectCode: number, heard: Buffer[]): Promise<number> {
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (bytes) => {
      heard.push(bytes);
      const type = bytes[0]! >> 4;
      if (type === 1) socket.write(encodePacket(2, 0, Buffer.from([0, connectCode])));
      if (type === 8) {
        socket.write(encodePacket(9, 0, Buffer.from([0, 1, 0])));
        socket.write(encodePacket(3, 0, Buffer.from([0, 3]), Buffer.from('a/blost')));
      }
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

const will = { topic: 't', text: 'lost' };

test('CONNECT carries the will and the keep-alive; a message on the topic is heard', async () => {
  const heard: Buffer[] = [];
  const port = await broker(0, heard);
  const client = await MqttClient.connect({ port, clientId: 'a', keepAliveS: 1, will });
  const connect = [0x10, 22, 0, 4, ...Buffer.from('MQTT'), 4, 0x06, 0, 1];
  expect([...heard[0]!]).toEqual([...connect, 0, 1, 0x61, 0, 1, 0x74, 0, 4, ...Buffer.from('lost')]);
  const message = new Promise((resolve) => {
    client.onMessage = (topic, text) => resolve([topic, text]);
  });
  await client.subscribe('a/b');
  expect(await message).toEqual(['a/b', 'lost']);
  await client.end();
});

test('a broker that refuses is an error with its code', async () => {
  const port = await broker(5, []);
  await expect(MqttClient.connect({ port, clientId: 'a', keepAliveS: 1, will })).rejects.toThrow('code 5');
});
