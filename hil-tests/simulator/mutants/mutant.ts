/**
 * A mutant: one rule of the protocol, deliberately broken, as data. Production code has no switch for it: the text of
 * the module is changed while it is loaded (mutant-life.ts), in a process of its own.
 */
export interface Edit {
  /** From the repository's root. */
  file: string;
  /** Source text that occurs exactly once in the file. */
  find: string;
  replace: string;
}

export interface Mutant extends Edit {
  name: string;
  /** Which rule it breaks, in a sentence. */
  breaks: string;
  /** What is promised no more: a place in DESIGN.md, or in protocol/README.md. */
  promise: string;
  /** Where a rule is kept in two places, the other one. */
  also?: Edit[];
  /** The scenario that provokes what the rule is for; without one, `any`, in which every fourth life is lived anyway. */
  scenario?: string;
}

export function editsOf(mutant: Mutant): Edit[] {
  return [mutant, ...(mutant.also ?? [])];
}

/** The file's text with all of the mutant's edits for it. Throws when one does not occur exactly once. */
export function mutate(mutant: Mutant, file: string, text: string): string {
  let mutated = text;
  for (const edit of editsOf(mutant)) {
    if (edit.file !== file) continue;
    const pieces = mutated.split(edit.find);
    if (pieces.length !== 2) {
      throw new Error(
        `mutant ${mutant.name}: its text must occur exactly once in ${file} (got ${pieces.length - 1} times)`,
      );
    }
    mutated = pieces.join(edit.replace);
  }
  return mutated;
}
