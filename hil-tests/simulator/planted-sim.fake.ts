/** `npm run sim` over planted lives: an entry of its own, so that the real one has no switch for it. */
import { sim } from './main.ts';
import { scenarios } from './planted-life.fake.ts';

const lifeModule = new URL('planted-life.fake.ts', import.meta.url);
process.exitCode = await sim(process.argv.slice(2), { lifeModule, scenarios });
