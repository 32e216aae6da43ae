import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runBare } from './bare/run.ts';
import { activityDeadlineMs, examples, type ProgramEntry, programPath, programs } from './manifest.ts';

const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));

/** What is in the folder without being a program: what programs read or import, and what Node and tsc need. */
const companions = new Set([
  'package.json',
  'config-file.json',
  'greenhouse/package.json',
  'greenhouse/climate.ts',
  'greenhouse/johnny-five.d.ts',
]);

function filesInFixtures(): string[] {
  return readdirSync(fixtures, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(fixtures.length).replace(/^\//, ''));
}

/** The `// key: value` lines at a program's head; lists are separated by commas. */
function needsInComments(entry: ProgramEntry) {
  const head: string[] = [];
  for (const line of readFileSync(programPath(entry), 'utf8').split('\n')) {
    if (!line.startsWith('//')) break;
    head.push(line);
  }
  const value = (key: string) => head.find((line) => line.startsWith(`// ${key}: `))?.slice(key.length + 5);
  return {
    description: head[0]?.slice(3),
    plant: value('plant'),
    chips: value('chips')?.split(', '),
    devices: value('devices')?.split(', '),
    stdin: value('stdin')?.replaceAll('\\n', '\n'),
  };
}

describe('the list of programs', () => {
  it('names every program in the folder once, and nothing else', () => {
    const listed = programs.map((entry) => entry.file);
    expect(new Set(listed).size).toBe(listed.length);
    const present = filesInFixtures().filter((file) => !companions.has(file));
    expect(listed.toSorted()).toEqual(present.toSorted());
    expect(programs.length).toBeGreaterThanOrEqual(34);
  });

  it.each(programs)('says of $file what its comments say', (entry) => {
    const { description, ...needs } = needsInComments(entry);
    expect(description).toMatch(/^\S.{20,}\.$/);
    expect(needs).toEqual({
      plant: entry.plant,
      chips: entry.chips,
      devices: entry.devices,
      stdin: entry.stdin,
    });
  });

  it('names every example', () => {
    const folder = fileURLToPath(new URL('../../examples/', import.meta.url));
    const present = readdirSync(folder).filter((file) => file.endsWith('.js'));
    expect(examples.map((entry) => path.basename(entry.file)).toSorted()).toEqual(present.toSorted());
  });

  it('has no program that knows of the pair', () => {
    for (const entry of [...programs, ...examples])
      expect(readFileSync(programPath(entry), 'utf8')).not.toMatch(/understudy/i);
  });
});

/** Two programs run at a time: the machines that run tests have two cores. */
const slots = { free: 2, waiting: [] as (() => void)[] };

async function withSlot<T>(work: () => Promise<T>): Promise<T> {
  if (slots.free > 0) slots.free--;
  else await new Promise<void>((resolve) => slots.waiting.push(resolve));
  try {
    return await work();
  } finally {
    const next = slots.waiting.shift();
    if (next === undefined) slots.free++;
    else next();
  }
}

describe('bare, on the simulated board', { concurrent: true, timeout: 60 * activityDeadlineMs }, () => {
  it.each([...programs, ...examples])('$file works its device', async (entry) => {
    const run = await withSlot(() => runBare(entry));
    const { outputsMin, stdout, exitCode } = entry.expectation;
    expect(run.stderr).toBe('');
    expect(run.outputCount).toBeGreaterThanOrEqual(outputsMin);
    if (stdout !== undefined) expect(run.stdout).toMatch(stdout);
    expect(run.malformedCount).toBe(0);
    if (exitCode === undefined) expect(run.ended).toBe('satisfied');
    else expect(run.exitCode).toBe(exitCode);
  });
});
