/**
 * The board's health in one word, with its reasons. 200 means: this board does its part, and the pair can lose either board
 * without losing the program. It is for alarms and dashboards. What restarts a board that stands still is the watchdog.
 */
import type { BoardStatus } from '../supervisor/status.ts';
import type { Standstill, StandstillCode } from './progress.ts';

export type HealthCode =
  | StandstillCode
  /** Neither primary nor backup: joining, contending, stepped down, starting, stopped. */
  | 'NO_ROLE'
  /** Primary without a backup. */
  | 'SOLO'
  /** Backup that does not hold everything. */
  | 'UNPROTECTED'
  /** The port to a device is not open, or, as primary, a fenced device does not follow this board. */
  | 'DEVICE_CLOSED'
  | 'DEVICE_NOT_ATTACHED'
  /** Warnings: the pair is protected, but the next failure would find less. */
  | 'LINK_SILENT'
  | 'PEER_SUSPECTED'
  | 'DIVERGED_BEFORE'
  | 'INPUT_LOST';

export interface HealthReason {
  code: HealthCode;
  text: string;
}

export interface Health {
  schema: 1;
  healthy: boolean;
  board: 'a' | 'b';
  role: BoardStatus['role'];
  term: number;
  protected: boolean;
  /** Why it is not healthy; empty when it is. */
  reasons: HealthReason[];
  /** Worth a look, also on a healthy board. */
  warnings: HealthReason[];
}

export function healthOf(status: BoardStatus, standstills: readonly Standstill[]): Health {
  const { board, role, term, links, verdict, divergences } = status;
  const reasons: HealthReason[] = [...standstills];
  const warnings: HealthReason[] = [];
  if (role !== 'primary' && role !== 'backup') {
    reasons.push({ code: 'NO_ROLE', text: `this board is ${role}: it neither leads nor could take over` });
  } else if (!status.protected) {
    reasons.push(
      role === 'primary'
        ? { code: 'SOLO', text: 'no backup: the next failure stops the program' }
        : { code: 'UNPROTECTED', text: 'this backup does not hold everything yet: it could not take over' },
    );
  }
  for (const { name, kind, open, attached, inputsLost } of status.devices) {
    if (!open) reasons.push({ code: 'DEVICE_CLOSED', text: `the port to ${name} is not open` });
    else if (kind === 'fenced' && role === 'primary' && !attached) {
      reasons.push({ code: 'DEVICE_NOT_ATTACHED', text: `${name} does not follow this board` });
    }
    if (inputsLost > 0)
      warnings.push({ code: 'INPUT_LOST', text: `${name}: ${inputsLost} bytes of input were lost` });
  }
  for (const { name, up } of links) {
    if (!up) warnings.push({ code: 'LINK_SILENT', text: `nothing is heard on the ${name} link` });
  }
  if (verdict !== 'green') warnings.push({ code: 'PEER_SUSPECTED', text: `the other board is ${verdict}` });
  if (divergences > 0) {
    warnings.push({
      code: 'DIVERGED_BEFORE',
      text: `this board's replica has diverged ${divergences} times`,
    });
  }
  const healthy = reasons.length === 0;
  return { schema: 1, healthy, board, role, term, protected: status.protected, reasons, warnings };
}
