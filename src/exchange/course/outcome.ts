/** What a call says about its target, for its health. */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { TargetQueues } from "../../limits/queue/queue.ts";
import type { CallOutcome, TargetsHealth } from "../../routing/health/health.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { Leg } from "./leg.ts";
import { judge } from "./verdict.ts";

const neutral: CallOutcome = { kind: "neutral" };
/** Nobody said when it will be better. */
const failed: CallOutcome = { kind: "failed", retryAfterMs: null };

/** A call that is over, as far as its target is judged by it. */
export interface EndedCall {
  readonly open: {
    readonly attempt: Pick<Attempt, "state" | "startedAtMs" | "firstOutputAtMs"> & {
      readonly reading: Pick<Attempt["reading"], "outputBytes">;
    };
  } | null;
  readonly failure: HeadgateError | null;
  readonly hasOtherCredential: boolean;
  /** It was left for its silence. */
  wasSilentTooLong(nowMs: number): boolean;
}

export function outcomeOf(call: EndedCall, nowMs: number): CallOutcome {
  const attempt = call.open?.attempt;
  const { failure } = call;
  if (attempt === undefined || attempt.startedAtMs === null) return neutral;
  if (attempt.state === "complete") return answered(attempt, attempt.startedAtMs, nowMs);
  if (failure === null) {
    if (attempt.firstOutputAtMs !== null) return answered(attempt, attempt.startedAtMs, nowMs);
    // It was given up because it stayed silent.
    return call.wasSilentTooLong(nowMs) ? failed : neutral;
  }
  // Not even the beginning came in all the time that the caller gave, which was enough.
  if (failure.code === "deadline_exceeded" && call.wasSilentTooLong(nowMs)) return failed;
  if (failure.fault === "caller") return neutral;
  if (isOwnBound(failure, attempt)) {
    return attempt.firstOutputAtMs === null ? neutral : answered(attempt, attempt.startedAtMs, nowMs);
  }
  switch (judge(failure)) {
    case "limited":
      return call.hasOtherCredential ? neutral : { kind: "limited", retryAfterMs: failure.retryAfterMs };
    case "credential":
      return call.hasOtherCredential ? neutral : failed;
    default:
      return failure.fault === "upstream" ? { kind: "failed", retryAfterMs: failure.retryAfterMs } : neutral;
  }
}

/** It wrote until the gateway had enough of it: for longer than `timeouts.totalMs`, or more than `limits.responseBytes`. */
function isOwnBound(
  { code }: HeadgateError,
  { firstOutputAtMs, reading }: NonNullable<EndedCall["open"]>["attempt"],
): boolean {
  if (code === "upstream_too_large") return true;
  return code === "total_timeout" && (firstOutputAtMs !== null || reading.outputBytes > 0);
}

/** A target whose provider limits its rate is called at a slower pace by everybody. */
export function slowDownIfLimited(
  { queues, health }: { readonly queues: TargetQueues; readonly health: TargetsHealth },
  { stop: { target }, open }: Leg,
  outcome: CallOutcome,
  nowMs: number,
): void {
  if (outcome.kind !== "limited") return;
  const inHealth = health.target(target.name);
  const leftAlone = inHealth.leftAlone(nowMs);
  queues.slowed.limited(target.provider, target.facts.model, {
    beganMs: open?.attempt.startedAtMs ?? nowMs,
    saysWhen: outcome.retryAfterMs !== null,
    // After a longer pause it is probed: who waited for that would be let through no more than anybody else.
    againMs: leftAlone === null || leftAlone.isProbed ? nowMs : leftAlone.untilMs,
    ofLate: inHealth.callsOfLate(nowMs),
  });
}

function answered(attempt: Pick<Attempt, "firstOutputAtMs">, startedAtMs: number, nowMs: number): CallOutcome {
  const firstOutputMs = attempt.firstOutputAtMs === null ? null : attempt.firstOutputAtMs - startedAtMs;
  return { kind: "answered", firstOutputMs, totalMs: nowMs - startedAtMs };
}
