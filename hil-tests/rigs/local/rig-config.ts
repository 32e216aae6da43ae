/** The pair.yaml of a local rig: an ordinary one, whose ports and addresses are the rig's cables. */
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { EthernetCable } from './ethernet-cable.ts';
import type { PlainDevice } from './plain-devices.ts';
import { type BoardName, type LocalRigOptions, other } from './rig-contract.ts';
import type { SerialCable } from './serial-cable.ts';

/** The path under which the program knows the rig's device. */
export const deviceName = '/dev/ttyACM0';

export interface RigParts {
  directory: string;
  serialCable: SerialCable;
  /** Null: the boards send to each other directly. */
  ethernetCable: EthernetCable | null;
  udpPorts: Record<BoardName, number>;
  /** The device's ports. */
  devicePorts: [string, string];
  plainDevices: readonly PlainDevice[];
}

export function stateDirectoryOf(directory: string, board: BoardName): string {
  return join(directory, `board-${board}`);
}

function consoleOf(options: LocalRigOptions, directory: string, board: BoardName): unknown {
  const socket = join(directory, `${board}.sock`);
  const ports = options.consolePorts?.[board];
  return ports === undefined ? socket : { socket, ports };
}

/** As YAML. */
export function pairConfig(
  options: LocalRigOptions,
  parts: RigParts,
  program: string,
  pairKey: string,
): string {
  const { timing, policy, journal, serialBaudRate: baudRate = 115_200 } = options;
  const { directory, serialCable, ethernetCable, udpPorts, devicePorts, plainDevices } = parts;
  const board = (name: BoardName): object => {
    const direct = { address: '127.0.0.1', port: udpPorts[other(name)] };
    const peer = (name === 'a' ? ethernetCable?.addressForA : ethernetCable?.addressForB) ?? direct;
    return {
      serial: { path: name === 'a' ? serialCable.pathA : serialCable.pathB, baudRate },
      ethernet: { listen: `127.0.0.1:${udpPorts[name]}`, peer: `${peer.address}:${peer.port}` },
      state: stateDirectoryOf(directory, name),
      console: consoleOf(options, directory, name),
    };
  };
  return stringify({
    program: resolve(program),
    ...(options.arguments === undefined ? {} : { arguments: options.arguments }),
    pairKey,
    boards: { a: board('a'), b: board('b') },
    devices: [
      {
        name: deviceName,
        kind: options.deviceMode ?? 'fenced',
        baudRate: options.deviceBaudRate ?? 115_200,
        ports: { a: devicePorts[0], b: devicePorts[1] },
      },
      ...plainDevices.map(({ name, ports }) => ({ name, kind: 'plain', baudRate: 9600, ports })),
    ],
    ...(timing === undefined ? {} : { timing }),
    ...(policy === undefined ? {} : { policy }),
    ...(journal === undefined ? {} : { journal }),
  });
}
