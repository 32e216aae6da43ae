/** Telling what differs: between two boards before they pair, and between two runs of one turn. */
import type { Identity } from '../../protocol/pair-message.ts';
import type { Output } from '../../protocol/record.ts';
import { compareIdentities, type RuntimeIdentity } from '../bundle/runtime-identity.ts';

/** One sentence for each difference that forbids pairing. */
export function compareIdentity(own: Identity, peer: Identity): string[] {
  const differences: string[] = [];
  if (own.programHash !== peer.programHash) {
    differences.push(`program ${own.programHash.slice(0, 12)} here, ${peer.programHash.slice(0, 12)} there`);
  }
  const runtimeOf = (identity: Identity): RuntimeIdentity => identity.runtime as unknown as RuntimeIdentity;
  return [...differences, ...compareIdentities(runtimeOf(own), runtimeOf(peer))];
}

/** The first output that differs, of both sides, and its index. `expected` came as JSON: bytes are hex there. */
export function describeDivergence(
  expected: unknown[],
  actual: Output[],
): { expected: string; actual: string; index: number } {
  const theirs = expected.map((output) => JSON.stringify(output));
  const ours = actual.map((output) =>
    JSON.stringify(output, (_key, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ),
  );
  const length = Math.max(theirs.length, ours.length);
  for (let index = 0; index < length; index++) {
    if (theirs[index] === ours[index]) continue;
    return {
      expected: theirs[index] ?? 'nothing more',
      actual: ours[index] ?? 'nothing more',
      index,
    };
  }
  return {
    expected: 'the same outputs at another time or after another turn',
    actual: 'the same outputs',
    index: 0,
  };
}
