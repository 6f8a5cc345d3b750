/** By when a request has to be over, whatever happens. */
import type { Config } from "../../../src/config/config.ts";
import type { Request } from "../callers/request.ts";
import { commitPointOf, totalMsOf } from "./terms.ts";

/** For the gateway to notice, and to say so. */
const PROMPTLY_MS = 100;
/** The longest wait for what other processes are asked to give back. */
const RECALLS_MS_MAX = 5_000;

/** The longest wait for a key that the store says is in use: docs/guides/caching.md. */
const CLAIM_MS_MAX = 30_000;

export interface DueTerms {
  readonly config: Config;
  /** How many may be on the request's path. */
  readonly allowances: number;
  /** How long the request has waited for commits of the store, which no deadline can shorten. */
  readonly storeMs: number;
  readonly nowMs: number;
}

/** When the exchange must be over. While its body arrives that has a limit of its own, and the caller's deadline. */
export function dueMsOf(request: Request, terms: DueTerms): number {
  const { ask, startedMs } = request;
  const boundsWhole = ask.deadline?.header === "own" || !ask.stream;
  const askedMs = ask.deadline !== null && boundsWhole ? ask.deadline.ms : Infinity;
  const claimMs = ask.idempotencyKey === null ? 0 : CLAIM_MS_MAX;
  return latest(request, startedMs + Math.min(askedMs, totalMsOf(terms.config, ask.model).most + claimMs), terms);
}

/** When a stream must have begun, where an SDK waits for its head only and nothing holds it back; else `Infinity`. */
export function beginningDueMsOf(request: Request, terms: DueTerms): number {
  const { ask, startedMs } = request;
  if (ask.deadline?.header !== "sdk" || !ask.stream) return Infinity;
  if (commitPointOf(request, terms.config) !== "first-output") return Infinity;
  return latest(request, startedMs + ask.deadline.ms, terms);
}

/** When an exchange must be over that nobody waits for since `desertedMs`: its tail may be read for a while. */
export function desertedDueMs(request: Request, desertedMs: number, terms: DueTerms): number {
  const { config } = terms;
  const drainsMs = Object.values(config.providers).map(({ callerGone, drainMs }) => {
    return callerGone === "drain" ? drainMs : 0;
  });
  return latest(request, desertedMs + Math.max(0, ...drainsMs), terms);
}

/** When everything must be over after a grace period. */
export function stoppedDueMs(request: Request, graceEndMs: number, terms: DueTerms): number {
  return latest(request, graceEndMs, terms);
}

function latest(
  { incoming, startedMs, ask }: Request,
  dueMs: number,
  { config, allowances, storeMs, nowMs }: DueTerms,
): number {
  const readByMs = Math.min(dueMs + config.server.bodyTimeoutMs, startedMs + (ask.deadline?.ms ?? Infinity));
  const readMs = Math.min(incoming.readAtMs ?? nowMs, readByMs);
  const recallsMs = Math.min(RECALLS_MS_MAX, config.budgets.recallWaitMs * allowances);
  return Math.max(dueMs, readMs) + storeMs + recallsMs + PROMPTLY_MS;
}
