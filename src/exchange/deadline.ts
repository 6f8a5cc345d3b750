import { HeadgateError } from "../kernel/errors.ts";

/** Kept from the caller's deadline to encode and deliver the answer or the error. */
const RESERVE_MS = 50;
const RESERVE_SHARE = 0.05;
const DEADLINE_MS_MAX = 86_400_000;

/**
 * The caller's deadline as monotonic time, with a reserve taken off; `null` if none was given. From
 * `x-headgate-deadline-ms` (milliseconds from now), else from `x-stainless-timeout` (seconds), which the OpenAI and
 * Anthropic SDKs send by themselves. Throws `invalid_header`, for our own header only.
 */
export function readDeadline(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  startedMs: number,
): number | null {
  const own = headers["x-headgate-deadline-ms"];
  let budgetMs: number;
  if (own !== undefined) {
    budgetMs = Number(own);
    if (!(budgetMs >= 1 && budgetMs <= DEADLINE_MS_MAX)) {
      throw new HeadgateError(
        "invalid_header",
        `x-headgate-deadline-ms must be a number of milliseconds from 1 to ${DEADLINE_MS_MAX}.`,
        { param: "x-headgate-deadline-ms" },
      );
    }
  } else {
    budgetMs = Number(headers["x-stainless-timeout"]) * 1000;
    if (!(budgetMs > 0 && budgetMs <= DEADLINE_MS_MAX)) return null;
  }
  return startedMs + budgetMs - Math.min(RESERVE_MS, budgetMs * RESERVE_SHARE);
}
