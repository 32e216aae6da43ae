import { describe, expect, it } from 'vitest';
import { acknowledgementIn, contentsOf, type DatagramContents } from './datagram-contents.ts';
import { createQuietPair, Metronome } from './quiet-pair.ts';

/** Every datagram of the first moments of a pair. From a macrotask, as every life wants. */
function datagramsOfAStart(): Promise<DatagramContents[]> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      const contents: DatagramContents[] = [];
      const world = createQuietPair({
        program: { tickMs: 20, reactionBytes: 6, openAfterMs: 30 },
        firmware: new Metronome(50, 3),
        interference: {
          before() {},
          after() {},
          carries(_board, _link, { bytes }) {
            contents.push(contentsOf(bytes));
            return true;
          },
        },
        observe() {},
      });
      try {
        world.start();
        world.time.runUntil(300);
        resolve(contents);
      } catch (error) {
        reject(error);
      } finally {
        world.abandon();
      }
    });
  });
}

describe('contents of datagrams', () => {
  it('are read of every datagram that a pair sends', async () => {
    const contents = await datagramsOfAStart();
    const kinds = contents.flatMap((each) =>
      each.kind === 'sealed' ? each.frames.map(({ kind }) => kind) : [each.kind],
    );
    expect(new Set(kinds)).toEqual(new Set(['handshake', 'heartbeat', 'acknowledgement', 'data']));
    for (const each of contents) {
      if (each.kind === 'sealed') expect(each.frames.length).toBeGreaterThan(0);
    }
  });

  it('tell what is acknowledged, ever more', async () => {
    const acknowledged = (await datagramsOfAStart()).map((each) => acknowledgementIn(each)?.cumulative ?? 0);
    expect(Math.max(...acknowledged)).toBeGreaterThan(3);
  });
});
