/**
 * Lives of a broken pair, as a module for life-workers.ts: `mutant-life.ts?mutant=NAME&blind=CHECKER,CHECKER`.
 *
 * The text of what the mutant breaks is changed on its way into this process, before life.ts is loaded. Without a name
 * nothing is changed. `blind`: checkers that always pass, `*` for all of them.
 *
 * Rejected: a switch in the production code for each mutant, which would ship with it, and a copy of the tree for each
 * mutant, which has to be kept apart from the one under test.
 */
import { registerHooks } from 'node:module';
import type { LifeRequest, LifeResult } from '../life.ts';
import type { CheckerFactory } from '../observation.ts';
import { mutantNamed } from './catalogue.ts';
import { editsOf, mutate } from './mutant.ts';

const root = new URL('../../../', import.meta.url).href;
const query = new URL(import.meta.url).searchParams;
const name = query.get('mutant');
const mutant = name === null ? null : mutantNamed(name);
const blind = (query.get('blind') ?? '').split(',');
const missing = new Set(mutant === null ? [] : editsOf(mutant).map((edit) => edit.file));

/** Files, from the repository's root, whose text was changed. */
export const changedFiles: string[] = [];

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const file = url.startsWith(root) ? url.slice(root.length) : '';
    if (mutant === null || !missing.delete(file)) return loaded;
    const { source } = loaded;
    if (source === undefined || source === null) throw new Error(`${file} was loaded without its text`);
    const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
    changedFiles.push(file);
    return { ...loaded, source: mutate(mutant, file, text) };
  },
});

const { live: liveOf } = await import('../life.ts');
const { everyChecker } = await import('../../checkers/every-checker.ts');
if (missing.size > 0) {
  throw new Error(`mutant ${name} changes nothing: a life does not load ${[...missing].join(', ')} any more`);
}

/** A checker that always passes takes the place of each that is to see nothing. */
const checkers = everyChecker.map(
  (create): CheckerFactory =>
    (facts) => {
      const checker = create(facts);
      const { name, promise } = checker;
      const isBlind = blind.includes('*') || blind.includes(name);
      return isBlind ? { name, promise, observe: () => {}, end: () => {} } : checker;
    },
);

export function live(request: LifeRequest): LifeResult {
  return liveOf({ ...request, checkers });
}
