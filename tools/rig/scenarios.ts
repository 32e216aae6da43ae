/** The scenarios of `understudy rig` with their reports in text. */
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { describeDistribution, histogram } from '../../hil-tests/report/distribution.ts';
import { type LocalRig, startLocalRig } from '../../hil-tests/rigs/local/local-rig.ts';
import type { Verification } from '../../hil-tests/rigs/local/rig-contract.ts';
import { cutCable, runUnderLoad } from '../../hil-tests/scenarios/endurance.ts';
import { complaintsOf, runTakeovers } from '../../hil-tests/scenarios/takeovers.ts';

export interface RigCommandOptions {
  count: number;
  minutes: number;
  seconds: number;
  workers: number;
  program: string;
  plant: 'tank' | 'bench';
  device: 'simulated' | 'mega';
  seed: number;
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Returns the exit code: 0 when nothing was lost, repeated or diverged and no false takeover happened. */
export async function runRigScenario(scenario: string, options: RigCommandOptions): Promise<number> {
  const run = scenarios[scenario];
  if (run === undefined) {
    process.stderr.write(
      `understudy: <scenario> must be one of ${Object.keys(scenarios).join(', ')} (got ${scenario})\n`,
    );
    return exitCodes.usage.code;
  }
  const rig = await startLocalRig({
    program: options.program,
    plant: options.plant,
    device: options.device,
  });
  rig.on('event', (event) => {
    if (event.level === 'alarm' && !expected.has(event.code))
      print(`      ${event.source} ${event.code} ${event.text}`);
  });
  const stop = (): void => {
    void rig.stop().then(() => process.exit(exitCodes.terminated.code));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    const complaints = await run(rig, options);
    for (const complaint of complaints) print(`FAILED: ${complaint}`);
    if (complaints.length === 0) print('passed');
    return complaints.length === 0 ? exitCodes.ok.code : exitCodes.failed.code;
  } finally {
    await rig.stop();
  }
}

/** Alarms that belong to the faults themselves. */
const expected = new Set(['PEER_RED', 'DEVICE_STALE', 'PAIR_SOLO', 'DEVICE_SAFE_STATE']);

const scenarios: Record<string, (rig: LocalRig, options: RigCommandOptions) => Promise<string[]>> = {
  async takeovers(rig, { count, seed }) {
    print(`seed ${seed}`);
    const { takeovers, verification } = await runTakeovers(rig, { count, seed, progress: print });
    for (const kind of ['kill-primary', 'freeze-primary']) {
      const gaps = takeovers.filter((each) => each.kind === kind);
      const attach = gaps.map((each) => each.attachGapMs);
      print('');
      print(describeDistribution(`${kind}, fault -> device follows the new term`, attach));
      const outputs = gaps.map((each) => each.outputGapMs).filter((gap) => gap !== null);
      print(describeDistribution(`${kind}, fault -> first output accepted`, outputs));
      for (const line of histogram(attach)) print(line);
    }
    report(verification);
    return complaintsOf(verification);
  },
  async load(rig, { minutes, workers }) {
    const result = await runUnderLoad(rig, { minutes, workers, progress: print });
    print(
      `${result.minutes} min with ${workers} busy processes: takeovers ${result.takeovers}, ` +
        `red verdicts ${result.redVerdicts}, unprotected ${(result.unprotectedMs / 1000).toFixed(1)} s`,
    );
    report(result.verification);
    const complaints = complaintsOf(result.verification);
    if (result.takeovers > 0) complaints.push(`${result.takeovers} false takeovers`);
    return complaints;
  },
  async cables(rig, { seconds }) {
    const complaints: string[] = [];
    for (const cable of ['ethernet', 'serial'] as const) {
      const result = await cutCable(rig, cable, seconds);
      print(
        `${cable} out for ${seconds} s: takeovers ${result.takeovers}, unprotected ${result.unprotectedMs.toFixed(0)} ms, ` +
          `heard again ${result.backAfterMs.toFixed(0)} ms after it was restored`,
      );
      if (result.takeovers > 0) complaints.push(`${cable}: ${result.takeovers} takeovers`);
      if (result.unprotectedMs > 0)
        complaints.push(`${cable}: unprotected for ${result.unprotectedMs.toFixed(0)} ms`);
    }
    await rig.stopBoards();
    const verification = await rig.verify();
    report(verification);
    return [...complaints, ...complaintsOf(verification)];
  },
};

function report(verification: Verification): void {
  print('');
  print(
    `compared ${verification.comparedBytes} bytes of ${verification.turns} turns with one uninterrupted run: ` +
      `${verification.streamMatches ? 'equal' : 'DIFFERENT'}; lost ${verification.outputsLost}, ` +
      `repeated ${verification.outputsRepeated}, rejected as stale ${verification.outputsRejectedStale}, ` +
      `divergences ${verification.divergences}`,
  );
}
