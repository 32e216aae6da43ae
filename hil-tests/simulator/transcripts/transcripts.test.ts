/**
 * Golden scenarios: every `*.txt` here is lived again and must come out letter by letter as it is written.
 *
 *     vitest run hil-tests/simulator/transcripts
 *     REWRITE_TRANSCRIPTS=1 vitest run hil-tests/simulator/transcripts
 *
 * The second writes the files anew: read the difference before you commit it, for it is a change of behaviour. A new
 * scenario is a file with commands and `----` lines only, and one rewrite.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCommand } from './command.ts';
import { replayTranscript } from './replay.ts';
import { parseTranscript, renderTranscript, type Transcript } from './transcript.ts';

const folder = new URL('./', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
const linesMax = 150;
const isRewrite = process.env.REWRITE_TRANSCRIPTS === '1';

/** From a macrotask, as every life wants. */
function replayed(transcript: Transcript): Promise<Transcript> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(replayTranscript(transcript));
      } catch (error) {
        reject(error);
      }
    });
  });
}

const scenarios = [
  'both-links-cut',
  'cold-start',
  'device-restart',
  'divergence',
  'join',
  'stale-primary-wakes',
  'switchover',
  'takeover',
  'whole-pair-power-loss',
  'whole-pair-power-loss-for-long',
];

describe('golden transcripts', () => {
  it('has a file for every scenario that is promised', () => {
    expect(files.map((name) => name.replace(/\.txt$/, ''))).toEqual(expect.arrayContaining(scenarios));
  });

  it.each(files)('%s is lived as it is written', async (name) => {
    const path = new URL(name, folder);
    const written = readFileSync(path, 'utf8');
    const lived = renderTranscript(await replayed(parseTranscript(written)));
    if (isRewrite) writeFileSync(path, lived);
    else expect(lived).toBe(written);
    expect(lived.split('\n').length, 'a transcript that nobody reads guards nothing').toBeLessThan(linesMax);
  });

  it('notices one changed number', async () => {
    const written = readFileSync(new URL('takeover.txt', folder), 'utf8');
    const transcript = parseTranscript(written);
    const [run] = transcript.blocks[1]!.commands.filter((line) => line.startsWith('run'));
    const changed = parseTranscript(written.replace(run!, `run ${Number(run!.slice(4)) + 7}`));
    expect(renderTranscript(await replayed(changed))).not.toBe(written);
  });
});

describe('the language of the transcripts', () => {
  it('reads every command', () => {
    expect(parseCommand('power a b')).toEqual({ kind: 'power', boards: ['a', 'b'] });
    expect(parseCommand('cut ethernet serial')).toEqual({ kind: 'cut', links: ['ethernet', 'serial'] });
    expect(parseCommand('program ticks 5 ms')).toEqual({ kind: 'program', tickMs: 5 });
    expect(parseCommand('restore')).toEqual({ kind: 'restore', names: [] });
    expect(parseCommand('restart device')).toEqual({ kind: 'restart-device' });
  });

  it.each([
    '',
    'kill',
    'kill c',
    'run',
    'run 0',
    'run x',
    'cut a',
    'program 5',
    'start now',
    'restart',
  ])('refuses %j', (line) => expect(() => parseCommand(line)).toThrow(SyntaxError));
});

describe('the file format', () => {
  it('comes back as it was', () => {
    const text =
      '# about\n\nstart\nrun 10\n----\n 0.0 a one\n 1.0 b two\n\nrun 5\n----\n\nrun 6\n----\n 7.0 a x\n';
    expect(renderTranscript(parseTranscript(text))).toBe(text);
  });

  it('refuses a block without its rule', () => {
    expect(() => parseTranscript('start\nrun 10\n')).toThrow(SyntaxError);
  });
});
