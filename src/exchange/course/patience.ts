/**
 * How long a call may be silent before another target is called beside it. The beginning of a stream is a sign of life;
 * of a whole answer nothing is seen before its end, so it is given the time to be written as well.
 *
 * Waiting longer keeps people waiting for what is dead, and giving up earlier has answers written twice. So a target's
 * own times decide as soon as a few are known, within bounds: a call has `switchMs` at the least, and at the most what an
 * answer of unknown length has, or half more than what is slow for its target. Simulated with answers of one length, of
 * widely different ones and with a few long among many short, that is a second call for up to three of a hundred answers.
 */
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
  /**
   * Before its silence says something of the target, and not only of the time that the request has: what answers need, or
   * as long as is slow for the target.
   */
  readonly tellingMs: number;
}

export interface SilentCall {
  readonly policy: Pick<RoutePolicy, "hedge">;
  readonly timeouts: Pick<TimeoutsConfig, "switchMs">;
  readonly target: Pick<TargetHealth, "slowFirstOutputMs" | "slowAnswerMs" | "slowestAnswerMs">;
  readonly asked: Pick<RequestView, "stream" | "needs" | "maxOutputTokens">;
  /** Whether it thinks before it answers though nobody asks for it. */
  readonly thinksUnasked: boolean;
  /** Whether the answer is written, token by token. */
  readonly generates: boolean;
  /** Until everything must be over. */
  readonly leftMs: number;
}

/** Of fifty tokens a second, which few models that answer at all stay below. */
const MS_PER_TOKEN = 20;
/** An answer that may be long, or of which nobody knows, has so many times its beginning to be written. */
const WRITING_SHARE = 2;
/** Who thinks first is given so many times `switchMs` to begin, as long as nobody knows what is usual. */
const REASONING_SHARE = 4;
/** Of what is slow for a target. */
const SLOW_SHARE = 2;
/** The same where answers differ so much that twice would be too long. */
const SLOW_SHARE_LEAST = 1.5;
/** Of the time that the request has left: the other target must have some of it, too. */
const LEFT_SHARE = 0.5;
/** However quick a target is, networks and machines have their moments. */
const TELLING_LEAST_MS = 250;

export function patienceWith(call: SilentCall, nowMs: number): Patience {
  const { policy, timeouts, target, asked, leftMs } = call;
  const { hedge } = policy;
  const slowMs = asked.stream ? target.slowFirstOutputMs(nowMs) : target.slowAnswerMs(nowMs);
  const hedgeMs = hedge.mode === "off" ? Infinity : hedge.afterMs > 0 ? hedge.afterMs : (slowMs ?? Infinity);
  if (timeouts.switchMs === 0) return { hedgeMs, switchMs: Infinity, tellingMs: Infinity };
  const expectedMs = asked.stream ? untilBeginningMs(call, nowMs) : untilEndMs(call, slowMs, nowMs);
  const tellingMs = slowMs === null ? expectedMs : Math.max(TELLING_LEAST_MS, slowMs * SLOW_SHARE);
  return {
    hedgeMs,
    switchMs: Math.min(expectedMs, leftMs * LEFT_SHARE),
    tellingMs: Math.min(expectedMs, tellingMs),
  };
}

function untilBeginningMs({ timeouts, target, asked, thinksUnasked }: SilentCall, nowMs: number): number {
  const slowMs = target.slowFirstOutputMs(nowMs);
  if (slowMs !== null) return Math.max(timeouts.switchMs, slowMs * SLOW_SHARE);
  return timeouts.switchMs * (asked.needs.reasoning || thinksUnasked ? REASONING_SHARE : 1);
}

/** `slowMs`: of 95 of 100 whole answers of the target; `null`: too few to tell. */
function untilEndMs(call: SilentCall, slowMs: number | null, nowMs: number): number {
  const { switchMs } = call.timeouts;
  const { maxOutputTokens, needs } = call.asked;
  if (slowMs === null) {
    const beginningMs = untilBeginningMs(call, nowMs);
    const tokens = call.generates ? (maxOutputTokens ?? Infinity) : 0;
    return beginningMs + Math.min(tokens * MS_PER_TOKEN, switchMs * WRITING_SHARE);
  }
  const expectedMs = Math.max(slowMs * SLOW_SHARE, call.target.slowestAnswerMs(nowMs) ?? 0);
  const mostMs = Math.max(switchMs * (1 + WRITING_SHARE), slowMs * SLOW_SHARE_LEAST);
  // What is known may be of requests that asked for no reasoning.
  const leastMs = needs.reasoning ? switchMs * REASONING_SHARE : switchMs;
  return Math.max(leastMs, Math.min(expectedMs, mostMs));
}
