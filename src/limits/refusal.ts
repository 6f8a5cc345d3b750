/** What a request is told that is refused: by which allowance, what it says, and whether waiting helps. */
import { HeadgateError, type ErrorOptions } from "../kernel/errors.ts";
import type { AccountKey, Amount, Standing } from "../storage/escrow/bank.ts";
import { type Allowance, type AllowanceScope, regimeOf } from "./allowance.ts";
import { formatAmount } from "./amount-text.ts";

export interface LimitReached {
  readonly allowance: Allowance;
  readonly account: AccountKey;
  /** What the request needs to hold. */
  readonly amount: Amount;
  /** What it holds already, where its answer grows or it is tried again. */
  readonly held: Amount;
  readonly standing: Standing | null;
  /** Of a rate: when the bank said there is room. `null`: it did not say. */
  readonly roomInMs: number | null;
}

/** In the words of who asks: which one it is, the caller knows. */
const whose: Readonly<Record<AllowanceScope["kind"], string>> = {
  tenant: "this tenant",
  project: "this project",
  key: "this API key",
  "end-user": "this end user",
};

/** Nobody knows when a running request ends; requests of models take seconds. */
const RUNNING_RETRY_AFTER_MS = 1_000;

/** `budget_exhausted`, `rate_limited` or `slots_exhausted`. */
export function limitReached(reached: LimitReached): HeadgateError {
  const { allowance } = reached;
  switch (regimeOf(allowance.meter, allowance.window)) {
    case "budget":
      return budgetExhausted(reached);
    case "rate":
      return rateLimited(reached);
    case "slots":
      return slotsExhausted(reached);
  }
}

/** The bank did not answer, or not in time. */
export function storeSilent(retryAfterMs: number): HeadgateError {
  return new HeadgateError(
    "storage_unavailable",
    "The gateway could not learn from its store how much this request may use, so nothing was called. Try again.",
    { retryAfterMs },
  );
}

/** The lease is over, or was when this was asked last. */
export function outOfTouch(retryAfterMs: number): HeadgateError {
  return new HeadgateError(
    "storage_unavailable",
    "The gateway has been out of touch with its store for too long to know what may be used, so nothing was called. Try again.",
    { retryAfterMs },
  );
}

/** An answer that grows was begun under an owner that gets nothing more. */
export function ownerFenced(): HeadgateError {
  return new HeadgateError(
    "owner_fenced",
    "The gateway was out of touch with its store for longer than its lease, so this answer can hold no more than it does.",
  );
}

export function tooManyWaiting(count: number): HeadgateError {
  return new HeadgateError(
    "overloaded",
    `${count} requests wait already until the store has said what they may use. Try again in a moment.`,
    { retryAfterMs: RUNNING_RETRY_AFTER_MS },
  );
}

/** End users, mostly, of whom each has an account of its own. */
export function tooManyAccounts(count: number): HeadgateError {
  return new HeadgateError(
    "overloaded",
    `The gateway keeps the books of ${count} end users, projects and keys at the moment, and has no room for another. Try again in a moment.`,
    { retryAfterMs: RUNNING_RETRY_AFTER_MS },
  );
}

export function closingDown(): HeadgateError {
  return new HeadgateError("shutting_down", "The gateway is shutting down. Try again: another process takes over.", {
    retryAfterMs: RUNNING_RETRY_AFTER_MS,
  });
}

/** One that is for some models only may leave the others. */
function refusedBy({ name, models }: Allowance): ErrorOptions {
  return models === null ? { allowance: name } : { allowance: name, retry: "other-target" };
}

function budgetExhausted({ allowance, account, amount, held, standing }: LimitReached): HeadgateError {
  const { name, meter, window, timeZone } = allowance;
  const limit = formatAmount(meter, standing?.limit ?? allowance.limit);
  const period = window === "lifetime" ? "in all" : `per ${window}`;
  // What others hold may come back. What it holds itself does not, however long it waits.
  const left = standing === null ? 0n : standing.limit - standing.spent - standing.suspense - held;
  const isTemporary = left >= amount && amount > 0n;
  const hope = isTemporary ? " What is left is held by requests in flight: trying again can help." : "";
  const { windowEndMs } = account;
  const reset = windowEndMs === null ? "" : ` It begins anew at ${timeIn(windowEndMs, timeZone)}.`;
  const more = held === 0n ? "" : " more";
  const need = meter === "requests" ? "another" : `the ${formatAmount(meter, amount)}${more} that this request may use`;
  return new HeadgateError(
    "budget_exhausted",
    `The budget "${name}" of ${whose[allowance.scope.kind]} allows ${limit} ${period}, and there is no room for ${need}.${hope}${reset}`,
    isTemporary ? { ...refusedBy(allowance), retryAfterMs: RUNNING_RETRY_AFTER_MS } : refusedBy(allowance),
  );
}

function rateLimited({ allowance, amount, standing, roomInMs }: LimitReached): HeadgateError {
  const { name, meter, window, limit } = allowance;
  const most = standing?.limit ?? allowance.burst ?? limit;
  const atOnce = most === limit ? "" : `, ${formatAmount(meter, most)} at once`;
  const rate = `The rate "${name}" of ${whose[allowance.scope.kind]} allows ${formatAmount(meter, limit)} per ${window}${atOnce}`;
  if (most === 0n) return new HeadgateError("rate_limited", `${rate}: it admits nothing.`, refusedBy(allowance));
  if (amount > most) {
    const message = `${rate}. This request needs ${formatAmount(meter, amount)} at once, which there will never be: make it smaller, or bound its output by max_tokens.`;
    return new HeadgateError("rate_limited", message, refusedBy(allowance));
  }
  const retryAfterMs = roomInMs ?? RUNNING_RETRY_AFTER_MS;
  const message = `${rate}, and there is no room for this request now. Try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
  return new HeadgateError("rate_limited", message, { ...refusedBy(allowance), retryAfterMs });
}

function slotsExhausted({ allowance, standing }: LimitReached): HeadgateError {
  const { name } = allowance;
  const limit = standing?.limit ?? allowance.limit;
  if (limit === 0n) {
    const message = `The allowance "${name}" of ${whose[allowance.scope.kind]} lets no request run: its limit is 0.`;
    return new HeadgateError("slots_exhausted", message, refusedBy(allowance));
  }
  return new HeadgateError(
    "slots_exhausted",
    `The allowance "${name}" of ${whose[allowance.scope.kind]} lets ${limit} ${limit === 1n ? "request" : "requests"} run at the same time, ` +
      "and as many are running. Try again when one of them has ended.",
    { ...refusedBy(allowance), retryAfterMs: RUNNING_RETRY_AFTER_MS },
  );
}

/** As `2026-12-01T00:00:00+01:00 (Europe/Berlin)`. */
function timeIn(atMs: number, timeZone: string): string {
  const at = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
  return `${at.toString({ timeZoneName: "never", smallestUnit: "second" })} (${timeZone})`;
}
