/** Claims and answers as the suites of kept answers use them. */
import { toNanoUsd } from "../../src/kernel/money.ts";
import type { CachedAnswer, ClaimRequest, KeptAnswer } from "../../src/storage/answers/answers.ts";
import { clock } from "./engines.ts";

export const anAnswer: KeptAnswer = {
  requestId: "req_1",
  kind: "stream",
  atMs: 1_800_000_000_000,
  headers: ["x-headgate-model", "openai/gpt-5-mini"],
  body: Buffer.from([0, 255, 13, 10]),
  modelServed: "openai/gpt-5-mini",
  provider: "openai",
  costNanoUsd: toNanoUsd(9_007_199_254_740_993n),
};

export function aClaim(keyHash: string, claimId: string, leaseMs = 60_000): ClaimRequest {
  return { keyHash, claimId, tenantId: "ten_1", fingerprint: `of ${claimId}`, leaseMs };
}

export function cached(cacheKey: string, given: Partial<CachedAnswer & KeptAnswer> = {}): CachedAnswer {
  const { tenantId = "ten_1", modelAsked = "fast", expiresAtMs = clock.wallMs() + 60_000, ...answer } = given;
  return { cacheKey, tenantId, modelAsked, expiresAtMs, answer: { ...anAnswer, ...answer } };
}
