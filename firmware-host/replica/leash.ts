/**
 * Ends the replica when its supervisor is gone, even while the program spins in an endless turn: the process reads its
 * socket only between turns, so it would not notice by itself and would keep a core busy for ever. The kernel is asked
 * for it (prctl(2), PR_SET_PDEATHSIG); a thread that looks would cost 13 MiB.
 */
import koffi from 'koffi';

const setParentDeathSignal = 1;
const killSignal = 9;

/** `supervisorPid`: taken when the process began, since the supervisor may be gone by now. */
export function leashTo(supervisorPid: number): void {
  const prctl = koffi.load(null).func('int prctl(int option, unsigned long argument)');
  if (prctl(setParentDeathSignal, killSignal) !== 0) throw new Error(`prctl failed (errno ${koffi.errno()})`);
  if (process.ppid !== supervisorPid) process.kill(process.pid, 'SIGKILL');
}
