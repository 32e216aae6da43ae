/** What comes over the bus is not what the other board should say: foreign keys, another program, garbage. */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { type LocalRig, startLocalRig } from '../rigs/local/local-rig.ts';
import { seededRandom } from '../rigs/local/seeded-random.ts';
import { exitCodeOf, innardsShown, patientTiming, reports, told, untilReported } from './bad-input.ts';

const program = resolve('examples/tank.js');

describe('the other board', { timeout: 30_000 }, () => {
  let rig: LocalRig;

  afterEach(async () => {
    await rig?.stop();
  });

  test('with another program at the start of both: neither leads, the device is left alone', async () => {
    rig = await startLocalRig({ program, programOfB: resolve('examples/servo-sweep.js'), plant: 'tank' });
    expect(await exitCodeOf(rig, 'a')).toBe(exitCodes.mismatch.code);
    expect(await exitCodeOf(rig, 'b')).toBe(exitCodes.mismatch.code);
    expect(reports(rig, 'PAIR_MISMATCH', 'a')).toHaveLength(1);
    expect(reports(rig, 'PAIR_MISMATCH', 'b')).toHaveLength(1);
    expect(rig.device).toMatchObject({ term: 0, acceptedBytes: 0 });
    expect(innardsShown(rig)).toEqual([]);
  });

  test('with another pair key at the start of both: one leads alone, the other ends', async () => {
    rig = await startLocalRig({
      program,
      pairKeyOfB: 'cd'.repeat(32),
      plant: 'tank',
      timing: { waitForPeerMs: 2000 },
    });
    expect(await exitCodeOf(rig, 'b')).toBe(exitCodes.pairKey.code);
    expect(reports(rig, 'PEER_KEY_MISMATCH', 'b')).toHaveLength(1);
    await rig.until((each) => each.device.acceptedBytes > 0, 15_000, 'board a actuates');
    expect(rig.device).toMatchObject({ attachedBoard: 'a', term: 1 });
    expect(innardsShown(rig)).toEqual([]);
  });

  test('is not heard through garbage on one link: counted, still protected, no takeover', async () => {
    rig = await startLocalRig({
      program,
      plant: 'tank',
      timing: { ...patientTiming, deviceTimeoutMs: 5000 },
    });
    await rig.until((each) => each.isProtected(), 20_000, 'protected');
    const { term } = rig.device;
    rig.setSerialNoise({ bitFlipsPerByte: 0.5, lostPerByte: 0.1, seed: 7 });
    await rig.until(
      (each) => (['a', 'b'] as const).every((board) => discardedOn(each, board, 'serial') >= 20),
      15_000,
      'damaged frames counted on both boards',
    );
    await untilReported(rig, 'LINK_SILENT');
    expect(rig.isProtected()).toBe(true);
    rig.setSerialNoise({});
    await untilReported(rig, 'LINK_HEARD');
    expect(rig.isProtected()).toBe(true);
    expect(rig.device, told(rig)).toMatchObject({ term, safe: false });
    expect(innardsShown(rig)).toEqual([]);
  });

  test('is not taken for a stranger who sends datagrams to its port', async () => {
    rig = await startLocalRig({
      program,
      plant: 'tank',
      timing: { ...patientTiming, deviceTimeoutMs: 5000 },
    });
    await rig.until((each) => each.isProtected(), 20_000, 'protected');
    const { term, acceptedBytes } = rig.device;
    const stranger = createSocket('udp4');
    const random = seededRandom(11);
    const received = rig.boards.a.status!.links.find((link) => link.name === 'ethernet')!.received;
    let sent = 0;
    while (sent < 500) {
      for (const port of listenPorts(rig)) {
        const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 1400) }, () => random() * 256);
        await new Promise((done) => stranger.send(bytes, port, '127.0.0.1', done));
        sent += 1;
      }
    }
    stranger.close();
    await rig.until(
      (each) =>
        (each.boards.a.status?.links.find((link) => link.name === 'ethernet')?.received ?? 0) > received + 20,
      10_000,
      'the boards go on talking',
    );
    await rig.until((each) => each.device.acceptedBytes > acceptedBytes, 10_000, 'the program goes on');
    expect(rig.isProtected()).toBe(true);
    expect(rig.device, told(rig)).toMatchObject({ term, safe: false });
    expect(discardedOn(rig, 'a', 'ethernet') + discardedOn(rig, 'b', 'ethernet')).toBe(0);
    expect(innardsShown(rig)).toEqual([]);
  });
});

function discardedOn(rig: LocalRig, board: 'a' | 'b', name: string): number {
  const link = rig.boards[board].status?.links.find((each) => each.name === name);
  return Object.values(link?.discarded ?? {}).reduce((sum, count) => sum + count, 0);
}

function listenPorts(rig: LocalRig): number[] {
  const config = parse(readFileSync(rig.configFile, 'utf8')) as {
    boards: Record<'a' | 'b', { ethernet: { listen: string } }>;
  };
  return (['a', 'b'] as const).map((board) => Number(config.boards[board].ethernet.listen.split(':')[1]));
}
