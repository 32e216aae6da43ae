/** The messages of one board to the other, as they leave for the first time; what is sent again is told apart. */
import { decodePairMessage, type PairMessage } from '../../../protocol/pair-message.ts';
import type { DatagramContents } from '../datagram-contents.ts';

export interface Departure {
  messages: PairMessage[];
  /** Fragments among them that had been sent before. */
  repeated: number;
}

export class MessageStream {
  #keysId: number | null = null;
  /** Processes of both boards so far: with a new one among them, new keys begin new streams (protocol/README.md §7.1). */
  #processes = 0;
  #lastSequence = 0;
  #pieces: Uint8Array[] = [];

  depart(contents: DatagramContents, processes: number): Departure {
    const departure: Departure = { messages: [], repeated: 0 };
    if (contents.kind !== 'sealed') return departure;
    if (contents.keysId !== this.#keysId) {
      this.#keysId = contents.keysId;
      if (processes !== this.#processes) this.#restart(processes);
    }
    for (const frame of contents.frames) {
      if (frame.kind !== 'data') continue;
      for (const { sequence, last, bytes } of frame.fragments) {
        if (sequence <= this.#lastSequence) {
          departure.repeated += 1;
          continue;
        }
        this.#lastSequence = sequence;
        this.#pieces.push(bytes);
        if (last) departure.messages.push(decodePairMessage(Buffer.concat(this.#pieces.splice(0))));
      }
    }
    return departure;
  }

  #restart(processes: number): void {
    this.#processes = processes;
    this.#lastSequence = 0;
    this.#pieces = [];
  }
}
