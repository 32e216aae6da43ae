/** The role machine, broken: who leads, and when (protocol/README.md §10). */
import type { Mutant } from './mutant.ts';

const file = 'protocol/pair.ts';

export const roleMutants: readonly Mutant[] = [
  {
    name: 'gate-open-before-acknowledgement',
    breaks: 'a protected primary lets outputs out before the backup has their record',
    promise: 'DESIGN §1.3, §3 (Output Rule)',
    file,
    find: "{ kind: 'gate', mode: 'acknowledged' },",
    replace: "{ kind: 'gate', mode: 'open' },",
    scenario: 'takeovers',
  },
  {
    name: 'solo-without-new-term',
    breaks: 'a primary that hears no backup any more goes on alone under the term it has',
    promise: 'DESIGN §5',
    file,
    find: "return this.#contend(now, 'solo', this.term + 1, why);\n      case 'joining':",
    replace: `return [
          { kind: 'gate', mode: 'open' },
          report('alarm', 'PAIR_SOLO', why),
          { kind: 'announce' },
        ];
      case 'joining':`,
    scenario: 'split-brain',
  },
  {
    name: 'takeover-under-the-old-term',
    breaks: 'a backup takes over under the term of the dead primary',
    promise: 'DESIGN §1.2, §1.5',
    file,
    find: "return this.#contend(now, 'takeover', this.term + 1, why);",
    replace: "return this.#contend(now, 'takeover', this.term, why);",
    scenario: 'takeovers',
  },
  {
    name: 'joining-board-takes-over',
    breaks: 'a board that has only begun to join takes over when the primary falls silent',
    promise: 'DESIGN §1.3, §8',
    file,
    find: "      case 'joining':\n        this.#waitingSince = now;\n        this.#joinBroken = true;\n",
    replace: `      case 'joining':
        if (!restarted) return this.#contend(now, 'takeover', this.term + 1, why);
        this.#waitingSince = now;
        this.#joinBroken = true;
`,
    scenario: 'gone-while-joining',
  },
  {
    name: 'stale-journal-leads',
    breaks: 'a board alone leads although the device has obeyed terms of which its journal knows nothing',
    promise: 'DESIGN §8 (board starts alone)',
    file: 'protocol/lone-start.ts',
    find: 'if (heldTerm <= journal.term) return',
    replace: 'if (heldTerm >= 0) return',
    scenario: 'port-then-primary',
  },
  {
    name: 'older-journal-leads',
    breaks: 'when both boards start, the one leads whose journal ends in the older reign',
    promise: 'DESIGN §8 (both boards lose power)',
    file: 'protocol/journal-order.ts',
    find: 'if (own.term !== peer.term) return own.term > peer.term;',
    replace: 'if (own.term !== peer.term) return own.term < peer.term;',
    scenario: 'power',
  },
  {
    name: 'shorter-journal-leads',
    breaks: 'when both boards start, of two journals of one reign the shorter one leads',
    promise: 'DESIGN §8 (both boards lose power)',
    file: 'protocol/journal-order.ts',
    find: 'if (own.turns !== peer.turns) return own.turns > peer.turns;',
    replace: 'if (own.turns !== peer.turns) return own.turns < peer.turns;',
    scenario: 'blackout',
  },
  {
    name: 'stale-primary-stays',
    breaks: 'a primary that the device calls stale goes on as a primary',
    promise: 'DESIGN §8 (old primary wakes)',
    file,
    find: "if (this.role === 'primary' && heldTerm > this.term) {",
    replace: "if (this.role === 'primary' && heldTerm < 0) {",
    scenario: 'stale-primary',
  },
  {
    name: 'two-primaries-go-on',
    breaks:
      'a primary does not step down for another one with a greater term, nor for a device that follows it',
    promise: 'DESIGN §5, §8',
    file,
    find: "      case 'primary':\n        return term > this.term ?",
    replace: "      case 'primary':\n        return term < 0 ?",
    also: [
      {
        file,
        find: "if (this.role === 'primary' && heldTerm > this.term) {",
        replace: "if (this.role === 'primary' && heldTerm < 0) {",
      },
    ],
    scenario: 'stale-primary',
  },
  {
    name: 'failed-replica-keeps-the-reign',
    breaks: 'a protected primary whose replica has failed does not hand over',
    promise: 'DESIGN §3, §1.5',
    file,
    find: "if (this.role !== 'primary' || !this.protected || this.#handingOver) return [];",
    replace: "if (this.role === 'primary') return [];",
    scenario: 'replicas',
  },
];
