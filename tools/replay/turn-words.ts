/**
 * What a turn's event and outputs were, in words and as signals: ports by the names that the program opened them by,
 * bytes as Firmata where they are. Has to be shown every turn in order, because messages straddle turns.
 */
import type { Output, ReplicaEvent } from '../../protocol/record.ts';
import { visibleText } from '../journal/lines.ts';
import { FirmataPort, hex, type SignalChange } from './firmata-stream.ts';

export interface TurnWords {
  event: string[];
  outputs: string[];
  changes: (SignalChange & { device: string })[];
}

export class TurnInterpreter {
  readonly #ports = new Map<number, { name: string; stream: FirmataPort }>();

  interpret(event: ReplicaEvent | null, outputs: readonly Output[]): TurnWords {
    const words: TurnWords = { event: [], outputs: [], changes: [] };
    if (event !== null) this.#event(event, words);
    for (const output of outputs) this.#output(output, words);
    return words;
  }

  #port(port: number): { name: string; stream: FirmataPort } {
    const known = this.#ports.get(port);
    if (known !== undefined) return known;
    const created = { name: `port${port}`, stream: new FirmataPort() };
    this.#ports.set(port, created);
    return created;
  }

  #event(event: ReplicaEvent, words: TurnWords): void {
    if (event.kind !== 'port-data') {
      words.event.push(eventText(event));
      return;
    }
    const { name, stream } = this.#port(event.port);
    const messages = stream.push('in', event.bytes);
    words.event.push(`${event.bytes.length} bytes from ${name}: ${hex(event.bytes)}`);
    for (const { text, changes } of messages) {
      words.event.push(`  ${text}`);
      for (const change of changes) words.changes.push({ ...change, device: name });
    }
  }

  #output(output: Output, words: TurnWords): void {
    switch (output.kind) {
      case 'write': {
        const { name, stream } = this.#port(output.port);
        words.outputs.push(`${output.bytes.length} bytes to ${name}: ${hex(output.bytes)}`);
        for (const { text, changes } of stream.push('out', output.bytes)) {
          words.outputs.push(`  ${text}`);
          for (const change of changes) words.changes.push({ ...change, device: name });
        }
        return;
      }
      case 'request':
        if (output.operation === 'open') {
          const { path } = JSON.parse(output.argument) as { path?: unknown };
          if (typeof path === 'string') this.#port(output.port).name = visibleText(path.split('/').at(-1)!);
        }
        words.outputs.push(`request ${output.request}: ${output.operation} ${visibleText(output.argument)}`);
        return;
      case 'console': {
        const value = visibleText(Buffer.from(output.bytes).toString());
        words.outputs.push(`${output.stream}: "${value}"`);
        words.changes.push({ device: 'program', direction: 'out', signal: output.stream, value, bits: 0 });
        return;
      }
      case 'exit':
        words.outputs.push(`exit with code ${output.code}`);
    }
  }
}

function eventText(event: Exclude<ReplicaEvent, { kind: 'port-data' }>): string {
  switch (event.kind) {
    case 'start':
      return `start of the program, argv ${visibleText(event.argv.join(' '))}, ports ${visibleText(event.ports.join(' '))}`;
    case 'time':
      return 'time reached';
    case 'completed':
      return `request ${event.request} ${event.ok ? 'succeeded' : 'failed'}: ${visibleText(event.result)}`;
    case 'port-lost':
      return `port ${event.port} lost: ${visibleText(event.reason)}`;
    case 'port-credit':
      return `port ${event.port} takes ${event.bytes} bytes more`;
    case 'stdin':
      return `standard input: "${visibleText(Buffer.from(event.bytes).toString())}"`;
    case 'stdin-end':
      return 'end of standard input';
    case 'signal':
      return `signal ${visibleText(event.signal)}`;
  }
}
