import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openPseudoTerminal, type PseudoTerminal } from '../../hil-tests/rigs/local/pseudo-terminal.ts';
import { FakeConsoleBoard } from './console-board.fake.ts';
import { PortConsole } from './port-console.ts';

/** What happens at a console's port, in order, to be waited for. */
class Bench {
  readonly board = new FakeConsoleBoard();
  readonly directory = mkdtempSync(join(tmpdir(), 'understudy-port-'));
  readonly path = join(this.directory, 'console');
  readonly faults: string[] = [];
  text = '';
  #watchers = new Set<() => void>();

  plug(): PseudoTerminal {
    const terminal = openPseudoTerminal();
    terminal.onData((bytes) => {
      this.text += Buffer.from(bytes).toString();
      this.#look();
    });
    rmSync(this.path, { force: true });
    symlinkSync(terminal.path, this.path);
    onTestFinished(() => terminal.close());
    return terminal;
  }

  attach(): PortConsole {
    const console = new PortConsole({
      path: this.path,
      baudRate: 115_200,
      password: null,
      board: this.board,
      onFault: (code) => {
        this.faults.push(code);
        this.#look();
      },
    });
    onTestFinished(async () => {
      await console.close();
      rmSync(this.directory, { recursive: true });
    });
    return console;
  }

  #look(): void {
    for (const watcher of this.#watchers) watcher();
  }

  until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      const timer = setTimeout(
        () => reject(new Error(`${what}\n${this.faults.join()}\n${this.text}`)),
        30_000,
      );
      this.#watchers.add(look);
      look();
    });
  }
}

test('a port is attached, vanishes and returns: a new session each time, one report each', {
  timeout: 40_000,
}, async () => {
  const bench = new Bench();
  bench.attach();
  await bench.until(() => bench.faults.includes('CONSOLE_PORT_UNAVAILABLE'), 'the missing port is reported');
  const first = bench.plug();
  await bench.until(() => bench.text.includes('understudy a primary> '), 'greeted');
  first.write(Buffer.from('switchover --reason test\r'));
  await bench.until(() => bench.text.includes('Type yes to go on'), 'asked');
  first.close();
  await bench.until(() => bench.faults.includes('CONSOLE_PORT_LOST'), 'the lost port is reported');
  bench.text = '';
  const second = bench.plug();
  await bench.until(() => bench.text.includes('understudy a primary> '), 'greeted again');
  // The question was the last session's.
  second.write(Buffer.from('yes\r'));
  await bench.until(() => bench.text.includes('nothing waits to be confirmed'), 'nothing to confirm');
  expect(bench.board.orders).toEqual([]);
  expect(bench.faults.filter((code) => code === 'CONSOLE_PORT_LOST').length).toBe(1);
  second.write(Buffer.from('switchover --reason test --yes\r'));
  await bench.until(() => bench.board.orders.length === 1, 'ordered');
  expect(bench.board.orders[0]?.from).toBe(bench.path);
});

test('reports reach the port, and a reader that does not read costs no memory', {
  timeout: 40_000,
}, async () => {
  const bench = new Bench();
  const terminal = bench.plug();
  const console = bench.attach();
  await bench.until(() => bench.text.includes('understudy a primary> '), 'greeted');
  terminal.pause();
  const report = { level: 'alarm' as const, code: 'PEER_RED', text: 'x'.repeat(200) };
  for (let index = 1; index <= 5000; index++) console.event({ index, monotonicMs: 0, wallTimeMs: 0, report });
  terminal.resume();
  terminal.write(Buffer.from('version\r'));
  await bench.until(() => bench.text.includes('console schema'), 'answered after all');
  expect(bench.text).toContain('left out: this line could not take them');
  expect(bench.text.length).toBeLessThan(5000 * 200);
});
