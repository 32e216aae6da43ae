/** Throws a RangeError that states the rule unless `value` is a whole number in the range. */
export function requireWhole(name: string, value: number, least: number, greatest: number): void {
  if (!Number.isInteger(value) || value < least || value > greatest) {
    throw new RangeError(`${name} must be ${least}..${greatest} (got ${value})`);
  }
}
