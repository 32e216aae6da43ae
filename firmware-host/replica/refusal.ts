/**
 * Refusals: what a replica cannot offer the program, said clearly (DESIGN.md section 3).
 *
 * Some things can neither be repeated on the other board nor recorded. They fail at the call, with an error that
 * names the thing, the reason and what to do, never silently and never as a later divergence.
 */

/** Thrown by everything that is refused. `code` is `UNDERSTUDY_REFUSED`. */
export class RefusedError extends Error {
  readonly code = 'UNDERSTUDY_REFUSED';
  /** What was asked for, as the program writes it: `child_process.spawn`, `fs.watch()`. */
  readonly what: string;

  constructor(what: string, reason: string, remedy?: string) {
    super(
      `${what} is not available to a program that runs as a pair: ${reason}${remedy ? ` ${remedy}` : ''}`,
    );
    this.name = 'RefusedError';
    this.what = what;
  }
}

export interface Refusal {
  /** One sentence: why it cannot be repeated or recorded. */
  reason: string;
  /** One sentence: what to do instead. */
  remedy?: string;
}

/**
 * A function that refuses when called or constructed. It can be extended and inspected, since libraries declare
 * `class Agent extends http.Agent` when they load, and never use it.
 */
export function refusedFunction(what: string, refusal: Refusal): (...parameters: unknown[]) => never {
  const refused = function refused(): never {
    throw new RefusedError(what, refusal.reason, refusal.remedy);
  };
  Object.defineProperty(refused, 'name', { value: what.split('.').at(-1) });
  return refused;
}

/**
 * An object of the same shape as a real module: constants are given, functions refuse when called, accessors give
 * what they give at this moment. Loading a library that only mentions the module then works.
 */
export function refusedFacade(
  what: string,
  shape: object,
  refusal: Refusal,
  depth = 0,
): Record<string, unknown> {
  const facade: Record<string, unknown> = {};
  for (const key of Object.getOwnPropertyNames(shape)) {
    let member: unknown;
    try {
      member = (shape as Record<string, unknown>)[key];
    } catch {
      continue; // An accessor that throws gives nothing to imitate.
    }
    if (typeof member === 'function') facade[key] = refusedClass(`${what}.${key}`, member, refusal);
    else if (typeof member !== 'object' || member === null || Array.isArray(member)) facade[key] = member;
    else if (isPlainData(member)) facade[key] = { ...member };
    else if (depth < 2) facade[key] = refusedObject(`${what}.${key}`, member, refusal, depth + 1);
  }
  return facade;
}

/** As `refusedFunction`, with the prototype's methods refused too: `net.Socket.prototype.connect` exists. */
function refusedClass(what: string, real: object, refusal: Refusal): unknown {
  const refused = refusedFunction(what, refusal);
  const prototype = (real as { prototype?: object }).prototype;
  if (typeof prototype !== 'object' || prototype === null) return refused;
  for (const key of Object.getOwnPropertyNames(prototype)) {
    if (key === 'constructor') continue;
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key)!;
    if (typeof descriptor.value !== 'function') continue;
    const value = refusedFunction(`${what}.prototype.${key}`, refusal);
    Object.defineProperty(refused.prototype, key, { value, writable: true, configurable: true });
  }
  return refused;
}

/** Facade of an instance (`http.globalAgent`): its inherited methods refuse too. */
function refusedObject(what: string, real: object, refusal: Refusal, depth: number): Record<string, unknown> {
  const facade = refusedFacade(what, real, refusal, depth);
  const prototype = Object.getPrototypeOf(real) as object | null;
  if (prototype !== null && prototype !== Object.prototype) {
    for (const key of Object.getOwnPropertyNames(prototype)) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, key)!;
      if (key !== 'constructor' && typeof descriptor.value === 'function' && !(key in facade))
        facade[key] = refusedFunction(`${what}.${key}`, refusal);
    }
  }
  return facade;
}

function isPlainData(value: object): boolean {
  return Object.values(value).every((member) => typeof member !== 'object' && typeof member !== 'function');
}
