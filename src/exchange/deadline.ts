import { HeadgateError } from "../kernel/errors.ts";
import type { BodyDue } from "./exchange.ts";
import type { Target } from "../routing/plan.ts";

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
  /** In which header it did. */
  readonly header: DeadlineHeader | null;
}

type DeadlineHeader = typeof OWN_HEADER | SdkHeader;
type SdkHeader = typeof SDK_HEADER | typeof PYTHON_SDK_HEADER;

const OWN_HEADER = "x-headgate-deadline-ms";
const SDK_HEADER = "x-stainless-timeout";
const PYTHON_SDK_HEADER = "x-stainless-read-timeout";
const noDeadline: CallerDeadline = { totalDueMs: Infinity, firstOutputDueMs: Infinity, askedMs: null, header: null };

/**
 * How long the caller waits. `x-headgate-deadline-ms` (milliseconds from now) bounds the whole exchange; else
 * `x-stainless-timeout` (seconds), which the OpenAI and Anthropic SDKs send by themselves, bounds what it bounds in
 * the SDK: a whole answer, but of a stream only the wait for its beginning (openai-node, `fetchWithTimeout`: the timer
 * ends with the response's head). Those for Python send `x-stainless-read-timeout` instead (openai-python,
 * `_build_headers`): how long they wait for the next bytes, which comes to the same. Throws `invalid_header`, for our own
 * header only.
 */
export function readDeadline(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  startedMs: number,
  stream: boolean,
): CallerDeadline {
  const own = headers[OWN_HEADER];
  if (own !== undefined) {
    const budgetMs = Number(own);
    if (!(budgetMs >= 1 && budgetMs <= DEADLINE_MS_MAX)) {
      throw new HeadgateError(
        "invalid_header",
        `${OWN_HEADER} must be a number of milliseconds from 1 to ${DEADLINE_MS_MAX}.`,
        { param: OWN_HEADER },
      );
    }
    return {
      totalDueMs: dueAt(startedMs, budgetMs),
      firstOutputDueMs: Infinity,
      askedMs: budgetMs,
      header: OWN_HEADER,
    };
  }
  const header = headers[SDK_HEADER] === undefined ? PYTHON_SDK_HEADER : SDK_HEADER;
  const budgetMs = Number(headers[header]) * 1000;
  if (!(budgetMs > 0 && budgetMs <= DEADLINE_MS_MAX)) return noDeadline;
  const dueMs = dueAt(startedMs, budgetMs);
  const [totalDueMs, firstOutputDueMs] = stream ? [Infinity, dueMs] : [dueMs, Infinity];
  return { totalDueMs, firstOutputDueMs, askedMs: budgetMs, header };
}

/**
 * When everything must be over, monotonic: as late as the most patient of the targets may be, by `timeouts.totalMs`, and
 * no later than the caller says.
 */
export function overallDueMs(
  startedMs: number,
  targets: readonly Pick<Target, "timeouts">[],
  { totalDueMs }: Pick<CallerDeadline, "totalDueMs">,
): number {
  let totalMs = 0;
  for (const { timeouts } of targets) totalMs = Math.max(totalMs, timeouts.totalMs === 0 ? Infinity : timeouts.totalMs);
  return Math.min(startedMs + totalMs, totalDueMs);
}

/** By when the body has to be here: what the deadline bounds comes after it, whether that will be a stream or not. */
export function bodyDue(deadline: CallerDeadline): BodyDue {
  return {
    atMs: Math.min(deadline.totalDueMs, deadline.firstOutputDueMs),
    passed: () => tooLate(deadline, "was over before the body of the request had come."),
  };
}

/** Whether it is too late to call anybody. */
export function isPassed({ totalDueMs, firstOutputDueMs }: CallerDeadline, nowMs: number): boolean {
  return nowMs >= Math.min(totalDueMs, firstOutputDueMs);
}

/** As the beginning of a sentence: which one it is, and how long. */
export function describeDeadline({ header, askedMs }: CallerDeadline): string {
  return header === null ? "The time that the request has" : `The request's own deadline (${header}: ${askedMs} ms)`;
}

/** `target`: whose turn it was; `null`: it had not come to any. */
export function deadlinePassed(deadline: CallerDeadline, target: string | null, nowMs: number): HeadgateError {
  const where = `was over before ${target ?? "a provider"} could be called.`;
  if (isPassed(deadline, nowMs)) return tooLate(deadline, where);
  return new HeadgateError(
    "deadline_exceeded",
    `The time that the gateway gives a request (timeouts.totalMs) ${where} Try again; the operator can raise it.`,
  );
}

function tooLate(deadline: CallerDeadline, where: string): HeadgateError {
  return new HeadgateError("deadline_exceeded", `${describeDeadline(deadline)} ${where} Give it longer, or try again.`);
}

function dueAt(startedMs: number, budgetMs: number): number {
  return startedMs + budgetMs - Math.min(RESERVE_MS, budgetMs * RESERVE_SHARE);
}
