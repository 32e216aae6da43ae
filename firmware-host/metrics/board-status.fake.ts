/** A board in good health, for tests of what watches boards. */
import type { BoardStatus } from '../supervisor/status.ts';

export function boardStatus(changes: Partial<BoardStatus> = {}): BoardStatus {
  const counts = { retransmitted: 1, duplicates: 2, lastHeardAt: 990 };
  const device = { session: 1, inputs: 700, inputsLost: 0, discarded: 0 };
  return {
    board: 'a',
    role: 'primary',
    term: 3,
    protected: true,
    historyId: '00',
    turns: 100,
    executedTurns: 100,
    releasedTurns: 90,
    lagTurns: 2,
    lagMs: 4,
    verdict: 'green',
    silentForMs: 3,
    virtualTimeUs: 1_800_000_000_000_000,
    links: [
      {
        ...counts,
        name: 'ethernet',
        sent: 100,
        received: 90,
        bytesSent: 12_000,
        bytesReceived: 9_000,
        discarded: {},
        roundTripMs: 1.5,
        up: true,
      },
      {
        ...counts,
        name: 'serial',
        sent: 50,
        received: 0,
        bytesSent: 6_000,
        bytesReceived: 0,
        discarded: { FRAME_CRC: 4 },
        roundTripMs: null,
        up: false,
      },
    ],
    devices: [
      {
        ...device,
        name: '/dev/ttyACM0',
        kind: 'fenced',
        open: true,
        attached: true,
        produced: 512,
        confirmed: 500,
      },
      {
        ...device,
        name: '/dev/ttyS1',
        kind: 'plain',
        open: true,
        attached: false,
        produced: 10,
        confirmed: 10,
      },
    ],
    divergences: 0,
    ...changes,
  };
}
