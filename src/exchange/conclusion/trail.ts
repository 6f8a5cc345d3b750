/** The calls of a request, where there was more than one: for its record, and in short for its response. */
import type { TrailStep } from "../../storage/records.ts";
import type { Exchange, OpenAttempt } from "../exchange.ts";

/** `nowMs`: monotonic. */
export function trailOf({ attempts, startedMs }: Exchange, nowMs: number): readonly TrailStep[] {
  if (attempts.length < 2) return [];
  return attempts.map(({ hold, attempt }) => {
    const us = (atMs: number): number => Math.max(0, Math.round((atMs - startedMs) * 1000));
    const endedMs = attempt.endedAtMs ?? nowMs;
    return {
      target: hold.modelTarget,
      credential: hold.credential,
      beganUs: us(attempt.startedAtMs ?? endedMs),
      firstOutputUs: attempt.firstOutputAtMs === null ? null : us(attempt.firstOutputAtMs),
      endedUs: us(endedMs),
      outcome: attempt.state === "complete" && attempt.call.isContinuation ? "continued" : outcomes[attempt.state],
      code: attempt.failure?.code ?? null,
    };
  });
}

const outcomes: Readonly<Record<OpenAttempt["attempt"]["state"], TrailStep["outcome"]>> = {
  // A stream whose head leaves now is still running.
  running: "answered",
  complete: "answered",
  failed: "failed",
  cancelled: "cancelled",
};

/** `openai/gpt-5=upstream_overloaded, anthropic/claude-sonnet-4-5=answered`. */
export function describeTrail({ attempts }: Exchange): string {
  return attempts
    .map(({ hold, attempt }) => `${hold.modelTarget}=${attempt.failure?.code ?? outcomes[attempt.state]}`)
    .join(", ");
}
