import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsoleItem } from '../../firmware-host/console/console-schema.ts';
import {
  Attachment,
  type AttachmentEffect,
  type AttachmentInput,
  type AttachmentOptions,
} from './attachment.ts';
import { hello, status } from './console-items.fake.ts';

/** Runs an attachment in virtual time: ticks come when they were asked for. */
class Line {
  now = 0;
  readonly written: string[] = [];
  readonly phases: string[] = [];
  readonly items: ConsoleItem[] = [];
  readonly trips: AttachmentEffect[] = [];
  opens = 0;
  closes = 0;
  readonly attachment: Attachment;
  #wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(options: Partial<AttachmentOptions> = {}) {
    this.attachment = new Attachment({ kind: 'line', reconnect: true, password: null, ...options });
  }

  give(...inputs: AttachmentInput[]): this {
    for (const input of inputs) {
      for (const effect of this.attachment.step(this.now, input)) this.#take(effect);
    }
    return this;
  }

  #take(effect: AttachmentEffect): void {
    if (effect.kind === 'open') this.opens += 1;
    else if (effect.kind === 'close') this.closes += 1;
    else if (effect.kind === 'write') this.written.push(effect.text);
    else if (effect.kind === 'phase') this.phases.push(effect.phase);
    else if (effect.kind === 'item') this.items.push(effect.item);
    else if (effect.kind === 'round-trip') this.trips.push(effect);
    else if (effect.kind === 'wake') this.#wakeAtMs = effect.atMs;
  }

  say(...items: ConsoleItem[]): this {
    return this.text(items.map((item) => `${JSON.stringify(item)}\r\n`).join(''));
  }

  text(text: string): this {
    return this.give({ kind: 'bytes', bytes: new TextEncoder().encode(text) });
  }

  /** Lets time go on. */
  until(atMs: number): this {
    while (this.#wakeAtMs <= atMs) {
      this.now = Math.max(this.now, this.#wakeAtMs);
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.give({ kind: 'tick' });
    }
    this.now = atMs;
    return this;
  }

  /** What was asked for since the last look, as commands. */
  commands(): string[] {
    return this.written.splice(0).flatMap((line) => {
      if (!line.startsWith('{')) return [line];
      return [(JSON.parse(line) as { command: string }).command];
    });
  }
}

const opened = (options?: Partial<AttachmentOptions>): Line =>
  new Line(options).give({ kind: 'begin' }, { kind: 'opened' });

describe('Attachment', () => {
  it('asks a line for JSON, then for what has happened so far', () => {
    const line = opened();
    expect(line.commands()).toEqual(['\u0015json on\r']);
    line.text('\r\nunderstudy:a primary> json on\r\n').say(hello('a'));
    expect(line.attachment.phase).toBe('live');
    expect(line.commands()).toEqual(['events', 'explain', 'status']);
  });

  it('says nothing to a socket that will say hello by itself', () => {
    expect(opened({ kind: 'socket' }).commands()).toEqual([]);
  });

  it('asks again until an item comes: the board may still be starting', () => {
    const line = opened().until(3100);
    expect(line.commands().filter((text) => text.includes('json on'))).toHaveLength(3);
    expect(line.attachment.phase).toBe('greeting');
    expect(line.say(status('a', 0)).attachment.phase).toBe('live');
  });

  it('finds items behind a prompt, between kernel messages, and in pieces', () => {
    const line = opened();
    const text = `[   12.3] usb 1-1: new device\r\nunderstudy:a> ${JSON.stringify(status('a', 5))}\r\n`;
    for (const character of text) line.text(character);
    expect(line.items).toMatchObject([{ kind: 'status', monotonicMs: 5 }]);
  });

  it('measures the round trip of its own question only', () => {
    const line = opened().say(hello('a'));
    const ask = line.written
      .map((text) => text.startsWith('{') && JSON.parse(text))
      .find((each) => each?.command === 'status');
    line.now = 8;
    line
      .say(status('a', 700))
      .say({ ...status('a', 777), answers: ask.id })
      .say({ ...status('a', 778), answers: 4711 });
    expect(line.trips).toEqual([
      { kind: 'round-trip', board: 'a', sentAtMs: 0, boardMs: 777, receivedAtMs: 8 },
    ]);
  });

  it('asks a question a second while the console is heard', () => {
    const line = opened().say(hello('a'));
    line.commands();
    for (let at = 100; at <= 5000; at += 100) line.until(at).say(status('a', at));
    expect(line.commands()).toEqual(['status', 'status', 'status', 'status', 'status']);
  });

  it('calls a console silent after three seconds, and asks for JSON: the board may have been started again', () => {
    const line = opened().say(hello('a')).until(3000);
    expect(line.attachment.phase).toBe('silent');
    line.commands();
    line.until(4600);
    expect(line.commands()).toEqual(['\u0015json on\r', 'status']);
    expect(line.say(hello('a')).attachment.phase).toBe('live');
  });

  it('opens a lost port again: soon, then ever more seldom, and at once when it was back', () => {
    const line = opened().say(hello('a')).give({ kind: 'closed', text: 'gone' });
    expect(line.attachment.phase).toBe('waiting');
    const openedAt: number[] = [];
    while (openedAt.length < 6) {
      const before = line.opens;
      line.until(line.now + 50);
      if (line.opens === before) continue;
      openedAt.push(line.now);
      line.give({ kind: 'refused', text: 'is not there' });
    }
    const pauses = openedAt.slice(1).map((at, index) => at - openedAt[index]!);
    expect(openedAt[0]).toBe(250);
    expect(pauses).toEqual([500, 1000, 2000, 2000, 2000]);
    line
      .until(line.now + 2000)
      .give({ kind: 'opened' })
      .say(hello('a'))
      .give({ kind: 'closed', text: 'gone' });
    const before = line.opens;
    expect(line.until(line.now + 250).opens).toBe(before + 1);
  });

  it('ends at the first loss when it is not to reconnect', () => {
    const line = new Line({ reconnect: false }).give(
      { kind: 'begin' },
      { kind: 'refused', text: 'is not there' },
    );
    expect(line.attachment.phase).toBe('ended');
    expect(line.until(60_000).opens).toBe(1);
  });

  it('logs in once with the password that it has, and waits for the user when that was wrong', () => {
    const line = opened({ password: 'sesam' });
    line.commands();
    line.say({ ...hello('a'), locked: true });
    expect(line.commands()).toEqual(['login sesam', 'json on']);
    line.say({ schema: 1, kind: 'error', board: 'a', monotonicMs: 1, code: 'LOGIN_FAILED', text: 'no' });
    line.say({ ...hello('a'), locked: true }).until(30_000);
    expect(line.attachment.phase).toBe('locked');
    expect(line.commands()).toEqual([]);
    line.give({ kind: 'login', password: 'other' }).say(hello('a'));
    expect(line.attachment.phase).toBe('live');
  });

  it('logs in again at a board that was started again behind the cable', () => {
    const line = opened({ password: 'sesam' })
      .say({ ...hello('a'), locked: true })
      .say(hello('a'))
      .until(5000);
    line.commands();
    line.say({ ...hello('a'), locked: true });
    expect(line.commands()).toEqual(['login sesam', 'json on']);
  });

  it.each([
    ['two words', 'login "two words"'],
    ['a"quote', `login 'a"quote'`],
    ['--reason', 'login "--reason"'],
  ])('gives the password %j as one word', (password, command) => {
    const line = opened({ password });
    line.commands();
    line.say({ ...hello('a'), locked: true });
    expect(line.commands()).toEqual([command, 'json on']);
  });

  it('gives the line back to people when it leaves', () => {
    const line = opened().say(hello('a')).give({ kind: 'leave' });
    expect(line.commands().at(-1)).toBe('json off\n');
    expect(line.closes).toBe(1);
    expect(line.give({ kind: 'bytes', bytes: new Uint8Array(3) }, { kind: 'tick' }).attachment.phase).toBe(
      'ended',
    );
  });

  it('says which schema a console has that it does not understand', () => {
    const line = opened();
    const effects = line.attachment.step(0, {
      kind: 'bytes',
      bytes: new TextEncoder().encode('{"schema":2,"kind":"status"}\n'),
    });
    expect(effects).toContainEqual({ kind: 'noise', line: '{"schema":2,"kind":"status"}' });
    expect(line.attachment.phase).toBe('greeting');
  });

  it('takes any bytes in any pieces: nothing throws, and no item is made up', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array(),
            fc.string().map((text) => new TextEncoder().encode(`{"schema":1,"kind":"status"${text}\n`)),
          ),
        ),
        (chunks) => {
          const line = opened();
          for (const bytes of chunks) line.give({ kind: 'bytes', bytes });
          expect(line.items).toEqual([]);
        },
      ),
    );
  });
});
