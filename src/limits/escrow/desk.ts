import type { Allowance } from "../allowance.ts";
import type { Purse } from "./purse.ts";
import type { KeptRoom } from "./takings.ts";

/** Where purses ask the bank. */
export interface PurseDesk {
  readonly pollMs: number;
  readonly recallWaitMs: number;
  /** Of the process: see `Bench`. */
  readonly keptRoom: KeptRoom;
  /** Whether the bank is asked, and has answered lately. */
  readonly isReachable: boolean;
  /** Until it is tried again. */
  readonly retryAfterMs: number;
  /** Monotonic. */
  nowMs(): number;
  /** Looks at what the purse wants of the bank, in this turn of the event loop. */
  wake(purse: Purse): void;
  /** Asks other owners for what they have idle. */
  recall(purse: Purse): void;
  /** A request took what an allowance that does not refuse had no room for. Once for each request. */
  passedLimit(allowance: Allowance, subject: string): void;
}

/**
 * For a purse of whose account no books can be kept here: it asks the bank for nothing, so what is taken from it is overdraft
 * when it is used.
 */
export function createClosedDesk(desk: PurseDesk): PurseDesk {
  return {
    pollMs: desk.pollMs,
    recallWaitMs: desk.recallWaitMs,
    keptRoom: { left: 0 },
    isReachable: false,
    retryAfterMs: desk.pollMs,
    nowMs: () => desk.nowMs(),
    passedLimit: (allowance, subject) => desk.passedLimit(allowance, subject),
    wake() {},
    recall() {},
  };
}
