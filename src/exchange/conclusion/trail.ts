/**
 * Where a request came to, where that was more than one call of its plan's first target: for its record, and in short for
 * its response.
 */
import type { TrailStep } from "../../storage/records.ts";
import type { Exchange, OpenAttempt, PassedOver } from "../exchange.ts";

type Trailed = Pick<Exchange, "attempts" | "passedOver" | "startedMs">;

/** `nowMs`: monotonic. */
export function trailOf(exchange: Trailed, nowMs: number): readonly TrailStep[] {
  if (!hasTrail(exchange)) return [];
  const { attempts, passedOver, startedMs } = exchange;
  const steps = passedOver.map((passed) => passing(passed, startedMs));
  for (const open of attempts) steps.push(call(open, startedMs, nowMs));
  return steps.sort((one, next) => one.beganUs - next.beganUs);
}

export function hasTrail({ attempts, passedOver }: Trailed): boolean {
  return attempts.length + passedOver.length > 1;
}

/** `openai/gpt-5=upstream_overloaded, anthropic/claude-sonnet-4-5=answered`. */
export function describeTrail(exchange: Trailed): string {
  return trailOf(exchange, Infinity)
    .map(({ target, code, outcome }) => `${target}=${code ?? outcome}`)
    .join(", ");
}

function passing({ target, atMs, code }: PassedOver, startedMs: number): TrailStep {
  const us = sinceUs(startedMs, atMs);
  return { target, credential: null, beganUs: us, firstOutputUs: null, endedUs: us, outcome: "passed-over", code };
}

function call({ hold, attempt }: OpenAttempt, startedMs: number, nowMs: number): TrailStep {
  const endedMs = attempt.endedAtMs ?? nowMs;
  return {
    target: hold.modelTarget,
    credential: hold.credential,
    beganUs: sinceUs(startedMs, attempt.startedAtMs ?? endedMs),
    firstOutputUs: attempt.firstOutputAtMs === null ? null : sinceUs(startedMs, attempt.firstOutputAtMs),
    endedUs: sinceUs(startedMs, endedMs),
    outcome: attempt.state === "complete" && attempt.call.isContinuation ? "continued" : outcomes[attempt.state],
    code: attempt.failure?.code ?? null,
  };
}

const outcomes: Readonly<Record<OpenAttempt["attempt"]["state"], TrailStep["outcome"]>> = {
  // A stream whose head leaves now is still running.
  running: "answered",
  complete: "answered",
  failed: "failed",
  cancelled: "cancelled",
};

function sinceUs(startedMs: number, atMs: number): number {
  return Math.max(0, Math.round((atMs - startedMs) * 1000));
}
