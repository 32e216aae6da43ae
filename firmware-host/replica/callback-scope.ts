/**
 * The asynchronous context in which a callback was handed over: AsyncLocalStorage and `domain` see it again
 * when the callback runs, as with Node's own timers.
 */
import { AsyncResource } from 'node:async_hooks';

export type Uncaught = (error: unknown) => void;

export class CallbackScope {
  readonly #resource: AsyncResource;

  constructor(type: string) {
    this.#resource = new AsyncResource(type, { requireManualDestroy: true });
  }

  /** What `callback` throws goes to `uncaught` while the context still holds: its domain takes the error. */
  run(callback: () => void, uncaught: Uncaught): void {
    this.#resource.runInAsyncScope(() => {
      try {
        callback();
      } catch (error) {
        uncaught(error);
      }
    });
  }
}
