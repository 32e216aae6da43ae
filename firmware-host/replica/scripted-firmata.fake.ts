/** The device's side of a Firmata handshake, for tests that run firmata-io or johnny-five in a replica. */
import type { RequestOutput } from '../../protocol/record.ts';
import type { ScriptedSupervisor } from './scripted-supervisor.fake.ts';

const pinCount = 20;
/** From here on pins have no pulse width modulation: the led on the board is switched as a digital output. */
const ledPin = 13;
const firstAnalogPin = 14;

const versionAndFirmware = [0xf9, 2, 5, 0xf0, 0x79, 2, 5, 0x61, 0, 0xf7];

function capabilities(): number[] {
  const bytes = [0xf0, 0x6c];
  for (let pin = 0; pin < pinCount; pin++) {
    bytes.push(0, 1, 1, 1);
    if (pin < ledPin) bytes.push(3, 8, 4, 14);
    if (pin >= firstAnalogPin) bytes.push(2, 10);
    bytes.push(0x7f);
  }
  return [...bytes, 0xf7];
}

function analogMapping(): number[] {
  const channels = Array.from({ length: pinCount }, (_, pin) =>
    pin < firstAnalogPin ? 0x7f : pin - firstAnalogPin,
  );
  return [0xf0, 0x6a, ...channels, 0xf7];
}

/** What the device says to a message; undefined: nothing. */
function replyTo(message: Uint8Array): number[] | undefined {
  if (message[0] === 0xf9) return versionAndFirmware;
  if (message[0] !== 0xf0) return undefined;
  if (message[1] === 0x6b) return capabilities();
  if (message[1] === 0x69) return analogMapping();
  return undefined;
}

/**
 * Answers the program's requests and messages until `untilUs`. Returns what was written to the ports. A device
 * that announces itself says its version when its port is opened.
 */
export async function serveFirmata(
  replica: ScriptedSupervisor,
  { untilUs, announces }: { untilUs: number; announces: boolean },
): Promise<number[][]> {
  const written: number[][] = [];
  let taken = 0;
  for (let timeUs = replica.endUs; timeUs < untilUs && replica.exitCode === undefined; timeUs += 1000) {
    await replica.runUntil(timeUs);
    for (; taken < replica.outputs.length; taken++) {
      const output = replica.outputs[taken]!;
      if (output.kind === 'request') {
        await complete(replica, output, timeUs);
        if (output.operation === 'open' && announces)
          await send(replica, output.port, versionAndFirmware, timeUs);
      }
      if (output.kind !== 'write') continue;
      written.push([...output.bytes]);
      const reply = replyTo(output.bytes);
      if (reply !== undefined) await send(replica, output.port, reply, timeUs);
    }
  }
  return written;
}

async function send(
  replica: ScriptedSupervisor,
  port: number,
  bytes: number[],
  timeUs: number,
): Promise<void> {
  await replica.perform(timeUs, { kind: 'port-data', port, bytes: Uint8Array.from(bytes) });
}

async function complete(replica: ScriptedSupervisor, request: RequestOutput, timeUs: number): Promise<void> {
  await replica.perform(timeUs, { kind: 'completed', request: request.request, ok: true, result: 'null' });
}
