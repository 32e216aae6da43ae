/** The socket that systemd would have: a real AF_UNIX datagram socket, made through libc, that keeps what it is told. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import koffi from 'koffi';
import { onTestFinished } from 'vitest';
import { unixAddress } from './notify-socket.ts';

const familyUnix = 1;
const typeDatagram = 2;
const dontWait = 0x40;
const inputReady = 1;
const messageBytesMax = 4096;

const libc = koffi.load(null);
const pollDescriptor = koffi.struct('NotifyPollDescriptor', {
  fd: 'int',
  events: 'int16_t',
  revents: 'int16_t',
});
const socketOf = libc.func('int socket(int domain, int type, int protocol)');
const bind = libc.func('int bind(int socket, const void *address, uint32_t addressLength)');
const recv = libc.func('intptr_t recv(int socket, _Out_ void *bytes, size_t length, int flags)');
const poll = libc.func('int poll(_Inout_ NotifyPollDescriptor *descriptors, uint64_t count, int timeoutMs)');
const close = libc.func('int close(int socket)');
assert.equal(koffi.sizeof(pollDescriptor), 8);

/** Short, so that the thread which waits is soon free again when the test has ended. */
const waitMs = 100;

export class NotifyReceiver {
  readonly #socket: number;
  readonly messages: string[] = [];

  /** A path or `@name`. Gone when the test ends. */
  constructor(address: string) {
    this.#socket = socketOf(familyUnix, typeDatagram, 0) as number;
    const bytes = unixAddress(address);
    assert(bytes !== null, address);
    assert.equal(bind(this.#socket, bytes, bytes.length), 0, `bind(2) ${address}: errno ${koffi.errno()}`);
    onTestFinished(() => {
      close(this.#socket);
      if (address.startsWith('/')) rmSync(address, { force: true });
    });
  }

  /** Takes what has come; none: nothing has. */
  take(): string[] {
    const taken: string[] = [];
    const bytes = Buffer.alloc(messageBytesMax);
    for (;;) {
      const length = Number(recv(this.#socket, bytes, bytes.length, dontWait));
      if (length < 0) break;
      taken.push(bytes.toString('utf8', 0, length));
    }
    this.messages.push(...taken);
    return taken;
  }

  /** Waits for a message that fits, among those that have not been waited for. */
  async next(fits: RegExp, deadlineMs = 20_000): Promise<string> {
    const until = performance.now() + deadlineMs;
    for (let from = 0; performance.now() < until; ) {
      this.take();
      const found = this.messages.findIndex((message, index) => index >= from && fits.test(message));
      if (found >= 0) {
        const message = this.messages[found]!;
        this.messages.splice(0, found + 1);
        return message;
      }
      from = this.messages.length;
      await this.#arrival();
    }
    throw new Error(`nothing like ${fits} came in ${deadlineMs} ms, but ${JSON.stringify(this.messages)}`);
  }

  /** Resolves when something has come, or after a while. */
  #arrival(): Promise<void> {
    const descriptors = [{ fd: this.#socket, events: inputReady, revents: 0 }];
    return new Promise((resolve) => poll.async(descriptors, 1, waitMs, () => resolve()));
  }
}
