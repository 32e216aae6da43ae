/** The pair itself, as the local rig runs it, in front of the fenced device. */
import { type LocalRig, startLocalRig } from '../../../hil-tests/rigs/local/local-rig.ts';
import { type BoardName, other } from '../../../hil-tests/rigs/local/rig-contract.ts';
import { complaintsOf } from '../../../hil-tests/scenarios/takeovers.ts';
import {
  type Account,
  type Contestant,
  type ContestantEntry,
  type FaultId,
  workPhaseMs,
} from './contestant.ts';
import { countingProgram } from './counting-program.ts';
import { OutputWatch } from './output-watch.ts';

const wholeWithinMs = 30_000;

class UnderstudyContestant implements Contestant {
  readonly watch = new OutputWatch();
  readonly #ethernet: 'cable' | 'direct';
  #rig: LocalRig | null = null;
  #struck: BoardName = 'a';

  constructor(ethernet: 'cable' | 'direct') {
    this.#ethernet = ethernet;
  }

  get #running(): LocalRig {
    return this.#rig!;
  }

  async start(): Promise<void> {
    this.#rig = await startLocalRig({ program: countingProgram, plant: 'tank', ethernet: this.#ethernet });
    this.#rig.on('output', (output) => this.watch.take(output));
    await this.#whole();
  }

  async #whole(): Promise<void> {
    await this.#running.until((rig) => rig.isProtected(), wholeWithinMs, 'the pair is protected');
    if (!(await this.watch.flows(2, wholeWithinMs)))
      throw new Error('the pair is protected but gives no output');
  }

  strike(fault: FaultId): void {
    const rig = this.#running;
    this.#struck = rig.primary()!;
    switch (fault) {
      case 'kill':
        return rig.kill(this.#struck);
      case 'kill-program':
        return rig.killReplica(this.#struck);
      case 'freeze':
        return rig.freeze(this.#struck);
      case 'power-cut':
        rig.cut('serial');
        rig.cut('ethernet');
        return rig.kill(this.#struck);
      case 'hang':
        return rig.hangReplica(this.#struck);
      case 'switchover':
        return rig.switchover();
    }
  }

  async recover(fault: FaultId): Promise<void> {
    const rig = this.#running;
    const struck = this.#struck;
    if (fault === 'kill' || fault === 'power-cut') {
      await rig.until((each) => !each.boards[struck].running, wholeWithinMs, 'the killed board is gone');
      rig.restore('serial');
      rig.restore('ethernet');
      rig.restart(struck);
    }
    if (fault === 'freeze') rig.thaw(struck);
    await rig.until(
      (each) => each.device.attachedBoard === other(struck),
      wholeWithinMs,
      'the other board leads',
    );
    await this.#whole();
  }

  async stop(): Promise<Account | null> {
    const rig = this.#rig;
    if (rig === null) return null;
    try {
      await rig.stopBoards();
      const verification = await rig.verify();
      const { comparedBytes, turns } = verification;
      return { comparedBytes, turns, complaints: complaintsOf(verification) };
    } finally {
      await rig.stop();
    }
  }
}

export const understudyEntry: ContestantEntry = {
  id: 'understudy',
  what: 'Understudy: a protected pair, defaults',
  missing: () => null,
  refusal: () => null,
  phaseMs: () => workPhaseMs,
  lanes: () => 1,
  patienceMs: 10_000,
  // A cable that can be cut is a relay, which only a power cut needs.
  create: (fault) => new UnderstudyContestant(fault === 'power-cut' ? 'cable' : 'direct'),
};
