/**
 * Mistakes that a life has shown, each with the fewest faults that bring it about. Lived again by every run of the tests.
 *
 * An entry was seen to fail without its fix and to pass with it. What else is drawn (numbers, program, what chance does to
 * datagrams) comes from the seed, so a change of what swarm.ts draws turns an entry into another life: it still must pass,
 * but a rule whose only proof it was wants a mutant (mutants/) as well.
 */
import type { Fault } from './fault.ts';

export interface Regression {
  /** What was wrong, in a line. */
  found: string;
  seed: number;
  scenario: string;
  faults: Fault[];
}

export const regressions: readonly Regression[] = [
  {
    found:
      'heartbeats of an earlier copy made a pair call itself protected before the new one had run anything',
    seed: 3,
    scenario: 'any',
    faults: [{ kind: 'switchover', at: 4668.161173997958, board: 'b' }],
  },
  {
    found: 'outputs went to a device that was not held, and the stream broke off when it was held again',
    seed: 4,
    scenario: 'replicas',
    faults: [
      { kind: 'switchover', at: 5938.176584472232, board: 'b' },
      { kind: 'switchover', at: 6624.996605706665, board: 'a' },
    ],
  },
  {
    found: "a backup wrote a new history's notes into the journal of the old one",
    seed: 8,
    scenario: 'replicas',
    faults: [
      { kind: 'switchover', at: 2780.9994005526833, board: 'a' },
      { kind: 'replica', at: 2936.10360252466, board: 'b', how: 'hangs' },
      { kind: 'replica', at: 3313.288228397487, board: 'a', how: 'hangs' },
    ],
  },
  {
    found: 'a board that had given up joining acknowledged a record that it did not keep',
    seed: 50,
    scenario: 'gone-while-joining',
    faults: [
      { kind: 'kill', at: 8216, until: 8217.81113944482, board: 'b' },
      { kind: 'pause', at: 8251.7401017081, until: 8853, board: 'a' },
    ],
  },
  {
    found:
      'after both boards had lost power, records held other input at a place of the stream than the device had said',
    seed: 21,
    scenario: 'power',
    faults: [
      { kind: 'power', at: 2890.883240236654, until: 2892, board: 'b', disk: 'kept' },
      { kind: 'power', at: 2895.590752403005, until: 2897, board: 'a', disk: 'kept' },
    ],
  },
  {
    found:
      'what was on its way to a copy that had been given up was waited for, so the pair stayed one board',
    seed: 24,
    scenario: 'devices',
    faults: [
      { kind: 'device-restart', at: 2295.3651255265772, device: 0 },
      { kind: 'device-port-lost', at: 3006.6130565310896, until: 3008, device: 0, board: 'a' },
      { kind: 'switchover', at: 3981.028223117342, board: 'b' },
    ],
  },
  {
    found:
      'a backup ran a new history by the time of the old one, and the program leapt by the difference at a takeover',
    seed: 54,
    scenario: 'any',
    faults: [
      { kind: 'clock-step', at: 5855.419440350115, board: 'b', ms: -3_600_000 },
      { kind: 'replica', at: 6294.0881212153845, board: 'a', how: 'hangs' },
      { kind: 'device-restart', at: 7677.8698442193345, device: 1 },
      { kind: 'power', at: 7917.249289955652, until: 7919, board: 'b', disk: 'kept' },
    ],
  },
];
