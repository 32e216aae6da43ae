import { afterEach, describe, expect, test } from 'vitest';
import { decodeOutputs } from '../../protocol/record.ts';
import { replicaOf, stdin, stopReplicas } from './recorded-run.fake.ts';

afterEach(stopReplicas);

const echo = `process.stdin.on('data', function tell(bytes) {
  console.log('one ' + bytes);
  console.log('two');
});`;

describe('outputs compared with the record', () => {
  test('equal ones are done', async () => {
    const primary = replicaOf(echo);
    const started = await primary.start();
    await primary.perform(started.endUs + 10, stdin('x'));
    const backup = replicaOf(echo);
    await backup.ready();
    for (const turn of primary.history) {
      const expectedDigest = turn.event.kind === 'start' ? null : turn.digest;
      expect(await backup.replay({ ...turn, expectedDigest })).toMatchObject({
        kind: 'done',
        turn: expect.any(Number),
      });
    }
  });

  test('other ones end the replica, which names what it did and where', async () => {
    const primary = replicaOf(echo);
    const started = await primary.start();
    await primary.perform(started.endUs + 10, stdin('x'));
    const backup = replicaOf(echo);
    await backup.ready();
    const [start, turn] = primary.history;
    await backup.replay(start!);
    const answer = await backup.replay({ ...turn!, event: stdin('y'), expectedDigest: turn!.digest });
    expect(answer).toMatchObject({ kind: 'output-diverged', turn: 1 });
    if (answer.kind !== 'output-diverged') return;
    expect(decodeOutputs(answer.outputs).map((each) => each.kind)).toEqual(['console', 'console']);
    expect(answer.stacks).toHaveLength(2);
    expect(answer.stacks[0]).toMatch(/tell .*:2:/);
    expect(answer.stacks[1]).toMatch(/tell .*:3:/);
    await backup.exited;
  });

  test('outputs where the record has none end it too', async () => {
    const backup = replicaOf(echo);
    await backup.ready();
    const primary = replicaOf(echo);
    const started = await primary.start();
    await backup.replay(primary.history[0]!);
    const turn = {
      timeUs: started.endUs + 10,
      event: stdin('x'),
      values: new Uint8Array(0),
      expectedDigest: null,
    };
    expect(await backup.replay(turn)).toMatchObject({ kind: 'output-diverged', turn: 1 });
  });
});
