/** The Ethernet link's own end: may this address be bound here? */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { SocketAddress } from '../../firmware-host/config/config.ts';
import { type Check, missing, ok, warning } from './check.ts';

/** Whether the address belongs to this machine; any-address does on every machine. */
export function isLocal(address: string): boolean {
  const bare = address.replace(/%.*$/, '');
  if (bare === '0.0.0.0' || bare === '::' || bare.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some(
    (each) => each?.some((one) => one.address === bare) ?? false,
  );
}

export async function checkListen(board: string, { address, port }: SocketAddress): Promise<Check> {
  const id = `udp:${address}:${port}`;
  const what = `Ethernet link of board ${board}`;
  const code = await bindError(address, port);
  switch (code) {
    case null:
      return ok(id, `${what}: can be bound`);
    case 'EADDRINUSE':
      return warning(id, `${what}: in use`, 'Right if the board runs; if not, choose another port.');
    case 'EADDRNOTAVAIL':
      return missing(
        id,
        `${what}: no interface has this address`,
        'Set it (nmcli, dhcpcd.conf), or is the cable out?',
      );
    case 'EACCES':
      return missing(id, `${what}: not permitted`, 'Choose a port above 1023.');
    default:
      return missing(id, `${what}: ${code}`, 'Check boards.<a|b>.ethernet.listen.');
  }
}

function bindError(address: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address.replace(/%.*$/, '')) ? 'udp6' : 'udp4');
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(error.code ?? error.message);
    });
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(null)));
  });
}
