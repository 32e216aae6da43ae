/**
 * Promise 2 (DESIGN section 1), and section 4: what no board of the pair has sealed changes nothing.
 *
 * Both boards of a life run one program under one pair key. So a board that ends because the other has another key
 * or another program was told so by somebody else.
 */
import { type Checker, type CheckerFactory, type Observed, Violation } from '../simulator/observation.ts';

class ForgedInput implements Checker {
  readonly name = 'forged-input';
  readonly promise = '2: no split brain, whatever is cut; section 4: nothing unsealed is listened to';

  observe(observed: Observed): void {
    if (observed.kind === 'forged' && observed.changed.length > 0) {
      const { board, how, changed } = observed;
      throw new Violation(
        this.name,
        `a forged datagram (${how}) changed ${changed.join(', ')} of board ${board}`,
      );
    }
    if (observed.kind === 'board-down') {
      const { board, exit } = observed;
      if (exit !== 'PEER_KEY_MISMATCH' && exit !== 'PAIR_MISMATCH') return;
      throw new Violation(this.name, `board ${board} ended with ${exit}, but both boards are of one pair`);
    }
  }

  end(): void {}
}

export const forgedInput: CheckerFactory = () => new ForgedInput();
