import type { Clock } from "../../kernel/clock.ts";
import { type Finding, ok, warn } from "./finding.ts";

/** How far two clocks may be apart before prices, key expiry and days of reports become doubtful. */
const SKEW_MAX_MS = 5_000;
const FIRST_PLAUSIBLE_MS = Date.UTC(2026, 0, 1);
/** A jump of the wall clock during the doctor's own run. */
const JUMP_MAX_MS = 500;

export interface ClockReading {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export function readClock(clock: Clock): ClockReading {
  return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
}

/** `providerMs` are the `date` headers of answers, less when they were read: how far ahead of us each provider is. */
export function checkClock(begin: ClockReading, end: ClockReading, providerAheadMs: readonly number[]): Finding {
  const check = "clock";
  const advice = "Set the time, and let NTP or chrony keep it.";
  const jumpedMs = end.wallMs - begin.wallMs - (end.monotonicMs - begin.monotonicMs);
  if (begin.wallMs < FIRST_PLAUSIBLE_MS) {
    return warn(check, `says ${new Date(begin.wallMs).toISOString()}, which is in the past`, advice);
  }
  if (Math.abs(jumpedMs) > JUMP_MAX_MS) return warn(check, `jumped by ${Math.round(jumpedMs)} ms just now`, advice);
  const [middle] = providerAheadMs.toSorted((a, b) => a - b).slice(Math.floor((providerAheadMs.length - 1) / 2));
  if (middle === undefined) return ok(check, "runs evenly; no provider answered to compare it with");
  const seconds = Math.round(Math.abs(middle) / 1000);
  if (Math.abs(middle) <= SKEW_MAX_MS) return ok(check, "agrees with the providers'");
  return warn(check, `is ${seconds} seconds ${middle > 0 ? "behind" : "ahead of"} the providers'`, advice);
}
