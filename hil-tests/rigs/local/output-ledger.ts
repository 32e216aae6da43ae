/** What the simulated device accepted and refused over its life: the numbers that "nothing lost, nothing repeated" is read from. */
import { crc32 } from '../../../protocol/crc.ts';
import type { DeviceSummary, SessionSummary } from './device-events.ts';

export class OutputLedger {
  readonly #sessions: SessionSummary[] = [];
  rejectedFrames = 0;
  rejectedBytes = 0;
  safeStates = 0;
  takeovers = 0;
  inputBytes = 0;
  inputBytesLost = 0;
  discardedFrames = 0;

  beginSession(session: number): void {
    this.#sessions.push({ session, outputBytes: 0, outputCrc32: 0, outputBytesByPort: [0, 0] });
  }

  /** Returns the offset of the first of these bytes. */
  output(port: 0 | 1, bytes: Uint8Array): number {
    const session = this.#sessions.at(-1)!;
    const offset = session.outputBytes;
    session.outputBytes += bytes.length;
    session.outputBytesByPort[port] += bytes.length;
    session.outputCrc32 = crc32(bytes, session.outputCrc32);
    return offset;
  }

  summary(effects: { count: number; digest: number }): DeviceSummary {
    return {
      sessions: this.#sessions,
      rejectedFrames: this.rejectedFrames,
      rejectedBytes: this.rejectedBytes,
      safeStates: this.safeStates,
      takeovers: this.takeovers,
      inputBytes: this.inputBytes,
      inputBytesLost: this.inputBytesLost,
      discardedFrames: this.discardedFrames,
      effects,
    };
  }
}
