/** All checkers of a life. */
import type { CheckerFactory } from '../simulator/observation.ts';
import { boundedBuffers } from './bounded-buffers.ts';
import { boundedLag } from './bounded-lag.ts';
import { claimsGoUp } from './claims-go-up.ts';
import { divergedNeverLeads } from './diverged-never-leads.ts';
import { equalDigests } from './equal-digests.ts';
import { forgedInput } from './forged-input.ts';
import { inputsOnce } from './inputs-once.ts';
import { journalBeforeAcknowledge } from './journal-before-acknowledge.ts';
import { noFalseTakeover } from './no-false-takeover.ts';
import { noLostRecords } from './no-lost-records.ts';
import { noSilentResume } from './no-silent-resume.ts';
import { oneTermOneBoard } from './one-term-one-board.ts';
import { outputRule } from './output-rule.ts';
import { ownReignKnown } from './own-reign-known.ts';
import { programGoesOn } from './program-goes-on.ts';
import { protectedAgain } from './protected-again.ts';
import { protectedIsTrue } from './protected-is-true.ts';
import { safeInTime } from './safe-in-time.ts';
import { soloNeedsATerm } from './solo-needs-a-term.ts';
import { staleJournalNeverLeads } from './stale-journal-never-leads.ts';
import { staleStepsDown } from './stale-steps-down.ts';
import { takeoverInTime } from './takeover-in-time.ts';
import { timeNeverBackwards } from './time-never-backwards.ts';
import { uninterruptedOutput } from './uninterrupted-output.ts';

export const everyChecker: readonly CheckerFactory[] = [
  oneTermOneBoard,
  soloNeedsATerm,
  outputRule,
  journalBeforeAcknowledge,
  uninterruptedOutput,
  equalDigests,
  inputsOnce,
  noLostRecords,
  staleJournalNeverLeads,
  ownReignKnown,
  staleStepsDown,
  claimsGoUp,
  safeInTime,
  noSilentResume,
  noFalseTakeover,
  takeoverInTime,
  divergedNeverLeads,
  forgedInput,
  boundedBuffers,
  boundedLag,
  timeNeverBackwards,
  protectedAgain,
  programGoesOn,
  protectedIsTrue,
];
