/**
 * The file format of a golden scenario:
 *
 *     # words for the reader
 *
 *     command
 *     command
 *     ----
 *     what happened while these commands were carried out, up to an empty line
 */
export interface Block {
  commands: string[];
  log: string[];
}

export interface Transcript {
  /** Lines, with their `#`. */
  words: string[];
  blocks: Block[];
}

const rule = '----';

export function parseTranscript(text: string): Transcript {
  const paragraphs = text
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.split('\n').filter((line) => line !== ''))
    .filter((lines) => lines.length > 0);
  const transcript: Transcript = { words: [], blocks: [] };
  for (const lines of paragraphs) {
    if (lines.every((line) => line.startsWith('#'))) {
      transcript.words.push(...lines);
      continue;
    }
    const at = lines.indexOf(rule);
    if (at < 1) throw new SyntaxError(`a block of a transcript is commands, ${rule}, log: ${lines[0]}`);
    transcript.blocks.push({ commands: lines.slice(0, at), log: lines.slice(at + 1) });
  }
  return transcript;
}

export function renderTranscript({ words, blocks }: Transcript): string {
  const paragraphs = blocks.map(({ commands, log }) => [...commands, rule, ...log].join('\n'));
  return `${[words.join('\n'), ...paragraphs].join('\n\n')}\n`;
}
