/**
 * `async_hooks` as the program sees it. AsyncLocalStorage and AsyncResource are computed alike on both boards. The
 * runtime's own ids are not: a board counts its sockets among them. So ids are constants or the program's own.
 */
import asyncHooks from 'node:async_hooks';
import { refusedFunction } from '../refusal.ts';

const ids = {
  reason: 'its ids count what the board itself does.',
  remedy: 'Use AsyncLocalStorage.',
};

export function createAsyncHooks(): typeof asyncHooks {
  let resources = 1;
  class AsyncResource extends asyncHooks.AsyncResource {
    readonly #id = ++resources;
    override asyncId(): number {
      return this.#id;
    }
    override triggerAsyncId(): number {
      return 0;
    }
  }
  return {
    ...asyncHooks,
    AsyncResource,
    createHook: refusedFunction('async_hooks.createHook', ids) as typeof asyncHooks.createHook,
    executionAsyncId: () => 1,
    triggerAsyncId: () => 0,
    executionAsyncResource: () => ({}),
  };
}
