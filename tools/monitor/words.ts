/** The pair's state in plain words, with a style each. */

import type { StatusOnConsole } from '../../firmware-host/console/console-schema.ts';
import { boardTitle, grouped, milliseconds, type Said } from '../dev/words.ts';
import type { Style } from '../terminal/canvas.ts';
import type { Board, BoardColumn, MonitorModel, PortPicture } from './model.ts';
import { otherBoard } from './model.ts';

export type { Said };

const roleWords: Record<StatusOnConsole['role'], Said> = {
  starting: { text: 'starting', style: 'warning' },
  contending: { text: 'asks for control', style: 'warning' },
  primary: { text: 'primary, in control', style: 'good' },
  joining: { text: 'joining, catches up', style: 'warning' },
  backup: { text: 'backup, ready', style: 'good' },
  'stepped-down': { text: 'stepped down', style: 'warning' },
  stopped: { text: 'stopped', style: 'bad' },
};

/** Title of a board's box: the board and what it is. At most 31 columns. */
export function columnTitle(board: Board, column: BoardColumn): Said {
  const name = boardTitle(board);
  if (column.status === null) return { text: `${name}  nothing heard yet`, style: 'dim' };
  const { role, protected: isProtected } = column.status;
  const isAlone = role === 'primary' && !isProtected;
  const said: Said = isAlone ? { text: 'primary, ALONE', style: 'warning' } : roleWords[role];
  if (column.isFresh) return { text: `${name}  ${said.text}`, style: said.style };
  return { text: `${name}  was ${said.text}`, style: 'dim' };
}

export function portWords(port: PortPicture | null, labelWidth: number): Said {
  if (port === null) return { text: 'console: none attached', style: 'dim' };
  const label = shortLabel(port.label, labelWidth);
  const words: Record<PortPicture['phase'], Said> = {
    waiting: { text: `LOST: ${label} ${port.text}`, style: 'bad' },
    // The port is tried again and again: that is no other state for someone who looks.
    opening:
      port.board === null
        ? { text: `opens ${label}`, style: 'warning' }
        : { text: `LOST: ${label}`, style: 'bad' },
    greeting: { text: `${label} is open, no answer yet`, style: 'warning' },
    locked: { text: `${label} wants a password: press p`, style: 'warning' },
    live: { text: `${label} attached`, style: 'plain' },
    silent: { text: `SILENT: ${label}`, style: 'bad' },
    ended: { text: `lost: ${label} ${port.text}`, style: 'bad' },
  };
  const { text, style } = words[port.phase];
  return { text: `console ${text}`, style };
}

/** The end of a long path says more than its beginning. */
export function shortLabel(label: string, width = 20): string {
  return label.length <= width ? label : `…${label.slice(1 - width)}`;
}

export function bannerWords({ outlook, boards, ports }: MonitorModel): Said {
  const { leader, isProtected, budget } = outlook;
  if (budget === 'unknown') {
    const why = ports.map(
      ({ label, phase, text }) =>
        `${shortLabel(label)} ${phase === 'waiting' || phase === 'ended' ? text : phase}`,
    );
    return { text: `NO CONSOLE ANSWERS: ${why.join('; ')}`, style: 'banner-bad' };
  }
  if (leader === null) return { text: 'NOT PROTECTED: no board is in control', style: 'banner-bad' };
  const [first, second] = [leader.toUpperCase(), otherBoard(leader).toUpperCase()];
  if (isProtected && budget === 'two') {
    const rest = `if board ${first} fails now, board ${second} goes on`;
    const [weakness, ...more] = outlook.weaknesses;
    if (weakness === undefined) return { text: `PROTECTED: ${rest}`, style: 'banner-good' };
    const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
    return { text: `PROTECTED, but ${weakness}${others}: ${rest}`, style: 'banner-warning' };
  }
  const column = boards[otherBoard(leader)];
  const why = !column.isFresh
    ? boards[leader].status?.verdict === 'red'
      ? `board ${second} is silent`
      : `board ${second} does not have everything yet`
    : isProtected
      ? `board ${second} does not reach the device`
      : column.status?.role === 'joining'
        ? `board ${second} is catching up`
        : column.status?.role === 'backup'
          ? `board ${second} does not have everything yet`
          : `board ${second} is no backup`;
  return { text: `NOT PROTECTED: ${why}, board ${first} works alone`, style: 'banner-warning' };
}

export function budgetWords({ outlook }: MonitorModel): Said {
  switch (outlook.budget) {
    case 'two':
      return { text: 'TWO failures away', style: outlook.weaknesses.length === 0 ? 'good' : 'warning' };
    case 'one':
      return { text: 'ONE failure away', style: 'warning' };
    case 'none':
      return { text: 'NONE left: control is lost', style: 'bad' };
    case 'unknown':
      return { text: 'The state is not known', style: 'dim' };
  }
}

/** How long a takeover would last, and of what that is the sum; `isLong` for a wide screen. */
export function takeoverWords({ outlook }: MonitorModel, isLong: boolean): Said {
  const { takeover, leader, budget } = outlook;
  if (budget === 'unknown') return { text: '', style: 'plain' };
  if (leader === null) return { text: 'Nobody is in control.', style: 'bad' };
  const first = leader.toUpperCase();
  if (takeover === null) return { text: `If ${first} died now, control would be lost.`, style: 'warning' };
  const second = takeover.board.toUpperCase();
  if (takeover.totalMs === null) {
    const text = `If ${first} died now, ${second} would take over; how fast has not been measured yet.`;
    return { text, style: 'plain' };
  }
  const text = `If ${first} died now, ${second} would take over in ${milliseconds(takeover.totalMs)}`;
  if (!isLong) return { text, style: 'plain' };
  const { silenceMs, replayMs, claimMs, processDeathMs } = takeover;
  const sum = `silence ${milliseconds(silenceMs)} + replay ${milliseconds(replayMs)} + claim ${milliseconds(claimMs ?? 0)}`;
  return {
    text: `${text} (${sum}); in ${milliseconds(processDeathMs ?? 0)} if only its process died`,
    style: 'plain',
  };
}

/** A board's own words on how far its program is. */
export function lagWords(board: Board, column: BoardColumn): Said {
  const { status } = column;
  if (status === null) return { text: '', style: 'plain' };
  switch (status.role) {
    case 'primary':
      return status.protected
        ? { text: `lag  none: board ${otherBoard(board).toUpperCase()} has every turn`, style: 'plain' }
        : { text: 'lag  none has its turns', style: 'warning' };
    case 'joining':
      return {
        text: `lag  ${grouped(status.executedTurns)} of ${grouped(status.turns)} turns`,
        style: 'warning',
      };
    case 'backup': {
      const turns = status.lagTurns ?? 0;
      // No turn behind is no time behind: what the age then measures is the way of a status.
      const time = column.lagMs === null ? '' : `, ${turns === 0 ? '0 ms' : milliseconds(column.lagMs)}`;
      const text = `lag  ${grouped(turns)} turn${turns === 1 ? '' : 's'}${time}`;
      return { text, style: turns > 100 ? 'warning' : 'plain' };
    }
    default:
      return { text: 'lag  -', style: 'dim' };
  }
}

export function linkErrors(discarded: Record<string, number>): number {
  return Object.values(discarded).reduce((sum, count) => sum + count, 0);
}

export function verdictStyle(verdict: 'green' | 'yellow' | 'red'): Style {
  return verdict === 'green' ? 'plain' : verdict === 'yellow' ? 'warning' : 'bad';
}

/** Wall clock of the monitor's machine, UTC or not as its own. */
export function timeOfDay(wallTimeMs: number): string {
  const date = new Date(wallTimeMs);
  const two = (value: number): string => value.toString().padStart(2, '0');
  const milli = date.getMilliseconds().toString().padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milli}`;
}
