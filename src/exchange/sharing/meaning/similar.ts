/**
 * Answers to requests that mean the same, for aliases with `mode: semantic`. A request that no kept answer equals is
 * turned into a vector and compared with those of earlier ones that differ from it in the words of their last message
 * only; the nearest one's answer will do if it is at least as near as the alias's threshold.
 *
 * Invariant: it never keeps a request from being made. A model that makes no vectors is left alone for a while.
 */
import type { CacheConfig, ModelCacheConfig } from "../../../config/config.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { HeadgateError } from "../../../kernel/errors.ts";
import type { CachedAnswer, Meaning } from "../../../storage/answers/answers.ts";
import { type CacheIdentity, partitionOf } from "../identity.ts";
import type { Telemetry } from "../../../telemetry/telemetry.ts";
import type { AnswerCache } from "../answer-cache.ts";
import { isOwnFailure } from "../outcome.ts";
import type { Scene } from "../scene.ts";
import type { StoreTier } from "../store-tier.ts";
import type { Embedded } from "./embed.ts";
import { MeaningIndex } from "./meaning-index.ts";
import { numbersIn, wordsToCompare } from "./wording.ts";

export interface SimilarDeps {
  readonly clock: Clock;
  readonly memory: AnswerCache;
  readonly store: StoreTier;
  readonly telemetry: Pick<Telemetry, "warn">;
}

export interface SimilarAnswer {
  readonly cached: CachedAnswer;
  readonly similarity: number;
}

/** How long a request waits to be compared. */
const EMBED_MS = 2_000;
/** The same of the time that the request has left: its answer is made in the rest. */
const LEFT_SHARE = 0.5;
/** How long no vectors are asked for after none came. */
const AWAY_MS = 5_000;
/** How often the operator is told. */
const QUIET_MS = 60_000;
/** Of `cache.sizeBytes`, for vectors in memory. */
const MEMORY_SHARE = 1 / 4;
/** Vectors whose answers are gone are passed over, so many for one request. */
const TRIES_MAX = 3;

export class SimilarAnswers {
  readonly #deps: SimilarDeps;
  readonly #index: MeaningIndex;
  #awayUntilMs = 0;
  #quietUntilMs = 0;

  constructor(deps: SimilarDeps) {
    this.#deps = deps;
    this.#index = new MeaningIndex(deps.clock);
  }

  /** Of the request; `null`: it is not compared, or could not be. Leaves in the share what that cost. */
  async meaningOf(scene: Scene, identity: CacheIdentity, { mode }: ModelCacheConfig): Promise<Meaning | null> {
    const { exchange, view, share } = scene;
    const model = exchange.snapshot.config.cache.embeddings;
    const text = mode === "semantic" ? wordsToCompare(view) : null;
    if (text === null || model === null) return null;
    const nowMs = this.#deps.clock.monotonicMs();
    const leftMs = Math.min(scene.dueMs, scene.deadline.firstOutputDueMs) - nowMs;
    const waitMs = Math.min(EMBED_MS, leftMs * LEFT_SHARE);
    if (waitMs < 1 || nowMs < this.#awayUntilMs) return null;
    const embedded = await scene.embed({ model, text, waitMs });
    share.embeddingNanoUsd = embedded.costNanoUsd;
    if (embedded.vector === null) {
      this.#failed(model, embedded, waitMs);
      return null;
    }
    return { partition: partitionOf(identity, model, numbersIn(text)), vector: embedded.vector };
  }

  #failed(model: string, { failure }: Embedded, waitMs: number): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (isProvidersFault(failure, waitMs)) this.#awayUntilMs = nowMs + AWAY_MS;
    else if (failure !== null && isOwnFailure(failure)) return;
    if (nowMs < this.#quietUntilMs) return;
    this.#quietUntilMs = nowMs + QUIET_MS;
    const code = failure?.code ?? "upstream_malformed";
    this.#deps.telemetry.warn("requests are not compared by what they mean: cache.embeddings gives no vectors", {
      model,
      code,
    });
  }

  /** The nearest that is kept and may be given. */
  async find(
    { partition, vector }: Meaning,
    { threshold }: ModelCacheConfig,
    maxAgeMs: number,
    config: CacheConfig,
  ): Promise<SimilarAnswer | null> {
    const { store, memory } = this.#deps;
    await store.ask("looking for similar requests in the cache", (answers) =>
      this.#index.ready(partition, answers, config.sizeBytes * MEMORY_SHARE),
    );
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const nearest = this.#index.nearest(partition, vector, threshold, maxAgeMs);
      if (nearest === null) return null;
      const { cacheKey, similarity } = nearest;
      const looked = await this.#look(cacheKey, maxAgeMs);
      if (looked === null) return null;
      const { cached } = looked;
      if (cached !== null && memory.isGood(cached, maxAgeMs)) {
        memory.put(cached, config.sizeBytes);
        return { cached, similarity };
      }
      this.#index.drop(partition, cacheKey);
    }
    return null;
  }

  /** The answer of a vector; `cached: null`: it is gone. `null`: the store does not say. */
  async #look(cacheKey: string, maxAgeMs: number): Promise<{ readonly cached: CachedAnswer | null } | null> {
    const cached = this.#deps.memory.find(cacheKey, maxAgeMs);
    if (cached !== null) return { cached };
    return this.#deps.store.ask("looking for an answer in the cache", async (answers) => {
      return { cached: await answers.findCached(cacheKey) };
    });
  }

  /** An answer is kept for requests of this meaning. */
  add(
    { partition, vector }: Meaning,
    { cacheKey, expiresAtMs, answer }: CachedAnswer,
    { sizeBytes }: CacheConfig,
  ): void {
    this.#index.add(partition, { cacheKey, expiresAtMs, atMs: answer.atMs, vector }, sizeBytes * MEMORY_SHARE);
  }
}

/** Not that of a caller who left, has no budget, or gave too little time. */
function isProvidersFault(failure: HeadgateError | null, waitMs: number): boolean {
  if (failure === null) return true;
  return failure.fault === "upstream" || (failure.code === "deadline_exceeded" && waitMs === EMBED_MS);
}
