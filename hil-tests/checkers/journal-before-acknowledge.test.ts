import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import { backs, down, facts, leads, role, stored, tells, up, violationOf } from './hand-made-life.fake.ts';
import { journalBeforeAcknowledge } from './journal-before-acknowledge.ts';

const judge = (observations: Observation[], fsync: 'always' | 'interval' = 'interval') =>
  violationOf(journalBeforeAcknowledge(facts({ fsync })), observations);
const solo = leads('a', 1, { protected: false });
const released = (turns: number, isProtected = true) =>
  tells('a', { role: 'primary', term: 1, protected: isProtected, historyId: 'h', releasedTurns: turns });
const durable: Observation = { kind: 'durable', board: 'b', historyId: 'h', turns: 12 };

test('what the backup has stored is released, and so was what was stored while solo', () => {
  expect(judge([solo, stored('a', 10), released(10, false), leads('a', 1), released(10)])).toBeNull();
  expect(judge([leads('a', 1), stored('a', 12), stored('b', 12), released(12)])).toBeNull();
  expect(
    judge([leads('a', 1), stored('b', 12), down('b', 'power'), up('b', 2, 'h', 5), released(12)]),
  ).toBeNull();
});

test('a backup that has given up being one makes the primary solo in fact', () => {
  const joins = role('b', { role: 'joining', term: 1, historyId: 'h' });
  const life = [leads('a', 1), stored('a', 12), stored('b', 10)];
  expect(judge([...life, joins, released(12)])).toBeNull();
  expect(judge([...life, joins, stored('a', 13), backs('b', 1), released(13)])).toBeNull();
  expect(judge([...life, joins, backs('b', 1), stored('a', 13), released(13)])).toContain(
    'its backup has 10',
  );
});

test('what the backup has not stored is not', () => {
  expect(
    judge([solo, stored('a', 10), leads('a', 1), stored('a', 12), stored('b', 11), released(12)]),
  ).toContain('its backup has 11');
  expect(judge([leads('a', 1), stored('b', 12, 'another'), released(12)])).toContain('its backup has 0');
});

test('under fsync always it has to be on the disk', () => {
  expect(judge([leads('a', 1), stored('b', 12), durable, released(12)], 'always')).toBeNull();
  expect(judge([leads('a', 1), stored('b', 13), durable, released(13)], 'always')).toContain(
    '12 on its disk',
  );
  // A journal that is begun anew is not on the disk because the old one was.
  expect(judge([leads('a', 1), stored('b', 12), durable, stored('b', 3), released(3)], 'always')).toContain(
    '0 on its disk',
  );
});
