/** Programs run in replicas' processes for one test: recorded, replayed in a fresh process, compared. */
import { expect } from 'vitest';
import type { ReplicaEvent } from '../../protocol/record.ts';
import { ScriptedSupervisor, startUs } from './scripted-supervisor.fake.ts';

const running: ScriptedSupervisor[] = [];

export function replicaOf(program: string, sourceMap?: object): ScriptedSupervisor {
  const supervisor = new ScriptedSupervisor(program, sourceMap);
  running.push(supervisor);
  return supervisor;
}

/** For `afterEach`. */
export async function stopReplicas(): Promise<void> {
  await Promise.all(running.splice(0).map((supervisor) => supervisor.stop()));
}

export function stdin(text: string): ReplicaEvent {
  return { kind: 'stdin', bytes: new TextEncoder().encode(text) };
}

/** Replays a history in a fresh process and compares the digest of every turn. */
export async function expectEqualReplay(program: string, primary: ScriptedSupervisor): Promise<void> {
  const backup = replicaOf(program);
  await backup.ready();
  for (const turn of primary.history) {
    expect(await backup.replay(turn)).toMatchObject({ kind: 'done', digest: turn.digest });
  }
}

/** Runs a program for a second of virtual time with events 1.5 ms apart, then replays it. */
export async function expectReplayable(
  program: string,
  events: ReplicaEvent[] = [],
): Promise<ScriptedSupervisor> {
  const primary = replicaOf(program);
  await primary.start();
  let timeUs = startUs;
  for (const event of events) {
    timeUs += 1500;
    await primary.runUntil(timeUs);
    if (primary.exitCode === undefined) await primary.perform(timeUs, event);
  }
  await primary.runUntil(startUs + 1_000_000);
  await expectEqualReplay(program, primary);
  return primary;
}
