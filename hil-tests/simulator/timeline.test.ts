import { describe, expect, test } from 'vitest';
import type { BoardStatus } from '../../firmware-host/supervisor/status.ts';
import type { Observed } from './observation.ts';
import { renderTimeline, type TimelineRow, timelineRows } from './timeline.ts';

function status(changes: Partial<BoardStatus>): BoardStatus {
  return {
    board: 'a',
    role: 'backup',
    term: 1,
    protected: false,
    historyId: '0123456789abcdef0123456789abcdef',
    turns: 10,
    executedTurns: 10,
    releasedTurns: 10,
    lagTurns: 0,
    lagMs: 0,
    verdict: 'green',
    silentForMs: 0,
    virtualTimeUs: 0,
    links: [],
    devices: [],
    divergences: 0,
    ...changes,
  };
}

const output = (at: number, board: 'a' | 'b', term: number, offset: number): Observed => {
  return { at, kind: 'device-output', device: 0, session: 1, board, term, offset, bytes: new Uint8Array(4) };
};

const takeover: Observed[] = [
  { at: 0, kind: 'board-up', board: 'a', process: 1, historyId: null, turns: 0 },
  { at: 1, kind: 'role', board: 'a', status: status({ role: 'primary', protected: true }) },
  { at: 1.5, kind: 'status', board: 'a', status: status({}), bufferedBytes: 0 },
  output(2, 'a', 1, 0),
  output(3, 'a', 1, 4),
  { at: 4, kind: 'heard', board: 'a', link: 0 },
  {
    at: 5,
    kind: 'fault',
    phase: 'begins',
    fault: { kind: 'cut', at: 5, until: 9, link: 'ethernet', from: null },
  },
  { at: 6, kind: 'fault', phase: 'begins', fault: { kind: 'kill', at: 6, until: 99, board: 'a' } },
  { at: 6, kind: 'board-down', board: 'a', cause: 'killed', exit: null },
  {
    at: 7,
    kind: 'report',
    board: 'b',
    report: { level: 'alarm', code: 'PEER_RED', text: 'silent\nfor 200 ms' },
  },
  { at: 8, kind: 'role', board: 'b', status: status({ board: 'b', role: 'primary', term: 2 }) },
  { at: 8, kind: 'role', board: 'b', status: status({ board: 'b', role: 'primary', term: 2, turns: 12 }) },
  { at: 8.25, kind: 'device-attached', device: 0, board: 'b', term: 2, session: 1 },
  output(9, 'b', 2, 8),
  { at: 9.5, kind: 'device-stale', device: 0, board: 'a', term: 1, bytes: 3 },
  { at: 9.6, kind: 'device-stale', device: 0, board: 'a', term: 1, bytes: 3 },
  { at: 9.7, kind: 'forged', board: 'b', how: 'random', changed: [] },
];

describe('the timeline', () => {
  test('tells a takeover, board by board, without what repeats itself', () => {
    expect(timelineRows(takeover).map(({ at, column, text }) => `${at} ${column} ${text}`)).toEqual([
      '0 a process 1 begins with no journal',
      '1 a = primary, term 1, protected, 01234567, turn 10',
      '2 device 0: first output of a, term 1, session 1, from byte 0',
      '5 links [ nothing that is sent over ethernet, both ways arrives',
      '6 a [ board a: its processes are killed; started again at the end',
      '6 a down: killed',
      '7 b ! PEER_RED silent for 200 ms',
      '8 b = primary, term 2, solo, 01234567, turn 10',
      '8.25 device 0: follows b, term 2, session 1',
      '9 device 0: first output of b, term 2, session 1, from byte 8',
      '9.5 device 0: rejects output of a, term 1: stale',
    ]);
  });

  test('is a table in which every text stands under its board, wrapped and never cut', () => {
    const lines = renderTimeline(timelineRows(takeover), {
      at: 9,
      mark: 'one-term: two',
      rowsBefore: 99,
      rowsAfter: 99,
    });
    const [header] = lines;
    const columnAt = (title: string): number => header!.indexOf(title);
    const lineOf = (text: string): string => lines.find((line) => line.includes(text))!;
    expect(lineOf('process 1').indexOf('process 1')).toBe(columnAt('board a'));
    expect(lineOf('PEER_RED').indexOf('! PEER_RED')).toBe(columnAt('board b'));
    expect(lineOf('nothing that').indexOf('[ nothing')).toBe(columnAt('links'));
    expect(lineOf('0: follows').indexOf('0: follows')).toBe(columnAt('device'));
    expect(lines.join(' ').replaceAll(/\s+/g, ' ')).toContain('started again at the end');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(lines[1]!.length);
    const mark = lines.indexOf(lineOf('>>> one-term: two'));
    expect(lines[mark - 1]).toContain('from byte 8');
    expect(lines[mark + 1]).toContain('rejects');
  });

  test('shows what is near the violation and all faults, and counts the rest where it stood', () => {
    const rows: TimelineRow[] = Array.from({ length: 100 }, (_, index) => {
      return { at: index, column: 'a', text: `row${index}`, isLandmark: index === 20 };
    });
    const lines = renderTimeline(rows, { at: 50, mark: 'x: y', rowsBefore: 3, rowsAfter: 2 });
    expect(lines.slice(2).map((line) => line.trim().replace(/^[\d.]+ +/, ''))).toEqual([
      ...['20 more rows', 'row20', '27 more rows', 'row48', 'row49', 'row50'],
      ...['>>> x: y', 'row51', 'row52', '47 more rows'],
    ]);
  });
});
