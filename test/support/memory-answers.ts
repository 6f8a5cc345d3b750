/** Kept answers in memory, with the same contract as the store's; shared by all processes that are given the same one. */
import type { Clock } from "../../src/kernel/clock.ts";
import {
  type AnswerStore,
  type CachedAnswer,
  type CachedSums,
  type ClaimResult,
  type KeptAnswer,
  type KeptMeaning,
  type Meaning,
  type MeaningsQuery,
  sizeOfCached,
} from "../../src/storage/answers/answers.ts";
import type { CachePurge, PurgeReader } from "../../src/storage/answers/cache-purges.ts";

interface KeyRow {
  readonly claimId: string;
  readonly fingerprint: string;
  readonly untilMs: number;
  /** `undefined`: running. */
  readonly answer: KeptAnswer | null | undefined;
}

export class MemoryAnswers implements AnswerStore, PurgeReader {
  readonly keys: Map<string, KeyRow> = new Map();
  readonly cached: Map<string, CachedAnswer> = new Map();
  readonly meanings: Map<string, Meaning> = new Map();
  readonly purges: CachePurge[] = [];
  /** Thrown by every operation instead of doing it; `null`: none. */
  failure: Error | null = null;
  readonly #clock: Pick<Clock, "wallMs">;

  constructor(clock: Pick<Clock, "wallMs">) {
    this.#clock = clock;
  }

  async claim(request: Parameters<AnswerStore["claim"]>[0]): Promise<ClaimResult> {
    this.#fail();
    const row = this.keys.get(request.keyHash);
    if (row === undefined || row.untilMs <= this.#clock.wallMs()) {
      const { claimId, fingerprint, leaseMs } = request;
      this.keys.set(request.keyHash, {
        claimId,
        fingerprint,
        untilMs: this.#clock.wallMs() + leaseMs,
        answer: undefined,
      });
      return { state: "claimed" };
    }
    const { fingerprint, answer } = row;
    return answer === undefined ? { state: "running", fingerprint } : { state: "answered", fingerprint, answer };
  }

  async renew(claimIds: readonly string[], leaseMs: number): Promise<void> {
    this.#fail();
    for (const [keyHash, row] of this.keys) {
      if (row.answer === undefined && claimIds.includes(row.claimId))
        this.keys.set(keyHash, { ...row, untilMs: this.#clock.wallMs() + leaseMs });
    }
  }

  async keep(
    { keyHash, claimId }: Parameters<AnswerStore["keep"]>[0],
    answer: KeptAnswer | null,
    retentionMs: number,
  ): Promise<boolean> {
    this.#fail();
    const row = this.keys.get(keyHash);
    if (row?.claimId !== claimId) return false;
    this.keys.set(keyHash, { ...row, answer, untilMs: this.#clock.wallMs() + retentionMs });
    return true;
  }

  async release({ keyHash, claimId }: Parameters<AnswerStore["release"]>[0]): Promise<void> {
    this.#fail();
    const row = this.keys.get(keyHash);
    if (row?.claimId === claimId && row.answer === undefined) this.keys.delete(keyHash);
  }

  async findCached(cacheKey: string): Promise<CachedAnswer | null> {
    this.#fail();
    const cached = this.cached.get(cacheKey);
    return cached !== undefined && cached.expiresAtMs > this.#clock.wallMs() ? cached : null;
  }

  async cache(cached: CachedAnswer, meaning: Meaning | null = null): Promise<void> {
    this.#fail();
    this.cached.set(cached.cacheKey, cached);
    if (meaning === null) this.meanings.delete(cached.cacheKey);
    else this.meanings.set(cached.cacheKey, meaning);
  }

  async findMeanings({ partition, sinceMs, offset, limit }: MeaningsQuery): Promise<readonly KeptMeaning[]> {
    this.#fail();
    const found: KeptMeaning[] = [];
    for (const { cacheKey, expiresAtMs, answer } of this.cached.values()) {
      const meaning = this.meanings.get(cacheKey);
      if (meaning?.partition !== partition || answer.atMs < sinceMs || expiresAtMs <= this.#clock.wallMs()) continue;
      found.push({ cacheKey, atMs: answer.atMs, expiresAtMs, vector: meaning.vector });
    }
    return found.sort((a, b) => b.atMs - a.atMs).slice(offset, offset + limit);
  }

  async dropCached({ tenantId, model }: Parameters<AnswerStore["dropCached"]>[0]): Promise<number> {
    this.#fail();
    const dropped = [...this.cached.values()].filter(
      ({ tenantId: of, modelAsked, answer }) =>
        (tenantId ?? of) === of && (model === null || model === modelAsked || model === answer.modelServed),
    );
    for (const { cacheKey } of dropped) this.cached.delete(cacheKey);
    return dropped.length;
  }

  async sumCached(): Promise<readonly CachedSums[]> {
    this.#fail();
    return [...this.cached.values()].map((cached) => {
      const { tenantId, modelAsked } = cached;
      return { tenantId, modelAsked, answers: 1, bytes: sizeOfCached(cached) };
    });
  }

  async sweep(): Promise<void> {
    this.#fail();
    const nowMs = this.#clock.wallMs();
    for (const [keyHash, { untilMs }] of this.keys) if (untilMs <= nowMs) this.keys.delete(keyHash);
    for (const { cacheKey, expiresAtMs } of this.cached.values())
      if (expiresAtMs <= nowMs) this.cached.delete(cacheKey);
  }

  generation(): number {
    return this.purges.length;
  }

  since(sinceMs: number): readonly CachePurge[] {
    return this.purges.filter(({ purgedAtMs }) => purgedAtMs > sinceMs);
  }

  #fail(): void {
    if (this.failure !== null) throw this.failure;
  }
}
