import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { scratchFolder, startCommand } from '../command-line.test-rig.ts';
import { programFile, recordJournal } from '../replay/recorded-journal.test-rig.ts';

const tank = fileURLToPath(new URL('../../examples/tank.js', import.meta.url));
const deadlineMs = 60_000;

const ticker = `
  let count = 0;
  setInterval(() => { count += 1; if (count % 10 === 0) console.log('ten', count); }, 20);
`;

test('the debugger stops at the first line of the program in the turn, and goes on when told', {
  timeout: deadlineMs,
}, async () => {
  const program = programFile(ticker);
  const journal = await recordJournal(program, 600);
  const words = ['replay', journal.file, '--program', program, '--until', '20', '--inspect', '0'];
  const command = startCommand(words);
  const news = await command.errorLine(/^understudy: debugger at /);
  expect(command.stderr()).toMatch(/^understudy: paused in turn 20 at program\.js:3:\d+$/m);
  const debugged = await Debugged.attach(news.slice(news.indexOf('ws://')));
  // What a debugger is told that comes when the program stands already.
  const { callFrames } = await debugged.event('Debugger.paused');
  const [top] = callFrames as { callFrameId: string; location: { scriptId: string; lineNumber: number } }[];
  expect(debugged.scripts.get(top!.location.scriptId)).toBe('file:///programs/program.js');
  const count = await debugged.call('Debugger.evaluateOnCallFrame', {
    callFrameId: top!.callFrameId,
    expression: 'count',
  });
  // Twenty turns of the timer have come, of which this one has not counted yet.
  expect(count).toMatchObject({ result: { type: 'number', value: 19 } });
  await debugged.call('Debugger.resume');
  const ended = await command.ended;
  debugged.close();
  expect(ended.code).toBe(exitCodes.ok.code);
  expect(ended.stderr).toMatch(/^understudy: resumed$/m);
  expect(ended.stdout).toContain('stdout: "ten 20\\n"');
  expect(ended.stdout).toMatch(/^21 turns, .* equal\n$/m);
});

test('the debugger stops at the end of a turn in which nothing of the program runs', {
  timeout: deadlineMs,
}, async () => {
  const journal = await recordJournal(tank, 200);
  const turn = journal.records.findIndex(({ kind }, index) => kind === 'turn' && index === 2);
  const command = startCommand([
    'replay',
    journal.file,
    '--program',
    tank,
    '--until',
    String(turn),
    '--inspect',
    '0',
  ]);
  const news = await command.errorLine(/^understudy: debugger at /);
  expect(command.stderr()).toMatch(/^understudy: paused at the end of turn 2: no line/m);
  const debugged = await Debugged.attach(news.slice(news.indexOf('ws://')));
  await debugged.event('Debugger.paused');
  await debugged.call('Debugger.resume');
  expect((await command.ended).code).toBe(exitCodes.ok.code);
  debugged.close();
});

test('a replay that is ended in the debugger leaves nothing behind', { timeout: deadlineMs }, async () => {
  const program = programFile(ticker);
  const journal = await recordJournal(program, 200);
  const scratch = scratchFolder();
  const words = ['replay', journal.file, '--program', program, '--inspect', '0'];
  const command = startCommand(words, { env: { TMPDIR: scratch } });
  const news = await command.errorLine(/^understudy: debugger at /);
  expect(readdirSync(scratch)).toHaveLength(1);
  command.child.kill('SIGTERM');
  expect((await command.ended).code).toBe(exitCodes.terminated.code);
  expect(readdirSync(scratch)).toEqual([]);
  await expect(Debugged.attach(news.slice(news.indexOf('ws://')))).rejects.toThrow('no debugger');
});

/** A debugger: one client of the inspector's protocol. */
class Debugged {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (result: unknown) => void>();
  readonly #events: { method: string; params: Record<string, unknown> }[] = [];
  #wake: (() => void) | null = null;
  #id = 0;
  readonly scripts = new Map<string, string>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('close', () => this.#closed());
    socket.addEventListener('message', ({ data }) => {
      const { id, method, params, result } = JSON.parse(String(data));
      if (method === 'Debugger.scriptParsed') this.scripts.set(params.scriptId, params.url);
      if (id === undefined) this.#events.push({ method, params });
      else this.#answers.get(id)?.(result);
      this.#wake?.();
    });
  }

  /** The process ends with its replay, at times before it has answered an order to go on. */
  #closed(): void {
    for (const resolve of this.#answers.values()) resolve(null);
  }

  static async attach(url: string): Promise<Debugged> {
    const socket = new WebSocket(url);
    const debugged = new Debugged(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error(`no debugger at ${url}`)));
    });
    await debugged.call('Debugger.enable');
    return debugged;
  }

  call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#id;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.#answers.set(id, resolve));
  }

  async event(method: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.#events.find((each) => each.method === method);
      if (found !== undefined) return found.params;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#socket.close();
  }
}
