/** What is kept of an answer when the exchange that led it is over. */
import type { KeptAnswer } from "../../storage/answers/answers.ts";
import type { RequestRecord } from "../../storage/records.ts";
import type { Exchange } from "../exchange.ts";
import type { CachedRequests } from "./cached.ts";
import type { KeyClaims } from "./keys/claims.ts";
import { withUsage } from "./form/kept-stream.ts";
import { encodeFailure } from "./kept-failure.ts";
import { isCacheable, isFinalFailure } from "./outcome.ts";
import type { Share } from "./share.ts";
import type { SharedAnswer, SharedEnd } from "./joint/shared-answer.ts";

export interface KeepDeps {
  readonly claims: KeyClaims;
  readonly cached: CachedRequests;
}

/** In the cache, if it may be, and under its key. Resolves when the store has the latter, or it is held until the store takes it. */
export async function keep(
  { claims, cached }: KeepDeps,
  exchange: Exchange,
  { claim, cachePlan }: Share,
  shared: SharedAnswer,
  end: SharedEnd,
  record: RequestRecord | null,
): Promise<void> {
  const { idempotency, cache } = exchange.snapshot.config;
  const answer = answerOf(shared, end);
  if (cachePlan !== null && answer !== null && record !== null && record.payer !== null && isCacheable(record)) {
    const { cacheKey, ttlMs, meaning } = cachePlan;
    const { modelAsked, payer } = record;
    const kept = withUsage(exchange, answer, shared.lastWords.tail);
    const about = { cacheKey, tenantId: payer.tenantId, modelAsked: modelAsked ?? "", expiresAtMs: kept.atMs + ttlMs };
    if (kept.body.byteLength <= cache.answerBytes) cached.put({ ...about, answer: kept }, meaning, cache);
  }
  if (claim === null) return;
  if (end.how === "failed") {
    if (shared.hasBegun || !isFinalFailure(end.failure)) return claims.release(claim);
    const failure: KeptAnswer = { ...end.source, kind: "failure", body: encodeFailure(end.failure) };
    return claims.keep(claim, failure, idempotency.retentionMs);
  }
  const fits = answer !== null && answer.body.byteLength <= idempotency.answerBytes;
  return claims.keep(claim, fits ? answer : null, idempotency.retentionMs);
}

/** `null`: there is none, or it was too large to remember. A copy of its own memory, since a provider's bytes may be part of a larger buffer. */
function answerOf(shared: SharedAnswer, end: SharedEnd): KeptAnswer | null {
  if (end.how === "failed") return null;
  const body = shared.contents;
  if (body === null) return null;
  return end.body === null
    ? { ...end.source, kind: "stream", body }
    : { ...end.source, kind: "whole", body: new Uint8Array(body) };
}
