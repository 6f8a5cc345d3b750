/**
 * Cached answers in this process's memory: the fast tier in front of the store's. Bounded by bytes; the ones unused for
 * longest are dropped first.
 *
 * Invariant: what is purged is never found, whether it was put in before or after the purge.
 */
import type { Clock } from "../../kernel/clock.ts";
import { type CachedAnswer, sizeOfCached } from "../../storage/answers/answers.ts";
import { type CachePurge, isPurged, type PurgeReader } from "../../storage/answers/cache-purges.ts";

export interface AnswerCache {
  /** Not expired, not purged, not older than `maxAgeMs`. Throws `storage_unavailable`. */
  find(cacheKey: string, maxAgeMs: number): CachedAnswer | null;
  /** Drops what has no more room; an answer that has none itself is not taken. Throws `storage_unavailable`. */
  put(cached: CachedAnswer, bytesMax: number): void;
  /** Whether it would be found: for answers that come from elsewhere. Throws `storage_unavailable`. */
  isGood(cached: CachedAnswer, maxAgeMs: number): boolean;
}

/** Of `models.<alias>.cache.ttlMs`: no purge that is older matters. */
const TTL_MS_MAX = 30 * 86_400_000;

export function createAnswerCache(clock: Clock, purges: PurgeReader): AnswerCache {
  /** In order of last use. */
  const answers = new Map<string, CachedAnswer>();
  let bytes = 0;
  let generation = -1;
  let known: readonly CachePurge[] = [];

  function drop(cached: CachedAnswer): void {
    answers.delete(cached.cacheKey);
    bytes -= sizeOfCached(cached);
  }

  /** A purge that was noticed meanwhile may have dropped it. */
  function dropIfThere(cached: CachedAnswer): void {
    if (answers.get(cached.cacheKey) === cached) drop(cached);
  }

  /** Purges that may matter to an answer that has not expired. */
  function currentPurges(): readonly CachePurge[] {
    const current = purges.generation();
    if (current === generation) return known;
    known = purges.since(clock.wallMs() - TTL_MS_MAX);
    generation = current;
    for (const cached of answers.values()) if (known.some((purge) => isPurged(cached, purge))) drop(cached);
    return known;
  }

  function isGood(cached: CachedAnswer, maxAgeMs: number): boolean {
    const nowMs = clock.wallMs();
    if (cached.expiresAtMs <= nowMs || nowMs - cached.answer.atMs > maxAgeMs) return false;
    return !currentPurges().some((purge) => isPurged(cached, purge));
  }

  return {
    isGood,
    find(cacheKey, maxAgeMs) {
      const cached = answers.get(cacheKey);
      if (cached === undefined) return null;
      if (!isGood(cached, maxAgeMs)) {
        if (!isGood(cached, Infinity)) dropIfThere(cached);
        return null;
      }
      answers.delete(cacheKey);
      answers.set(cacheKey, cached);
      return cached;
    },
    put(cached, bytesMax) {
      const before = answers.get(cached.cacheKey);
      if (before !== undefined) drop(before);
      const size = sizeOfCached(cached);
      if (size > bytesMax || !isGood(cached, Infinity)) return;
      answers.set(cached.cacheKey, alone(cached));
      bytes += size;
      for (const oldest of answers.values()) {
        if (bytes <= bytesMax) break;
        drop(oldest);
      }
    },
  };
}

/** With a body that keeps nothing else in memory: it may have come as a part of a larger buffer, Node's pool included. */
function alone(cached: CachedAnswer): CachedAnswer {
  const { body } = cached.answer;
  if (body.byteLength === body.buffer.byteLength) return cached;
  return { ...cached, answer: { ...cached.answer, body: new Uint8Array(body) } };
}
