/** `tty` and `repl` as the program sees them: over the pair's console, with the mediated modules. */
import repl from 'node:repl';
import type tty from 'node:tty';
import { refusedFunction } from '../refusal.ts';
import type { TurnContext } from '../turn-context.ts';
import { copyOfModule } from './module-copy.ts';

const streams = {
  reason: 'terminals of one board are not seen by the other.',
  remedy: 'Use process.stdin and process.stdout.',
};

export function createTty(context: TurnContext): typeof tty {
  return {
    isatty: (descriptor: number) => descriptor === 0 && context.start.stdinIsTerminal,
    ReadStream: refusedFunction('tty.ReadStream', streams),
    WriteStream: refusedFunction('tty.WriteStream', streams),
  } as unknown as typeof tty;
}

const files = {
  reason: 'it would read or write a file of one board only.',
  remedy: 'Use fs in the session.',
};

/**
 * Node's own `repl`, whose sessions reach modules through the program's `require`. `.save` and `.load`, which use the
 * real file system, are refused, and so is a history file.
 */
export function createRepl(require: (name: string) => unknown, builtins: readonly string[]): typeof repl {
  const start = (given?: string | repl.ReplOptions): repl.REPLServer => {
    const options = typeof given === 'string' ? { prompt: given } : (given ?? {});
    const server = repl.start({ input: process.stdin, output: process.stdout, ...options });
    const equip = (): void => {
      const context = server.context as Record<string, unknown>;
      const define = (name: string, get: () => unknown): void => {
        const set = (value: unknown): void => {
          Object.defineProperty(context, name, {
            value,
            writable: true,
            enumerable: true,
            configurable: true,
          });
        };
        Object.defineProperty(context, name, { get, set, enumerable: false, configurable: true });
      };
      for (const name of builtins) {
        if (/^[a-z]\w*$/.test(name) && name !== 'process' && name !== 'console')
          define(name, () => require(name));
      }
      define('require', () => require);
    };
    // With `useGlobal` the context is the program's own world already.
    if (options.useGlobal !== true) {
      equip();
      server.on('reset', equip);
    }
    for (const command of ['save', 'load']) {
      const refused = refusedFunction(`the command .${command} of repl`, files);
      server.defineCommand(command, {
        help: 'not available to a pair',
        action() {
          try {
            refused();
          } catch (error) {
            this.output.write(`${(error as Error).message}\n`);
          }
          this.displayPrompt();
        },
      });
    }
    Object.assign(server, { setupHistory: refusedFunction('REPLServer.setupHistory', files) });
    return server;
  };
  const mediated = copyOfModule(repl);
  mediated.start = start;
  return mediated as unknown as typeof repl;
}
