/** Targets that are left alone by their health: how long a request waits for one, and what is told where nothing was called. */
import type { RetriesConfig } from "../../config/config.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { LeftAlone, LeftAloneFor, TargetsHealth } from "../../routing/health/health.ts";

/** For so long a request waits for a target that is left alone; for longer it is refused at once. */
export const MOMENT_MS = 1_000;

/** A pause that a 429 has asked for is waited for as long as by the request that got it, if all may leave after it. */
export function waitMsMax(leftAlone: LeftAlone | null, { backoffMaxMs }: RetriesConfig): number {
  const isPaused = leftAlone?.reason === "rate-limit" && !leftAlone.isProbed;
  return isPaused ? Math.max(MOMENT_MS, backoffMaxMs) : MOMENT_MS;
}

/** The code by which a target that is left alone is told of. */
export function leftAloneCode(reason: LeftAloneFor): "target_limited" | "target_unavailable" {
  return reason === "rate-limit" ? "target_limited" : "target_unavailable";
}

/** Probes that are under way are over by then, mostly. */
const RETRY_AFTER_MIN_MS = 1_000;

/**
 * `target_limited` if the one that can be called soonest waits for the time that a 429 has asked for, else
 * `target_unavailable`, with the time until then.
 */
export function leftAloneError(names: readonly string[], health: TargetsHealth, nowMs: number): HeadgateError {
  const sentences: string[] = [];
  let soonest: LeftAlone = { reason: "failures", untilMs: Infinity, isProbed: true };
  for (const name of names) {
    // One that would be let through by now was being probed a moment ago.
    const each = health.target(name).leftAlone(nowMs) ?? { reason: "failures", untilMs: nowMs, isProbed: true };
    sentences.push(`${name} ${described[each.reason]}`);
    if (each.untilMs < soonest.untilMs) soonest = each;
  }
  const retryAfterMs = Math.max(RETRY_AFTER_MIN_MS, soonest.untilMs - nowMs);
  const when = `Nothing was called. Try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
  return new HeadgateError(leftAloneCode(soonest.reason), `${sentences.join("; ")}. ${when}`, { retryAfterMs });
}

const described: Readonly<Record<LeftAloneFor, string>> = {
  failures: "is left alone for a moment, because calls of it have failed of late",
  "rate-limit": "is left alone until the time that its provider has asked for, because it limits the rate",
};
