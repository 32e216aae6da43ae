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
  {
    found: 'a claim that was given up was granted by the device all the same, and nobody led',
    seed: 100291,
    scenario: 'any',
    faults: [
      { kind: 'leave', at: 6018, until: 6020, board: 'b' },
      { kind: 'leave', at: 5412, until: 7863, board: 'a' },
      { kind: 'power', at: 5579.566690009294, until: 5581, board: 'a', disk: 'lost' },
      { kind: 'pause', at: 6258.910974335591, until: 8264.846302196383, board: 'b' },
    ],
  },
  {
    found: 'a backup that was claiming for the old history noted the terms and devices of the next one',
    seed: 100498,
    scenario: 'any',
    faults: [
      { kind: 'device-restart', at: 1557.7968659653857, device: 0 },
      { kind: 'switchover', at: 1608.6341845314205, board: 'a' },
    ],
  },
  {
    found:
      'a claim noted the new session of the device in a history that it gave up, and a restart went on with it',
    seed: 101855,
    scenario: 'any',
    faults: [
      {
        kind: 'delay',
        at: 2935,
        until: 3368,
        link: 'ethernet',
        from: 'a',
        ms: 58.788525119423866,
        jitterMs: 0,
      },
      { kind: 'slow-link', at: 4184, until: 4211, link: 'serial', bitsPerSecond: 38400 },
      { kind: 'leave', at: 4201.351226307452, until: 6811.748501099646, board: 'a' },
      { kind: 'leave', at: 5996.579001657665, until: 6431.6776694357395, board: 'b' },
      {
        kind: 'delay',
        at: 6811,
        until: 6836,
        link: 'ethernet',
        from: 'b',
        ms: 13.187147060409188,
        jitterMs: 13.187147060409188,
      },
      { kind: 'leave', at: 6787.220840342343, until: 6789, board: 'b' },
    ],
  },
  {
    found: 'a diverged copy whose primary died before the difference was told claimed for ever',
    seed: 103164,
    scenario: 'any',
    faults: [
      { kind: 'slow-link', at: 1702, until: 1704, link: 'ethernet', bitsPerSecond: 19200 },
      { kind: 'replica', at: 1722.1419820046085, board: 'b', how: 'diverges' },
      { kind: 'power', at: 1833.1092004708107, until: 1835, board: 'a', disk: 'lost' },
    ],
  },
  {
    found: 'a board that stepped down for one that had been silent for a while did not follow it',
    seed: 104947,
    scenario: 'any',
    faults: [
      { kind: 'cut', at: 3129, until: 3219, link: 'serial', from: 'a' },
      { kind: 'cut', at: 3129, until: 3228, link: 'ethernet', from: 'a' },
      { kind: 'pause', at: 3233.9919665063508, until: 5694.020787140239, board: 'b' },
      { kind: 'pause', at: 5587.489217421845, until: 7523, board: 'a' },
    ],
  },
  {
    found:
      'a late answer of the device to a claim that was given up made a copy forget where the streams stood',
    seed: 105522,
    scenario: 'any',
    faults: [
      { kind: 'switchover', at: 5813.732058741152, board: 'a' },
      { kind: 'cut', at: 6018, until: 6365, link: 'ethernet', from: null },
      { kind: 'cut', at: 6023, until: 6144, link: 'serial', from: null },
      { kind: 'device-restart', at: 6111.702191643417, device: 0 },
      {
        kind: 'delay',
        at: 8222,
        until: 8238,
        link: 'ethernet',
        from: 'a',
        ms: 15.248631499707699,
        jitterMs: 15.248631499707699,
      },
      { kind: 'switchover', at: 8223.337012343109, board: 'a' },
    ],
  },
  {
    found: 'records of an older reign went on after those of the newest were lost, as if that had never been',
    seed: 104217,
    scenario: 'any',
    faults: [
      { kind: 'pause', at: 2797.270529426375, until: 2876.3142664988727, board: 'a' },
      { kind: 'power', at: 3214, until: 3788, board: 'a', disk: 'kept' },
      { kind: 'device-restart', at: 3609.999663266589, device: 0 },
      { kind: 'kill', at: 4595, until: 4596.881428164059, board: 'a' },
      { kind: 'kill', at: 3767.378762437591, until: 4183, board: 'b' },
      { kind: 'kill', at: 5055.154606879717, until: 5104, board: 'b' },
      { kind: 'stall', at: 5516.44591831835, until: 6036.501238283236, link: 'serial', from: null },
      { kind: 'late-wakes', at: 5524.642904614736, until: 5559.448648858522, board: 'a', ms: 80 },
      { kind: 'stall', at: 5547.978790302295, until: 6036.501238283236, link: 'ethernet', from: null },
      { kind: 'power', at: 5969.931418619758, until: 6056.394897255755, board: 'b', disk: 'lost' },
    ],
  },
  {
    found: 'a board that had stood still believed an old word of the device, that nobody leads',
    seed: 200040,
    scenario: 'any',
    faults: [
      { kind: 'kill', at: 4548, until: 4549.772319283256, board: 'a' },
      { kind: 'pause', at: 4528, until: 6826, board: 'a' },
      { kind: 'device-restart', at: 5207.940893983328, device: 0 },
      { kind: 'pause', at: 6826, until: 6864, board: 'b' },
    ],
  },
  {
    found: 'a board that joined one that did not lead any more waited for ever',
    seed: 200261,
    scenario: 'any',
    faults: [
      { kind: 'power', at: 4164.464335460645, until: 4166, board: 'a', disk: 'kept' },
      { kind: 'pause', at: 6168, until: 7226.066033542156, board: 'b' },
      { kind: 'leave', at: 6450, until: 6451.906763560899, board: 'a' },
      { kind: 'leave', at: 7139.684266034449, until: 7141, board: 'a' },
    ],
  },
  {
    found: 'a journal that was read a second time while it was being read was run twice',
    seed: 201819,
    scenario: 'any',
    faults: [
      { kind: 'leave', at: 3509, until: 3986.6117553048066, board: 'a' },
      { kind: 'loss', at: 3986, until: 3998, link: 'ethernet', from: null, probability: 0.3 },
      { kind: 'replica', at: 3987.4928431417893, board: 'a', how: 'killed' },
    ],
  },
  {
    found:
      "the device's answer to an earlier attach was taken for that to a later one, and inputs were passed over",
    seed: 202740,
    scenario: 'any',
    faults: [
      { kind: 'cut', at: 1378, until: 1535, link: 'ethernet', from: 'a' },
      { kind: 'cut', at: 1379, until: 1513, link: 'serial', from: 'a' },
      { kind: 'device-restart', at: 1506.8808309161157, device: 2 },
      { kind: 'replica', at: 1608.18468863643, board: 'b', how: 'killed' },
      { kind: 'power', at: 1801, until: 1803, board: 'a', disk: 'lost' },
    ],
  },
  {
    found: 'a new history passed over input that had come and was in no record',
    seed: 502822,
    scenario: 'any',
    faults: [
      { kind: 'replica', at: 1660.5603355347303, board: 'a', how: 'hangs' },
      { kind: 'stall', at: 2390, until: 4114, link: 'serial', from: 'b' },
      { kind: 'slow-link', at: 2310.2713402427676, until: 2580, link: 'ethernet', bitsPerSecond: 19200 },
      { kind: 'replica', at: 2375.0513417365446, board: 'a', how: 'diverges' },
      { kind: 'device-port-lost', at: 4261, until: 4891, device: 0, board: 'b' },
      { kind: 'stall', at: 4178, until: 4329, link: 'serial', from: null },
      { kind: 'stall', at: 4179.796107804815, until: 4330, link: 'ethernet', from: null },
      { kind: 'replica', at: 4398.531066666965, board: 'b', how: 'hangs' },
    ],
  },
  {
    found: 'an answer to an attach of before a pause made the session look lost, and a takeover lost records',
    seed: 600157,
    scenario: 'any',
    faults: [
      { kind: 'stall', at: 2152, until: 2168, link: 'ethernet', from: null },
      { kind: 'power', at: 2087, until: 2089, board: 'b', disk: 'kept' },
      { kind: 'device-port-lost', at: 2160, until: 2161.7166627214624, device: 0, board: 'a' },
      { kind: 'slow-link', at: 2150.192246464666, until: 2351, link: 'serial', bitsPerSecond: 38400 },
      { kind: 'pause', at: 2162.826759625502, until: 2295, board: 'a' },
      { kind: 'device-port-lost', at: 2287.4012020705695, until: 2289, device: 0, board: 'a' },
    ],
  },
  {
    found: "outputs of the old history went out behind the new one's attach, and were counted to it",
    seed: 611732,
    scenario: 'any',
    faults: [
      { kind: 'device-restart', at: 2198.8106463038184, device: 1 },
      { kind: 'leave', at: 2966.7579350164006, until: 3036, board: 'a' },
      { kind: 'device-restart', at: 2984.47724451235, device: 0 },
    ],
  },
  {
    found: 'a turn that was under way when the device restarted had its input counted to the new session',
    seed: 615394,
    scenario: 'any',
    faults: [
      { kind: 'device-restart', at: 1323.3918402642948, device: 0 },
      { kind: 'device-restart', at: 1607.1325406118115, device: 0 },
      { kind: 'leave', at: 1725, until: 1767, board: 'b' },
      { kind: 'kill', at: 1721, until: 1734, board: 'a' },
      { kind: 'kill', at: 1844.0105016728944, until: 1874.1968265980563, board: 'a' },
      { kind: 'device-restart', at: 1905.0580323557247, device: 0 },
      { kind: 'slow-replica', at: 1905.823239138374, until: 1907, board: 'a', turnMs: 6.698052557185292 },
    ],
  },
  {
    found: 'each of two boards that had stopped took the other for the one with more records',
    seed: 617177,
    scenario: 'any',
    faults: [
      { kind: 'kill', at: 3807, until: 3825.091249793768, board: 'a' },
      { kind: 'pause', at: 7846, until: 7916, board: 'b' },
      { kind: 'kill', at: 7915.174538642168, until: 7917, board: 'a' },
    ],
  },
  {
    found:
      'what a board still held for the device from an earlier reign went out in a later one, of another history',
    seed: 700488,
    scenario: 'any',
    faults: [
      { kind: 'device-port-lost', at: 3072.0532128587365, until: 5044.223063625395, device: 0, board: 'a' },
      { kind: 'replica', at: 3724.7508412227035, board: 'b', how: 'killed' },
      { kind: 'replica', at: 5803.335443325341, board: 'b', how: 'killed' },
    ],
  },
  {
    found:
      'a board that had just lost its reign believed older words of the other one, and took the reign from it',
    seed: 914047,
    scenario: 'any',
    faults: [
      { kind: 'switchover', at: 1031.727165101454, board: 'a' },
      { kind: 'kill', at: 1085.825805976313, until: 1181.5480851338025, board: 'a' },
      {
        kind: 'delay',
        at: 1398.912466141153,
        until: 2653,
        link: 'ethernet',
        from: 'a',
        ms: 37.45426497608423,
        jitterMs: 37.45426497608423,
      },
      { kind: 'pause', at: 1688, until: 1699, board: 'a' },
      { kind: 'slow-link', at: 2255, until: 2568, link: 'serial', bitsPerSecond: 38400 },
      { kind: 'kill', at: 1822.1221760220776, until: 2266.56951661482, board: 'a' },
      { kind: 'kill', at: 1890.392547922949, until: 1892, board: 'b' },
      { kind: 'leave', at: 2522.42674374725, until: 2524, board: 'b' },
    ],
  },
  {
    found: 'a pair called itself protected before the other board was heard to keep the new history',
    seed: 908048,
    scenario: 'any',
    faults: [
      { kind: 'device-restart', at: 1505.5202389930598, device: 0 },
      { kind: 'slow-link', at: 1685, until: 1741, link: 'ethernet', bitsPerSecond: 38400 },
      { kind: 'pause', at: 1729.21635549407, until: 2276, board: 'b' },
    ],
  },
  {
    found: 'a device that was restarted twice was taken for one that nobody leads',
    seed: 922720,
    scenario: 'any',
    faults: [
      { kind: 'pause', at: 5683.815609826861, until: 7801.578672244368, board: 'a' },
      { kind: 'power', at: 5796.014727567122, until: 5798, board: 'a', disk: 'kept' },
      { kind: 'stall', at: 7812, until: 8039, link: 'serial', from: null },
      { kind: 'stall', at: 7777, until: 8036, link: 'ethernet', from: null },
      { kind: 'device-restart', at: 6983.401080498757, device: 0 },
      { kind: 'device-restart', at: 7997.189385215705, device: 0 },
    ],
  },
  {
    found: 'handshakes that a cable had damaged were taken for those of another pair key',
    seed: 918076,
    scenario: 'any',
    faults: [
      { kind: 'slow-link', at: 1308, until: 1315.1444228538742, link: 'ethernet', bitsPerSecond: 38400 },
      { kind: 'power', at: 1959, until: 3127, board: 'a', disk: 'kept' },
      { kind: 'stall', at: 2968.544036900871, until: 5202.866614982486, link: 'serial', from: null },
      {
        kind: 'corruption',
        at: 2990.109585407524,
        until: 4650,
        link: 'ethernet',
        from: null,
        probability: 0.5,
      },
      { kind: 'stall', at: 2992.8587649914107, until: 4651, link: 'ethernet', from: null },
      { kind: 'power', at: 3669.521667395341, until: 3671, board: 'b', disk: 'kept' },
    ],
  },
  {
    found: 'handshakes under another key that came while a board claimed ended it when it started again',
    seed: 923619,
    scenario: 'any',
    faults: [
      { kind: 'switchover', at: 1767.7880998919545, board: 'b' },
      { kind: 'slow-disk', at: 2172, until: 2174, board: 'b', ms: 233.09199810028076 },
      { kind: 'power', at: 2132, until: 2133.5932893402637, board: 'a', disk: 'kept' },
      { kind: 'kill', at: 1979.9988411894687, until: 1981, board: 'b' },
      { kind: 'power', at: 2136.2029207480587, until: 2173.470244876247, board: 'b', disk: 'kept' },
      {
        kind: 'forgery',
        at: 2369,
        until: 2418,
        link: 'ethernet',
        to: 'b',
        how: 'other-key',
        everyMs: 10.880841586738825,
      },
      { kind: 'kill', at: 2351, until: 2423, board: 'a' },
    ],
  },
  {
    found: "a pair went on silently from a journal that was cut before the note of a device's counts",
    seed: 20272735,
    scenario: 'any',
    faults: [
      { kind: 'device-restart', at: 1396.917779017031, device: 0 },
      { kind: 'disk-full', at: 2094, until: 2096, board: 'b' },
      { kind: 'device-restart', at: 2215.214773754621, device: 0 },
      { kind: 'kill', at: 2565, until: 2592.178084987368, board: 'a' },
      { kind: 'kill', at: 2581.2529516799036, until: 2583, board: 'b' },
      { kind: 'disk-full', at: 2646, until: 2648, board: 'a' },
      { kind: 'device-port-lost', at: 2849, until: 2851, device: 0, board: 'b' },
      { kind: 'kill', at: 2858.3846160262187, until: 2860, board: 'a' },
    ],
  },
];
