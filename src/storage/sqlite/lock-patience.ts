/**
 * How long the statements of one connection wait for another writer: about five seconds, together, as long as it is the
 * same lock that they meet. So the first may wait in vain, and those that are queued behind it fail at once.
 *
 *   patient ──met a lock so many times──▶ used up ──this connection or another has written──▶ patient
 *
 * Invariant: after `end` nothing makes it patient again, and once `isOver` no lock is waited for at all, so that a process
 * that stops waits for locks no longer than it may in all.
 */

export interface LockPatience {
  /** A statement has met a lock. `false`: it should fail instead of trying again. */
  metLock(): boolean;
  /** A statement has had the write lock. */
  wrote(): void;
  /** What is left is for all statements to come. */
  end(): void;
}

/** What the connection's own busy timeout should be: each try blocks the thread for so long. */
export const BUSY_STEP_MS = 2;
/** About five seconds. */
const BUSY_STEPS_MAX = 2500;

/**
 * `dataVersion` moves when another connection has committed. https://www.sqlite.org/pragma.html#pragma_data_version
 * `isOver`: the process ends, and has waited as long as it may.
 */
export function createLockPatience(dataVersion: () => unknown, isOver: () => boolean): LockPatience {
  let stepsLeft = BUSY_STEPS_MAX;
  let usedUpAt: unknown = null;
  let ended = false;

  function metLock(): boolean {
    if (isOver()) return false;
    if (stepsLeft === 0 && !ended && dataVersion() !== usedUpAt) stepsLeft = BUSY_STEPS_MAX;
    if (stepsLeft === 0) return false;
    stepsLeft--;
    if (stepsLeft === 0) usedUpAt = dataVersion();
    return stepsLeft > 0;
  }

  return {
    metLock,
    wrote() {
      if (!ended) stepsLeft = BUSY_STEPS_MAX;
    },
    end() {
      ended = true;
    },
  };
}
