import { HeadgateError } from "../kernel/errors.ts";

/** Kept from the caller's deadline to encode and deliver the answer or the error. */
const RESERVE_MS = 50;
const RESERVE_SHARE = 0.05;
const DEADLINE_MS_MAX = 86_400_000;

/** Monotonic times with a reserve taken off; `Infinity` for none. */
export interface CallerDeadline {
  /** When everything must be over. */
  readonly totalDueMs: number;
  /** When a stream must have begun. */
  readonly firstOutputDueMs: number;
  /** As the caller gave it; `null`: it gave none. */
  readonly askedMs: number | null;
}

const noDeadline: CallerDeadline = { totalDueMs: Infinity, firstOutputDueMs: Infinity, askedMs: null };

/**
 * How long the caller waits. `x-headgate-deadline-ms` (milliseconds from now) bounds the whole exchange; else
 * `x-stainless-timeout` (seconds), which the OpenAI and Anthropic SDKs send by themselves, bounds what it bounds in
 * the SDK: a whole answer, but of a stream only the wait for its beginning (openai-node, `fetchWithTimeout`: the timer
 * ends with the response's head). Throws `invalid_header`, for our own header only.
 */
export function readDeadline(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  startedMs: number,
  stream: boolean,
): CallerDeadline {
  const own = headers["x-headgate-deadline-ms"];
  if (own !== undefined) {
    const budgetMs = Number(own);
    if (!(budgetMs >= 1 && budgetMs <= DEADLINE_MS_MAX)) {
      throw new HeadgateError(
        "invalid_header",
        `x-headgate-deadline-ms must be a number of milliseconds from 1 to ${DEADLINE_MS_MAX}.`,
        { param: "x-headgate-deadline-ms" },
      );
    }
    return { totalDueMs: dueAt(startedMs, budgetMs), firstOutputDueMs: Infinity, askedMs: budgetMs };
  }
  const budgetMs = Number(headers["x-stainless-timeout"]) * 1000;
  if (!(budgetMs > 0 && budgetMs <= DEADLINE_MS_MAX)) return noDeadline;
  const dueMs = dueAt(startedMs, budgetMs);
  return stream
    ? { totalDueMs: Infinity, firstOutputDueMs: dueMs, askedMs: budgetMs }
    : { totalDueMs: dueMs, firstOutputDueMs: Infinity, askedMs: budgetMs };
}

/** Whether it is too late to call anybody. */
export function isPassed({ totalDueMs, firstOutputDueMs }: CallerDeadline, nowMs: number): boolean {
  return nowMs >= Math.min(totalDueMs, firstOutputDueMs);
}

export function deadlinePassed(): HeadgateError {
  const message =
    "The time that the request has (its own deadline, or timeouts.totalMs) was over before a provider could be called.";
  return new HeadgateError("deadline_exceeded", message);
}

function dueAt(startedMs: number, budgetMs: number): number {
  return startedMs + budgetMs - Math.min(RESERVE_MS, budgetMs * RESERVE_SHARE);
}
