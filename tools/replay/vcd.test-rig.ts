/** Reads a VCD as a viewer does (IEEE 1364-2005, clause 18), and refuses what the standard does not have. */
import assert from 'node:assert/strict';

export interface VcdSignal {
  /** `module.variable`. */
  name: string;
  bits: number;
  /** Times in units of the timescale; the first is what `$dumpvars` says, at -1. */
  changes: { time: number; value: string }[];
}

export interface Vcd {
  timescale: string;
  signals: Map<string, VcdSignal>;
  endTime: number;
}

export function parseVcd(text: string): Vcd {
  const tokens = text.split(/\s+/).filter((token) => token !== '');
  let position = 0;
  const next = (): string => {
    assert(position < tokens.length, 'the file ends too early');
    return tokens[position++]!;
  };
  const untilEnd = (): string[] => {
    const words: string[] = [];
    for (let word = next(); word !== '$end'; word = next()) words.push(word);
    return words;
  };
  const byIdentifier = new Map<string, VcdSignal>();
  const scopes: string[] = [];
  let timescale = '';
  for (let keyword = next(); keyword !== '$enddefinitions'; keyword = next()) {
    const words = untilEnd();
    if (keyword === '$timescale') timescale = words.join(' ');
    else if (keyword === '$scope') scopes.push(words[1]!);
    else if (keyword === '$upscope') scopes.pop();
    else if (keyword === '$var') {
      const [type, bits, identifier, name, ...rest] = words as [string, string, string, string];
      assert(['wire', 'reg'].includes(type) && rest.length === 0, `a variable: ${words.join(' ')}`);
      assert(/^[!-~]+$/.test(identifier) && !byIdentifier.has(identifier), `the identifier ${identifier}`);
      assert(/^[A-Za-z_$][\w$]*$/.test(name), `the name ${name}`);
      byIdentifier.set(identifier, { name: [...scopes, name].join('.'), bits: Number(bits), changes: [] });
    } else assert(['$date', '$version', '$comment'].includes(keyword), `the keyword ${keyword}`);
  }
  assert.deepEqual(untilEnd(), []);
  assert.equal(scopes.length, 0, 'every scope is left');
  let time = -1;
  while (position < tokens.length) {
    const token = next();
    if (token === '$dumpvars' || token === '$end') continue;
    if (token.startsWith('#')) {
      const following = Number(token.slice(1));
      assert(following > time || time === -1, `time ${following} after ${time}`);
      time = following;
      continue;
    }
    const vector = /^b([01x]+)$/.exec(token);
    const scalar = /^([01x])(.+)$/.exec(token);
    const value = vector?.[1] ?? scalar?.[1];
    const identifier = vector === null ? scalar?.[2] : next();
    const signal = byIdentifier.get(identifier ?? '');
    assert(value !== undefined && signal !== undefined, `the change ${token}`);
    assert(
      vector === null ? signal.bits === 1 : value.length <= signal.bits,
      `${token} of ${signal.bits} bits`,
    );
    signal.changes.push({ time, value });
  }
  const signals = new Map([...byIdentifier.values()].map((signal) => [signal.name, signal]));
  return { timescale, signals, endTime: time };
}
