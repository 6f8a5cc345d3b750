/** Records to store, complete and different in every field, with what a test cares for replaced. */
import { emptyUsage } from "../../src/kernel/usage.ts";
import type { Usage } from "../../src/kernel/usage.ts";
import { toNanoUsd } from "../../src/kernel/money.ts";
import type { Hold, LedgerEntry, Payer, RequestRecord } from "../../src/storage/records.ts";

export const payer: Payer = { tenantId: "ten_1", projectId: "prj_1", keyId: "key_1" };

export function sampleUsage(inputTokens: number, outputTokens: number): Usage {
  return {
    ...emptyUsage(),
    inputTokens,
    outputTokens,
    cacheReadTokens: 3,
    cacheWrite5mTokens: 4,
    cacheWrite1hTokens: 5,
    searchUnits: 6,
  };
}

export function sampleHold(requestId: string, attemptId: string, replaced: Partial<Hold> = {}): Hold {
  return {
    attemptId,
    requestId,
    startedAtMs: 1_763_000_000_000,
    payer,
    endUser: "user-7",
    operation: "chat",
    provider: "openai",
    credential: "main",
    modelAsked: "fast",
    modelTarget: "gpt-5-mini",
    priceVersion: "catalogue/openai/gpt-5-mini",
    heldUsage: sampleUsage(1000, 500),
    heldCostNanoUsd: toNanoUsd(9_007_199_254_740_993n),
    heldAmounts: [],
    ...replaced,
  };
}

export function sampleEntry(requestId: string, attemptId: string, replaced: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    entryId: attemptId,
    kind: "charge",
    attemptId,
    requestId,
    atMs: 1_763_000_001_000,
    payer,
    endUser: "user-7",
    operation: "chat",
    provider: "openai",
    credential: "main",
    modelAsked: "fast",
    modelTarget: "openai/gpt-5-mini",
    modelServed: "gpt-5-mini-2025-08-07",
    providerRequestId: "chatcmpl-1",
    usage: sampleUsage(100, 50),
    costNanoUsd: toNanoUsd(9_007_199_254_740_995n),
    priceVersion: "catalogue/openai/gpt-5-mini",
    basis: "reported",
    flags: [],
    ...replaced,
  };
}

export function sampleRecord(requestId: string, replaced: Partial<RequestRecord> = {}): RequestRecord {
  return {
    requestId,
    startedAtMs: 1_763_000_000_000,
    payer,
    endUser: "user-7",
    operation: "chat",
    method: "POST",
    path: "/v1/chat/completions",
    dialectIn: "openai-chat",
    dialectOut: "anthropic-messages",
    stream: true,
    modelAsked: "fast",
    modelServed: "gpt-5-mini-2025-08-07",
    provider: "openai",
    status: 200,
    ending: "complete",
    finishReason: "stop",
    errorCode: null,
    attempts: 2,
    trail: [
      {
        target: "anthropic/claude-sonnet-4-5",
        credential: "main",
        beganUs: 1_100,
        firstOutputUs: null,
        endedUs: 90_000,
        outcome: "failed",
        code: "upstream_overloaded",
      },
    ],
    deadlineUs: 30_000_000,
    losses: ["logit_bias", "seed"],
    invalidEvents: 2,
    reuse: "hit",
    savedNanoUsd: toNanoUsd(9_007_199_254_740_993n),
    usage: sampleUsage(100, 50),
    costNanoUsd: toNanoUsd(9_007_199_254_740_995n),
    basis: "reported",
    bytesIn: 1200,
    bytesOut: 3400,
    queueUs: 11,
    connectUs: null,
    firstTokenUs: 250_000,
    totalUs: 900_000,
    outputTokensPerSecond: 76.5,
    userAgent: "OpenAI/JS 7.0",
    ...replaced,
  };
}
