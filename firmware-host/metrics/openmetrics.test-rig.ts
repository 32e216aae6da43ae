/** Reads OpenMetrics 1.0 text as a strict scraper does, and refuses what the specification does not have. */
import assert from 'node:assert/strict';

export interface MetricFamily {
  name: string;
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const suffixes: Record<string, readonly string[]> = {
  counter: ['_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_count', '_sum', '_created'],
};
const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const labelPair = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

export function parseOpenMetrics(text: string): Map<string, MetricFamily> {
  assert(text.endsWith('# EOF\n'), 'the text ends with # EOF');
  const families = new Map<string, MetricFamily>();
  let family: MetricFamily | undefined;
  for (const line of text.split('\n').slice(0, -2)) {
    const meta = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (meta !== null) {
      const [, word, name, rest] = meta as unknown as [string, string, string, string];
      if (family?.name !== name) {
        assert(!families.has(name), `${name} comes in one piece`);
        family = { name, type: '', help: '', samples: [] };
        families.set(name, family);
      }
      if (word === 'TYPE') family.type = rest;
      else family.help = rest;
      continue;
    }
    const [, name, labels = '', value] = sampleLine.exec(line) ?? assert.fail(`no sample: ${line}`);
    assert(family !== undefined && name!.startsWith(family.name), `${name} follows its family`);
    assert(suffixes[family.type]?.includes(name!.slice(family.name.length)), `${name} of a ${family.type}`);
    const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
    assert(!Number.isNaN(number), line);
    family.samples.push({ name: name!, labels: labelsOf(labels, line), value: number });
  }
  for (const { name, type, help } of families.values())
    assert(type !== '' && help !== '', `${name} is described`);
  return families;
}

function labelsOf(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  labelPair.lastIndex = 0;
  while (labelPair.lastIndex < text.length) {
    const [, name, value] = labelPair.exec(text) ?? assert.fail(`labels: ${line}`);
    assert(!(name! in labels), `a label twice: ${line}`);
    labels[name!] = value!;
  }
  return labels;
}

/** The value of the one sample with these labels. */
export function sampleOf(
  families: Map<string, MetricFamily>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const samples = [...families.values()].flatMap((family) => family.samples);
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  assert(found.length <= 1, `${name} with ${JSON.stringify(labels)} is one sample`);
  return found[0]?.value;
}
