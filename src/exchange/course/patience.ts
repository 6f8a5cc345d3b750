import type { TimeoutsConfig } from "../../config/config.ts";
import type { RequestView } from "../../dialects/dialect.ts";
import type { TargetHealth } from "../../routing/health/health.ts";
import type { RoutePolicy } from "../../routing/plan.ts";

/** A whole answer is seen at its end only, so it is given as many times longer than the beginning of a stream. */
const wholeShare = 4;
/** Of what a target usually takes. */
const usualShare = 2;

/**
 * How long a call may be silent, in milliseconds, before another target is called beside it. With hedging that is what
 * the route says or what the target usually takes; else `timeouts.switchMs`, and longer for targets that are usually slow.
 */
export function patienceMs(
  { hedge }: RoutePolicy,
  { switchMs }: TimeoutsConfig,
  target: TargetHealth,
  { stream }: Pick<RequestView, "stream">,
  nowMs: number,
): number {
  const usualMs = stream ? target.slowFirstOutputMs(nowMs) : target.slowAnswerMs(nowMs);
  const switchAfterMs =
    switchMs === 0 ? Infinity : Math.max(stream ? switchMs : switchMs * wholeShare, (usualMs ?? 0) * usualShare);
  if (hedge.mode === "off") return switchAfterMs;
  const hedgeAfterMs = hedge.afterMs > 0 ? hedge.afterMs : usualMs;
  return Math.min(hedgeAfterMs ?? Infinity, switchAfterMs);
}
