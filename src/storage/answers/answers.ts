/**
 * Answers that are kept to be given again: under the `Idempotency-Key` of the request that they answered, and in the
 * cache. One store for all processes; `sql-answers.ts` is it on either engine, but for what
 * requests wait for on SQLite: `answers-file.ts`.
 *
 * A key is free, claimed by a process, or answered:
 *
 *   free ──claim──▶ running ──keep──▶ answered ──retention over──▶ free
 *     ▲               │ release, or the lease ends
 *     └───────────────┘
 *
 * Invariants: of many claims of a free key one succeeds; only the holder of a claim changes what is kept under it, and
 * only as long as nobody has claimed the key after its lease. All operations reject with `storage_unavailable`.
 */
import type { NanoUsd } from "../../kernel/money.ts";

/** What a caller was given. `failure`: an error that a repetition would only meet again; its body is not what was sent, but what to render. */
export interface KeptAnswer {
  /** Of the request that was made for it. */
  readonly requestId: string;
  readonly kind: "whole" | "stream" | "failure";
  /** When it was complete, ms since the epoch. */
  readonly atMs: number;
  /** Alternating names and values, of those headers that belong to the answer and not to one response. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  /** `provider/model`. */
  readonly modelServed: string | null;
  readonly provider: string | null;
  /** What it cost, and so what giving it again saves. */
  readonly costNanoUsd: NanoUsd;
}

export interface KeyClaim {
  /** Of tenant and key: see `src/exchange/sharing/identity.ts`. */
  readonly keyHash: string;
  /** Given by the claimant, never used again. */
  readonly claimId: string;
}

export interface ClaimRequest extends KeyClaim {
  readonly tenantId: string;
  /** Of the request. */
  readonly fingerprint: string;
  readonly leaseMs: number;
}

/** `answer` is `null` where it was too large to be kept. */
export type ClaimResult =
  | { readonly state: "claimed" }
  | { readonly state: "running"; readonly fingerprint: string }
  | { readonly state: "answered"; readonly fingerprint: string; readonly answer: KeptAnswer | null };

export interface CachedAnswer {
  /** Of tenant, project and request: see `src/exchange/sharing/identity.ts`. */
  readonly cacheKey: string;
  readonly tenantId: string;
  readonly modelAsked: string;
  /** Ms since the epoch. */
  readonly expiresAtMs: number;
  readonly answer: KeptAnswer;
}

/** What the request of a cached answer means, by which it is found for requests in other words. */
export interface Meaning {
  /** Of the requests that differ in their words only: see `src/exchange/sharing/identity.ts`. */
  readonly partition: string;
  /** Of unit length, so that the product of two is the cosine between them. */
  readonly vector: Float32Array;
}

export interface KeptMeaning {
  readonly cacheKey: string;
  /** Of the answer: when it was complete, ms since the epoch. */
  readonly atMs: number;
  readonly expiresAtMs: number;
  readonly vector: Float32Array;
}

/** Of one partition, newest first, from answers that were complete at `sinceMs` or later. */
export interface MeaningsQuery {
  readonly partition: string;
  readonly sinceMs: number;
  readonly offset: number;
  readonly limit: number;
}

/** Which answers are dropped from the cache; `null`: of all. */
export interface CachedScope {
  readonly tenantId: string | null;
  /** As it is asked for, or as `provider/model` served. */
  readonly model: string | null;
}

export interface CachedSums {
  readonly tenantId: string;
  readonly modelAsked: string;
  readonly answers: number;
  readonly bytes: number;
}

export interface AnswerStore {
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** Of claims that are still held; of others it changes nothing. */
  renew(claimIds: readonly string[], leaseMs: number): Promise<void>;
  /** Ends a claim with what was answered, `null` if that is too large; `false` if the claim was lost. */
  keep(claim: KeyClaim, answer: KeptAnswer | null, retentionMs: number): Promise<boolean>;
  /** Ends a claim without an answer: the key is free. */
  release(claim: KeyClaim): Promise<void>;

  /** At once where that takes no waiting, which also may throw. */
  findCached(cacheKey: string): CachedAnswer | null | Promise<CachedAnswer | null>;
  /** Takes the place of an older one. Without `meaning` it is given to equal requests only. */
  cache(answer: CachedAnswer, meaning?: Meaning | null): Promise<void>;
  /** Of answers that have not expired. */
  findMeanings(query: MeaningsQuery): Promise<readonly KeptMeaning[]>;
  /** Resolves with how many were dropped. */
  dropCached(scope: CachedScope): Promise<number>;
  sumCached(): Promise<readonly CachedSums[]>;

  /** Drops what is over, and the oldest cached answers beyond so many bytes. In portions; resolves when all is done. */
  sweep(cachedBytesMax: number): Promise<void>;
}

/** Bytes that a cached answer counts, with what surrounds it. */
export function sizeOfCached({ answer }: Pick<CachedAnswer, "answer">, meaning: Meaning | null = null): number {
  return answer.body.byteLength + (meaning?.vector.byteLength ?? 0) + OVERHEAD_BYTES;
}

const OVERHEAD_BYTES = 1024;
