/** No controller, a watchdog's bite, a power cycle: what the pins of the machine code do, and how the pair recovers. */
import { beforeAll, describe, expect, test } from 'vitest';
import { holdTimeMs } from '../simulator/machine-code/machine-code-pair.ts';
import {
  liveBite,
  livePowerCycle,
  liveSilences,
  type SafeReport,
  silences,
} from '../simulator/machine-code/safe-lives.ts';
import { inMacrotask } from '../simulator/programs/solo-run.fake.ts';

/** A long run: `UNDERSTUDY_SAFE_ROUNDS=20 npm test -- hil-tests/scenarios/machine-code-safe-state` (docs/reliability.md). */
const rounds = Number(process.env.UNDERSTUDY_SAFE_ROUNDS ?? 2);
const deadlineMs = 60_000 + 30_000 * rounds;
const safeWithinMs = holdTimeMs + 10;
/** Reset of the watchdog's 250 ms, measured from the last pin that moved before the hang. */
const biteWithinMs = 400;

function told(report: SafeReport): string {
  const { what, safeMs, backMs, told, historiesBegun } = report;
  return (
    `${what}: safe after ${safeMs.toFixed(2)} ms, protected and writing again ${backMs.toFixed(0)} ms after its end, ` +
    `port lost told ${told} times, program started afresh ${historiesBegun} times`
  );
}

/** The program knows that the device is another one: it was told, or it is another run. */
function expectNoSilentResume(report: SafeReport): void {
  expect(report.sessionsBegun, report.what).toBeGreaterThan(0);
  expect(report.told + report.historiesBegun, report.what).toBeGreaterThan(0);
  expect(report.lettersWhileSafe, report.what).toBe(0);
}

beforeAll(() => {
  expect(rounds, 'UNDERSTUDY_SAFE_ROUNDS').toBeGreaterThan(0);
});

describe('no controller for the hold time', () => {
  test(
    'pins are safe within the hold time and 10 ms, and the pair comes back',
    async () => {
      for (let seed = 1; seed <= rounds; seed++) {
        for (const report of await inMacrotask(() => liveSilences({ seed, silences }))) {
          console.log(told(report));
          expect(report.safeMs, report.what).toBeGreaterThan(holdTimeMs - 1);
          expect(report.safeMs, report.what).toBeLessThanOrEqual(safeWithinMs);
          expectNoSilentResume(report);
        }
      }
    },
    deadlineMs,
  );
});

describe('a device that restarts in mid-run', () => {
  test(
    'power cycle: pins fall at once, the program is told, the pair is protected again',
    async () => {
      for (let seed = 1; seed <= rounds; seed++) {
        const report = await inMacrotask(() => livePowerCycle({ seed }));
        console.log(told(report));
        expect(report.safeMs).toBeLessThan(1);
        expect(report.told).toBeGreaterThan(0);
        expectNoSilentResume(report);
      }
    },
    deadlineMs,
  );

  test(
    'watchdog bite: pins are let go within its time, the program is told, the pair is protected again',
    async () => {
      for (let seed = 1; seed <= rounds; seed++) {
        const report = await inMacrotask(() => liveBite({ seed }));
        console.log(told(report));
        expect(report.safeMs).toBeGreaterThan(0);
        expect(report.safeMs).toBeLessThan(biteWithinMs);
        expect(report.told).toBeGreaterThan(0);
        expectNoSilentResume(report);
      }
    },
    deadlineMs,
  );
});
