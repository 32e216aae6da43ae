/** A module's members in an object that can be changed. Accessors stay accessors: reading a deprecated one warns. */
export function copyOfModule(real: object): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(real))) {
    if ('value' in descriptor) descriptor.writable = true;
    Object.defineProperty(copy, name, { ...descriptor, configurable: true });
  }
  return copy;
}
