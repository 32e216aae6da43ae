/** The supervisor's core, broken: gate, storing, joining, takeover (DESIGN.md sections 3 and 8). */
import type { Mutant } from './mutant.ts';

const core = 'firmware-host/supervisor/supervisor.ts';
const devices = 'firmware-host/supervisor/device-supervision.ts';
const divergence = 'firmware-host/supervisor/divergence-handling.ts';
const follower = 'firmware-host/supervisor/follower.ts';
const gate = 'firmware-host/supervisor/output-gate.ts';
const histories = 'firmware-host/supervisor/histories.ts';
const joining = 'firmware-host/supervisor/joining.ts';
const reign = 'firmware-host/supervisor/reign.ts';
const turns = 'firmware-host/supervisor/turns.ts';

export const supervisorMutants: readonly Mutant[] = [
  {
    name: 'acknowledged-before-durable',
    breaks: 'under fsync always a backup acknowledges records before they are on its disk',
    promise: 'DESIGN §3, §8 (both boards lose power)',
    file: joining,
    find: '      if (isDiskWaitedFor && first.turns > this.#parts.gate.durableTurns) break;\n',
    replace: '      if (isDiskWaitedFor && first.turns < 0) break;\n',
    scenario: 'power',
  },
  {
    name: 'solo-outputs-before-the-disk',
    breaks: 'under fsync always a lone primary lets outputs out before their record is on its disk',
    promise: 'DESIGN §3, §8 (both boards lose power)',
    file: gate,
    find: "return options.fsync === 'always' ? Math.min(recorded, this.durableTurns) : recorded;",
    replace: 'return recorded;',
    scenario: 'blackout',
  },
  {
    name: 'inputs-given-up-when-recorded',
    breaks: 'the device may forget inputs as soon as the primary has recorded them',
    promise: 'DESIGN §1.4',
    file: gate,
    find: 'const safe = stream.inputsSafe(turns);',
    replace: 'const safe = stream.inputsSafe(this.#core.log.turns);',
    scenario: 'takeovers',
  },
  {
    name: 'claim-before-the-copy-has-run-everything',
    breaks: 'a backup names its counts to the device before it has run all records that it holds',
    promise: 'DESIGN §1.3, §1.4',
    file: reign,
    find: `    if (histories.resuming || (pair.claim !== 'solo' && runner.busy)) return;
    if (pair.claim !== 'solo' && runner.executedTurns < log.turns) {`,
    replace: `    if (histories.resuming) return;
    if (pair.claim !== 'solo' && !runner.busy && runner.executedTurns < log.turns) {`,
    scenario: 'takeovers',
  },
  {
    name: 'claim-forgets-its-input-count',
    breaks: 'a board that claims the device does not say how many inputs it has',
    promise: 'DESIGN §1.4',
    file: devices,
    find: 'stream.session === null ? 0 : stream.inputsReceived',
    replace: '0',
    scenario: 'takeovers',
  },
  {
    name: 'copy-takes-records-after-its-claim',
    breaks: 'a backup that has named its counts to the device still takes records of the old primary',
    promise: 'DESIGN §1.3, §1.4',
    file: joining,
    find: "return this.following && this.#core.pair.role === 'contending' && !this.#parts.reign.claimWaits;",
    replace: 'return false;',
    scenario: 'burst-at-claim',
  },
  {
    name: 'copy-acknowledges-what-it-refuses',
    breaks: 'a backup that has claimed the device acknowledges records that it does not take any more',
    promise: 'DESIGN §3 (Output Rule)',
    file: joining,
    find: `      this.#refusedRecords = true;
      return;`,
    replace: `      this.stored({ sequence, stream });
      return;`,
    scenario: 'burst-at-claim',
  },
  {
    name: 'copy-forgets-unconfirmed-outputs',
    breaks: 'a backup keeps no outputs for the case that the device has not accepted them',
    promise: 'DESIGN §1.3',
    file: gate,
    find: 'stream.confirm(Math.min(confirmed.outputs, stream.produced));',
    replace: 'stream.confirm(stream.produced);',
    scenario: 'takeovers',
  },
  {
    name: 'notes-withheld-from-a-copy',
    breaks: 'a board that joins is not told where the counts of the devices began',
    promise: 'DESIGN §1.3',
    file: follower,
    find: "    for (const note of histories.notes) if (note.kind !== 'standing') messages.say({ kind: 'note', note });\n",
    replace: '',
    scenario: 'takeovers',
  },
  {
    name: 'later-notes-withheld-from-a-copy',
    breaks: 'a backup is not told of reigns and device sessions that begin while it follows',
    promise: 'DESIGN §1.3',
    file: histories,
    find: "    if (this.#parts.follower.present) this.#parts.messages.say({ kind: 'note', note });\n",
    replace: '',
    scenario: 'restart-then-takeover',
  },
  {
    name: 'device-base-applied-too-early',
    breaks: 'a copy counts a device from its new base before it has run the turns that went to the old one',
    promise: 'DESIGN §1.3',
    file: histories,
    find: '        if (note.turn > runner.executedTurns) return;\n',
    replace: '',
    scenario: 'restart-then-takeover',
  },
  {
    name: 'protected-before-the-copy-has-caught-up',
    breaks: 'the pair calls itself protected while the joining board still lacks records',
    promise: 'DESIGN §1.5, §1.7',
    file: follower,
    find: 'if (this.ackedTurns < since || peer.verdict',
    replace: 'if (peer.verdict',
    also: [
      { file: follower, find: 'if (this.#executedTurns < since || peer.heard', replace: 'if (peer.heard' },
    ],
    scenario: 'replicas',
  },
  {
    name: 'lag-not-bounded',
    breaks: 'the primary runs on however far its backup is behind',
    promise: 'DESIGN §1.5, §8 (backup lags)',
    file: turns,
    find: 'return !(pair.protected && follower.lags);',
    replace: 'return true;',
    scenario: 'replicas',
  },
  {
    name: 'full-buffer-ignored',
    breaks: 'the primary runs on when the other board takes no more records',
    promise: 'DESIGN §8 (backup lags)',
    file: turns,
    find: '    if (follower.live && !messages.writable) return false;\n',
    replace: '',
    scenario: 'held-acknowledgements',
  },
  {
    name: 'reign-not-noted',
    breaks: 'a board that takes over does not write into its journal that the term is its own',
    promise: 'DESIGN §8 (board starts alone)',
    file: reign,
    find: "    histories.note({ kind: 'term', term, turn: log.turns, board: options.board });\n",
    replace: '',
    scenario: 'survivor-restarts',
  },
  {
    name: 'lost-standing-not-noted',
    breaks: 'a board that is no backup any more finds in its journal, after a start, that it is one',
    promise: 'DESIGN §8 (board starts alone)',
    file: core,
    find: '      histories.noteStanding(false);\n',
    replace: '      void histories;\n',
    scenario: 'port-then-primary',
  },
  {
    name: 'device-restart-passed-over',
    breaks: 'the program goes on after a restart of its device as if nothing had happened',
    promise: 'DESIGN §8 (device restarts)',
    file: devices,
    find: "this.#losePort(stream, 'the device was restarted');",
    replace: 'this.restartAt = null;',
    scenario: 'devices',
  },
  {
    name: 'backup-without-a-port-stays-eligible',
    breaks: 'a board that cannot reach the device is still taken for a backup',
    promise: 'DESIGN §1.5, §1.7',
    file: devices,
    find: '    if (stream === this.#core.arbiter) this.#notEligibleWithout(name);\n',
    replace: '',
    scenario: 'port-then-primary',
  },
  {
    name: 'diverged-copy-never-joins-again',
    breaks: 'a board that has diverged stops and is no backup ever after',
    promise: 'DESIGN §8 (divergence)',
    file: divergence,
    find: "    role({ kind: 'copy-lost', reason: 'diverged: joining again from the start' });\n",
    replace: '',
    scenario: 'replicas',
  },
  {
    name: 'dropped-copy-not-told',
    breaks: 'a board whose records were dropped during a long silence is not told to join afresh',
    promise: 'DESIGN §1.7',
    file: follower,
    find: "    this.#parts.messages.say({ kind: 'rejoin', join: this.#servedJoin });\n",
    replace: '',
    scenario: 'drowned-copy',
  },
];
