/** Why a call does not get its turn, as its caller is told. Nothing was called and no money was held. */
import { HeadgateError } from "../../kernel/errors.ts";
import type { Priority } from "./priority.ts";

/** A target that calls wait for, in words. */
export interface AwaitedTarget {
  /** A provider, or `provider/model`. */
  readonly name: string;
  /** Why they wait, as the rest of a sentence that begins with its name. */
  readonly state: string;
  /** What those are refused with that may not wait. */
  readonly code: "overloaded" | "target_limited";
}

const RETRY_AFTER_MIN_MS = 1_000;
const RETRY_AFTER_MAX_MS = 300_000;

/** `expectedMs`: how long a further call would wait; `null` if nobody knows. */
export function lineFull(
  { name, state, code }: AwaitedTarget,
  length: number,
  priority: Priority,
  expectedMs: number | null,
): HeadgateError {
  return new HeadgateError(
    code,
    `${name} ${state}, and ${length} ${priority} requests of this tenant already wait for it (queue.lengthMax). Try again when one of them has been served.`,
    retryAfter(expectedMs === null ? 0 : expectedMs / length),
  );
}

/** Refused at once: `expectedMs` (`null` if nobody knows) is more than `allowedMs`, or no wait is allowed at all. */
export function waitTooLong(
  { name, state, code }: AwaitedTarget,
  expectedMs: number | null,
  allowedMs: number,
  bound: string,
): HeadgateError {
  const wait = expectedMs === null ? "have to wait" : `wait for about ${seconds(expectedMs)}`;
  const message = `${name} ${state}: this request would ${wait}, and ${bound} allows ${seconds(allowedMs)}. Try again later.`;
  return new HeadgateError(code, message, retryAfter((expectedMs ?? 0) - allowedMs));
}

/** It waited for as long as it may. `expectedMs` as above. */
export function waitedOut(
  { name, state, code }: AwaitedTarget,
  waitedMs: number,
  bound: string,
  expectedMs: number | null,
): HeadgateError {
  const message = `${name} ${state}: this request waited for ${seconds(waitedMs)} (${bound}), and its turn did not come. Try again later.`;
  return new HeadgateError(code, message, retryAfter(expectedMs ?? 0));
}

export function deadlinePassed({ name, state }: AwaitedTarget): HeadgateError {
  const message = `The time that the request has (its own deadline, or timeouts.totalMs) was over while it waited for ${name}, which ${state}. Try again later, or give a longer deadline.`;
  return new HeadgateError("deadline_exceeded", message);
}

export function queueDraining({ name }: AwaitedTarget): HeadgateError {
  const message = `The gateway is shutting down, and this request still waited for ${name}. Try again: another process takes over.`;
  return new HeadgateError("shutting_down", message, retryAfter(0));
}

function retryAfter(waitMs: number): { readonly retryAfterMs: number } {
  return { retryAfterMs: Math.round(Math.min(RETRY_AFTER_MAX_MS, Math.max(RETRY_AFTER_MIN_MS, waitMs))) };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.max(0, Math.round(ms))} ms` : `${Math.round(ms / 100) / 10} s`;
}
