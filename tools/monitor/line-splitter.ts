/** Bytes to lines. A line ends with CR, LF or both; one that is longer than `lineCharactersMax` is thrown away whole. */
export const lineCharactersMax = 4 * 1024 * 1024;

export class LineSplitter {
  #decoder = new TextDecoder();
  #parts: string[] = [];
  #length = 0;
  #isTooLong = false;

  push(bytes: Uint8Array): string[] {
    const pieces = this.#decoder.decode(bytes, { stream: true }).split(/[\r\n]/);
    const lines: string[] = [];
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) this.#end(lines);
      this.#length += piece.length;
      if (this.#length > lineCharactersMax) {
        this.#isTooLong = true;
        this.#parts = [];
      } else if (piece !== '') this.#parts.push(piece);
    }
    return lines;
  }

  #end(lines: string[]): void {
    const line = this.#parts.join('');
    if (this.#isTooLong) lines.push('(a line that is too long was left out)');
    else if (line !== '') lines.push(line);
    this.#forget();
  }

  /** Forgets a line that has begun: its port is gone. */
  reset(): void {
    this.#decoder = new TextDecoder();
    this.#forget();
  }

  #forget(): void {
    this.#parts = [];
    this.#length = 0;
    this.#isTooLong = false;
  }
}
