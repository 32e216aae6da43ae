/** The speaking process of a heartbeat trial (heartbeat-trial.ts): a datagram a channel and interval, until it is ended. */
import { createSocket } from 'node:dgram';

const { port, channels } = JSON.parse(process.argv[2] ?? '{}') as {
  port: number;
  channels: { intervalMs: number }[];
};
const socket = createSocket('udp4');
socket.connect(port, '127.0.0.1', () => {
  for (const [index, { intervalMs }] of channels.entries()) {
    const heartbeat = Uint8Array.of(index);
    // The receiver may be gone: that ends us too, but not as an error.
    setInterval(() => socket.send(heartbeat, () => {}), intervalMs);
  }
});
socket.on('error', () => {});
process.once('disconnect', () => process.exit(0));
