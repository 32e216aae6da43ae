/** Journal, records, turns and the counts of the devices, broken (DESIGN.md sections 3 and 5). */
import type { Mutant } from './mutant.ts';

const entry = 'firmware-host/journal/entry.ts';
const deviceStream = 'firmware-host/supervisor/device-stream.ts';

export const turnMutants: readonly Mutant[] = [
  {
    name: 'torn-tail-taken',
    breaks: 'an entry of the journal that was cut short by a power loss is taken as it stands',
    promise: 'DESIGN §8 (both boards lose power)',
    file: entry,
    find: "  if (available < total) return { kind: 'incomplete', bytesNeeded: total };\n",
    replace: '',
    also: [
      {
        file: entry,
        find: "  if (view.getUint32(crcAt, true) !== computed) return { kind: 'invalid', fault: 'ENTRY_CRC' };\n",
        replace: '',
      },
    ],
    scenario: 'blackout',
  },
  {
    name: 'journal-checksum-not-compared',
    breaks: 'an entry of the journal that never reached the disk, but for its length, is taken as it stands',
    promise: 'DESIGN §8 (both boards lose power)',
    file: entry,
    find: "  if (view.getUint32(crcAt, true) !== computed) return { kind: 'invalid', fault: 'ENTRY_CRC' };\n",
    replace: '',
    scenario: 'blackout',
  },
  {
    name: 'digest-not-compared',
    breaks: 'a copy never compares the digest of its outputs with the record’s',
    promise: 'DESIGN §1.6',
    file: 'firmware-host/supervisor/program-runner.ts',
    find: 'const expectedDigest = record.hasOutputs ? record.digest : null;',
    replace: 'const expectedDigest = undefined;',
    scenario: 'replicas',
  },
  {
    name: 'copy-makes-calls-itself',
    breaks: 'a copy asks its own board for what the record holds of synchronous calls',
    promise: 'DESIGN §3',
    file: 'firmware-host/replica/turn-runner.ts',
    find: "if (this.mode === 'perform') return this.#recorder.perform(call, perform);",
    replace:
      "if (this.mode !== 'perform') this.#replayer.next<T>(call);\n    return this.#recorder.perform(call, perform);",
  },
  {
    name: 'value-of-an-earlier-call-replayed',
    breaks:
      'a record holds the values of the turns before it once more, so that a copy gets those of other calls',
    promise: 'DESIGN §3',
    file: 'firmware-host/replica/values.ts',
    find: '    this.#writer = undefined;\n    return bytes;',
    replace: '    return bytes;',
  },
  {
    name: 'copy-fires-timers-by-its-own-clock',
    breaks: 'a copy runs a recorded turn at the time at which it has come to it',
    promise: 'DESIGN §3',
    file: 'firmware-host/supervisor/program-runner.ts',
    find: "this.#send({ kind: 'turn', mode: 'replay', turn: firstTurn, timeUs, event, values, expectedDigest });",
    replace: `const lateUs = Math.round((now % 10) * 1000);
      const atUs = timeUs + lateUs;
      this.#send({ kind: 'turn', mode: 'replay', turn: firstTurn, timeUs: atUs, event, values, expectedDigest });`,
  },
  {
    name: 'hung-program-not-noticed',
    breaks: 'a program that does not answer is waited for almost without end',
    promise: 'DESIGN §3, §1.5',
    file: 'firmware-host/supervisor/program-runner.ts',
    find: 'return this.#turnTimeoutMs * (this.#sent.first?.turn === 0 ? startPatience : 1);',
    replace: 'return this.#turnTimeoutMs * 1000;',
    scenario: 'replicas',
  },
  {
    name: 'idle-turns-of-unequal-step-joined',
    breaks: 'turns without effect are run-length coded although they are not the same time apart',
    promise: 'DESIGN §3',
    file: 'firmware-host/supervisor/record-log.ts',
    find: '    if (previous.timeUs + previous.stepUs * previous.count !== timeUs) return false;\n',
    replace: '',
  },
  {
    name: 'clock-stands-still-after-takeover',
    breaks: 'after a takeover the clock is three seconds behind, and stands still until it has caught up',
    promise: 'DESIGN §8 (clock at takeover)',
    file: 'firmware-host/supervisor/virtual-clock.ts',
    find: '    this.#offsetUs -= this.#debtUs;\n',
    replace: '    this.#debtUs = 0;\n    this.#offsetUs -= 3_000_000;\n',
    scenario: 'lone-failure',
  },
  {
    name: 'clock-jumps-at-takeover',
    breaks: 'after a takeover the clock leaps ahead by ten seconds',
    promise: 'DESIGN §8 (clock at takeover)',
    file: 'firmware-host/supervisor/virtual-clock.ts',
    find: '    this.#offsetUs -= this.#debtUs;\n',
    replace: '    this.#debtUs = 0;\n    this.#offsetUs += 10_000_000;\n',
    scenario: 'lone-failure',
  },
  {
    name: 'outputs-released-one-turn-early',
    breaks: 'the outputs of the turn after the last acknowledged one go out with it',
    promise: 'DESIGN §3 (Output Rule)',
    file: deviceStream,
    find: 'if (piece.turn >= turns) break;',
    replace: 'if (piece.turn > turns) break;',
    scenario: 'takeovers',
  },
  {
    name: 'inputs-acknowledged-one-turn-early',
    breaks: 'the inputs of the turn after the last acknowledged one are given up to the device with it',
    promise: 'DESIGN §1.4',
    file: deviceStream,
    find: 'this.#inputMarks[drop]!.turn < turns',
    replace: 'this.#inputMarks[drop]!.turn <= turns',
    scenario: 'takeovers',
  },
  {
    name: 'output-count-forgotten-at-confirmation',
    breaks: 'outputs that the device has confirmed in part are forgotten as a whole',
    promise: 'DESIGN §1.3',
    file: deviceStream,
    find: 'if (piece.offset + piece.bytes.length > offset) break;',
    replace: 'if (piece.offset >= offset) break;',
    scenario: 'takeovers',
  },
];
