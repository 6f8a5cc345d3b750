import type { TimeoutsConfig } from "../../config/config.ts";
import type { RequestView } from "../../dialects/dialect.ts";
import type { TargetHealth } from "../../routing/health/health.ts";
import type { RoutePolicy } from "../../routing/plan.ts";

/** How long a call may be silent, from its request to its first output; milliseconds, `Infinity` for however long. */
export interface Patience {
  /** Before a second call beside it is worth trying as a hedge. */
  readonly hedgeMs: number;
  /** Before the target counts as silent, and another is called. */
  readonly switchMs: number;
}

/** A whole answer is seen at its end only, so it is given as many times longer than the beginning of a stream. */
const wholeShare = 4;
/** The same for requests that ask for reasoning, as long as nobody knows how long the target usually takes. */
const reasoningShare = 4;
/** Of what a target usually takes. */
const usualShare = 2;
/** Of the time that the request has left: the other target must have some of it, too. */
const leftShare = 0.5;

/** `leftMs`: until everything must be over. */
export function patienceWith(
  { hedge }: RoutePolicy,
  timeouts: TimeoutsConfig,
  target: TargetHealth,
  { stream, needs }: Pick<RequestView, "stream" | "needs">,
  leftMs: number,
  nowMs: number,
): Patience {
  const usualMs = stream ? target.slowFirstOutputMs(nowMs) : target.slowAnswerMs(nowMs);
  const hedgeMs = hedge.mode === "off" ? Infinity : hedge.afterMs > 0 ? hedge.afterMs : (usualMs ?? Infinity);
  if (timeouts.switchMs === 0) return { hedgeMs, switchMs: Infinity };
  const atLeastMs = timeouts.switchMs * (stream ? 1 : wholeShare);
  const expectedMs = usualMs === null ? (needs.reasoning ? atLeastMs * reasoningShare : 0) : usualMs * usualShare;
  return { hedgeMs, switchMs: Math.min(Math.max(atLeastMs, expectedMs), leftMs * leftShare) };
}
