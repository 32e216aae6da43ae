import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FailureDetector } from './detector.ts';

const serial = 0;
const ethernet = 1;

function detector(options: { detectionTimeoutMs?: number; suspectTimeoutMs?: number } = {}): FailureDetector {
  return new FailureDetector({
    links: [
      { name: 'serial', intervalMs: 20 },
      { name: 'ethernet', intervalMs: 10 },
    ],
    detectionTimeoutMs: 80,
    suspectTimeoutMs: 15,
    ...options,
  });
}

/** Heard on both links at 1000. */
function healthy(): FailureDetector {
  const subject = detector();
  subject.signal(serial, 1000);
  subject.signal(ethernet, 1000);
  return subject;
}

describe('FailureDetector', () => {
  test('green while both links beat', () => {
    const subject = healthy();
    for (let now = 1000; now < 3000; now += 10) {
      subject.signal(ethernet, now);
      if (now % 20 === 0) subject.signal(serial, now);
      expect(subject.verdict(now + 9)).toBe('green');
    }
  });

  test('yellow, and never red, while one link is silent', () => {
    for (const [silent, other] of [
      [serial, ethernet],
      [ethernet, serial],
    ] as const) {
      const subject = healthy();
      for (let now = 1010; now < 5000; now += 10) subject.signal(other, now);
      expect([silent, subject.verdict(5000)]).toEqual([silent, 'yellow']);
      subject.signal(silent, 5000);
      subject.signal(other, 5000);
      expect(subject.verdict(5001)).toBe('green');
    }
  });

  test('red when the last of the links has been silent for the timeout, not before', () => {
    const subject = healthy();
    subject.signal(serial, 1040);
    expect(subject.verdict(1119.9)).toBe('yellow');
    expect(subject.silentForMs(1119)).toBe(79);
    expect(subject.verdict(1120)).toBe('red');
    subject.signal(serial, 1121);
    expect(subject.verdict(1121)).toBe('yellow');
  });

  test('a link that beats slowly is not silent before two of its heartbeats are missing', () => {
    const subject = detector({ detectionTimeoutMs: 30, suspectTimeoutMs: 10 });
    subject.signal(ethernet, 1000);
    subject.signal(serial, 1000);
    expect(subject.verdict(1049)).not.toBe('red');
    expect(subject.verdict(1050)).toBe('red');
  });

  test('a peer that the kernel calls gone is red after the short timeout from its last signal', () => {
    const subject = healthy();
    subject.peerGone(1003);
    expect(subject.verdict(1003)).toBe('yellow');
    expect(subject.nextChangeAt(1003)).toBe(1015);
    expect(subject.verdict(1014.9)).toBe('yellow');
    expect(subject.verdict(1015)).toBe('red');
  });

  test('the next heartbeat of a live peer cancels the suspicion', () => {
    const subject = healthy();
    subject.peerGone(1003);
    subject.signal(ethernet, 1010);
    expect(subject.verdict(1011)).toBe('green');
    expect(subject.verdict(1030)).toBe('green');
    subject.peerGone(1031);
    expect(subject.verdict(1031)).toBe('red');
  });

  test('our own pause is not the silence of the peer', () => {
    const subject = healthy();
    subject.peerGone(1001);
    subject.paused(6000, 4990);
    expect(subject.verdict(6000)).toBe('green');
    expect(subject.pausedMs).toBe(4990);
    expect(subject.verdict(6079)).toBe('yellow');
    expect(subject.verdict(6080)).toBe('red');
  });

  test('a peer that never spoke has a full timeout from the first look', () => {
    const subject = detector();
    expect(subject.verdict(777_000)).toBe('green');
    expect(subject.verdict(777_079)).toBe('yellow');
    expect(subject.verdict(777_080)).toBe('red');
  });

  test('nextChangeAt names the very moment at which the verdict becomes worse', () => {
    const input = fc.record({
      gapMs: fc.integer({ min: 0, max: 60 }),
      what: fc.constantFrom('serial', 'ethernet', 'gone', 'paused', 'nothing'),
    });
    const rank = { green: 0, yellow: 1, red: 2 };
    fc.assert(
      fc.property(fc.array(input, { maxLength: 30 }), (inputs) => {
        const subject = healthy();
        let now = 1000;
        for (const { gapMs, what } of inputs) {
          now += gapMs;
          if (what === 'serial') subject.signal(serial, now);
          if (what === 'ethernet') subject.signal(ethernet, now);
          if (what === 'gone') subject.peerGone(now);
          if (what === 'paused') subject.paused(now, gapMs);
          const verdict = subject.verdict(now);
          const changeAt = subject.nextChangeAt(now);
          if (verdict === 'red') {
            expect(changeAt).toBeNull();
            continue;
          }
          expect(changeAt).toBeGreaterThan(now);
          expect(subject.verdict((now + changeAt!) / 2)).toBe(verdict);
          expect(rank[subject.verdict(changeAt!)]).toBeGreaterThan(rank[verdict]);
        }
      }),
    );
  });

  test.each([
    [{ links: [] }, 'links must not be empty'],
    [{ links: [{ name: 'serial', intervalMs: 0 }] }, 'intervalMs of serial must be positive (got 0)'],
    [{ detectionTimeoutMs: 0 }, 'detectionTimeoutMs must be at least 1 (got 0)'],
    [{ suspectTimeoutMs: 81 }, 'suspectTimeoutMs must be 1..80 (got 81)'],
  ])('%o is refused', (wrong, message) => {
    const links = [{ name: 'serial', intervalMs: 20 }];
    expect(
      () => new FailureDetector({ links, detectionTimeoutMs: 80, suspectTimeoutMs: 15, ...wrong }),
    ).toThrow(message);
  });
});
