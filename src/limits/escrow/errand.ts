/**
 * What a purse wants of the bank next. One at a time, for each has the number after the last.
 *
 *   1  requests wait, and something stale could come back to them     give that back
 *   2  requests wait                                                  draw what the first needs, or more
 *   3  others need what is idle here                                  give back all that is free, or say that nothing is
 *   4  requests wait for a recall                                     ask again, each poll until it is refused
 *   5  requests have taken what is not here, or wait at other         draw it, unless that was refused just now
 *      purses and will need this one too
 *   6  somebody wants to know how the account stands                  draw the least
 *   7  more is free than recent use asks for                          give back what is more
 *   8  less is free than recent use asks for                          draw ahead, content with little
 *   9  refusals were counted a while ago                              give back nothing, and report them
 *
 * While the bank does not answer nothing is given back: it would be in nobody's hand, and requests live on what is here.
 */
import type { Amount } from "../../storage/escrow/bank.ts";
import type { WaitingLine } from "./waiting-line.ts";

export type Errand =
  | { readonly kind: "draw"; readonly need: Amount; readonly want: Amount }
  /** `free` of what is free, with all that is stale. */
  | { readonly kind: "return"; readonly free: Amount };

export interface Wants {
  /** Below zero: so much was taken that is not here. */
  readonly free: Amount;
  readonly stale: Amount;
  readonly line: Pick<WaitingLine, "isEmpty" | "firstEager" | "eagerAmount" | "firstRecalling" | "recallingAmount">;
  /** Others need what is idle. */
  readonly isRecalled: boolean;
  /** Whether those who wait for a recall may ask again. */
  readonly mayAskAgain: boolean;
  /** What requests that wait at other purses will need: it is not idle. */
  readonly expected: Amount;
  /** Whether the bank has refused as much just now. */
  readonly isRefused: (need: Amount) => boolean;
  readonly isLookedAt: boolean;
  /** How much of what is free may stay. `null`: all. */
  readonly keep: Amount | null;
  /** How much should be free, and below what more is drawn ahead. */
  readonly target: Amount;
  readonly lowWater: Amount;
  /** Whether the bank has answered lately. */
  readonly isReachable: boolean;
  readonly isReportDue: boolean;
}

/** `null`: nothing. */
export function planErrand(wants: Wants): Errand | null {
  const { line, free, stale, expected, target } = wants;
  const idle = free > expected ? free - expected : 0n;
  if (stale > 0n && !line.isEmpty && wants.isReachable) return { kind: "return", free: 0n };
  const eager = line.firstEager;
  if (eager !== undefined && eager.amount > free) {
    return drawing(eager.amount - free, line.eagerAmount + expected + target - free);
  }
  if (wants.isRecalled && wants.isReachable) return { kind: "return", free: idle };
  const recalling = line.firstRecalling;
  if (wants.mayAskAgain && recalling !== undefined && recalling.amount > free) {
    return drawing(recalling.amount - free, line.recallingAmount - free);
  }
  if (expected > free && !wants.isRefused(expected - free)) {
    return drawing(expected - free, expected + target - free);
  }
  if (wants.isLookedAt) return drawing(1n, 1n);
  const tooMuch = wants.keep !== null && idle > wants.keep ? idle - wants.keep : 0n;
  if ((stale > 0n || tooMuch > 0n) && wants.isReachable) return { kind: "return", free: tooMuch };
  if (free < wants.lowWater && !wants.isRefused(1n)) return drawing(1n, target - free);
  return wants.isReportDue && wants.isReachable ? { kind: "return", free: 0n } : null;
}

function drawing(need: Amount, want: Amount): Errand {
  return { kind: "draw", need, want: want > need ? want : need };
}
