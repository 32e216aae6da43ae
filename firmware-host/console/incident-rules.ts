/** The rules that decide an incident: where each is specified, and what it says in a sentence. */
import type { IncidentRule } from './console-schema.ts';

export const ruleSections: Record<IncidentRule, string> = {
  RED_NEEDS_SILENCE_ON_EVERY_LINK: 'protocol/README.md §8',
  KERNEL_NOTICE_SHORTENS_THE_TIMEOUT: 'protocol/README.md §8',
  RESTARTED_PEER_HAS_LOST_ITS_REIGN: 'protocol/README.md §10',
  HANDOVER_BY_OPERATOR: 'protocol/README.md §10',
  FAILED_REPLICA_HANDS_OVER: 'protocol/README.md §10',
  FAILS_ON_BOTH_IS_THE_PROGRAMS: 'protocol/README.md §10',
  UNREACHABLE_DEVICE_HANDS_OVER: 'protocol/README.md §10',
  LOST_SESSION_IS_NEVER_RESUMED: 'protocol/README.md §12.4',
  DIVERGED_NEVER_LEADS: 'protocol/README.md §10',
  ONE_LINK_NEVER_DECIDES: 'protocol/README.md §8',
  SOLO_NEEDS_A_TERM: 'protocol/README.md §10',
  GREATER_TERM_WINS: 'protocol/README.md §10',
  COLD_START_NEEDS_A_TERM: 'protocol/README.md §10',
};

export const ruleTexts: Record<IncidentRule, string> = {
  RED_NEEDS_SILENCE_ON_EVERY_LINK:
    'a board counts as dead after silence on every link for the detection timeout',
  KERNEL_NOTICE_SHORTENS_THE_TIMEOUT:
    'when the kernel says that the other process is gone, silence for the suspect timeout is enough',
  RESTARTED_PEER_HAS_LOST_ITS_REIGN:
    'a board whose process was started anew leads no more: its backup goes on',
  HANDOVER_BY_OPERATOR: 'the primary hands over when it is told to and the backup holds every record',
  FAILED_REPLICA_HANDS_OVER: 'a failed replica hands over: the backup tries the same turn',
  FAILS_ON_BOTH_IS_THE_PROGRAMS:
    'what fails on both boards is the program’s fault: it is started again by policy',
  UNREACHABLE_DEVICE_HANDS_OVER: 'a primary that cannot reach the device hands over',
  LOST_SESSION_IS_NEVER_RESUMED:
    'a device that lost its session is told to the program, never silently resumed',
  DIVERGED_NEVER_LEADS: 'a backup that has diverged is stopped and never takes over',
  ONE_LINK_NEVER_DECIDES: 'one silent link never decides: the pair goes on over the other',
  SOLO_NEEDS_A_TERM: 'going on alone needs a new term at the device, too',
  GREATER_TERM_WINS: 'the greater term wins everywhere: whoever holds a smaller one steps down',
  COLD_START_NEEDS_A_TERM: 'a board that starts leads only after the device has granted it a term',
};
