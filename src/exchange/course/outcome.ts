/** What a call says about its target, for its health. */
import type { TargetQueues } from "../../limits/queue/queue.ts";
import type { CallOutcome, TargetsHealth } from "../../routing/health/health.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { Leg } from "./leg.ts";
import { judge } from "./verdict.ts";

const neutral: CallOutcome = { kind: "neutral" };
/** Nobody said when it will be better. */
const failed: CallOutcome = { kind: "failed", retryAfterMs: null };

export function outcomeOf(leg: Leg, nowMs: number): CallOutcome {
  const attempt = leg.open?.attempt;
  const { failure } = leg;
  if (attempt === undefined || attempt.startedAtMs === null) return neutral;
  if (attempt.state === "complete") return answered(attempt, attempt.startedAtMs, nowMs);
  if (failure === null) {
    if (attempt.firstOutputAtMs !== null) return answered(attempt, attempt.startedAtMs, nowMs);
    // It was given up because it stayed silent.
    return leg.wasSilentTooLong(nowMs) ? failed : neutral;
  }
  // Not even the beginning came in all the time that the caller gave, which was enough.
  if (failure.code === "deadline_exceeded" && leg.wasSilentTooLong(nowMs)) return failed;
  if (failure.fault === "caller") return neutral;
  switch (judge(failure)) {
    case "limited":
      return leg.hasOtherCredential ? neutral : { kind: "limited", retryAfterMs: failure.retryAfterMs };
    case "credential":
      return leg.hasOtherCredential ? neutral : failed;
    default:
      return failure.fault === "upstream" ? { kind: "failed", retryAfterMs: failure.retryAfterMs } : neutral;
  }
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

function answered(attempt: Attempt, startedAtMs: number, nowMs: number): CallOutcome {
  const firstOutputMs = attempt.firstOutputAtMs === null ? null : attempt.firstOutputAtMs - startedAtMs;
  return { kind: "answered", firstOutputMs, totalMs: nowMs - startedAtMs };
}
