import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toNanoUsd } from "../kernel/money.ts";
import { emptyUsage } from "../kernel/usage.ts";
import type { Allowance } from "../limits/allowance.ts";
import type { LedgerEntry } from "../storage/records.ts";
import { correctionMoves } from "./corrections.ts";

const startedAtMs = Date.UTC(2026, 10, 21, 9);
const dayStartMs = Date.UTC(2026, 10, 21);
const monthStartMs = Date.UTC(2026, 10, 1);
const HOUR_MS = 3_600_000;

const entry: LedgerEntry = {
  entryId: "a.1",
  kind: "correction",
  attemptId: "a",
  requestId: "r",
  atMs: startedAtMs + HOUR_MS,
  payer: { tenantId: "t", projectId: "p", keyId: "k" },
  endUser: "eve",
  operation: "chat",
  provider: "openai",
  credential: "default",
  modelAsked: "fast",
  modelTarget: "openai/gpt-5",
  modelServed: "openai/gpt-5-2025-08-07",
  providerRequestId: null,
  usage: { ...emptyUsage(), inputTokens: -3, outputTokens: 1 },
  costNanoUsd: toNanoUsd(-500n),
  priceVersion: "v2 (was v1)",
  basis: "reported",
  flags: [],
};

function allowance(more: Partial<Allowance> = {}): Allowance {
  return {
    id: "alw",
    name: "monthly",
    scope: { kind: "tenant", tenantId: "t", projectId: null, keyId: null, endUser: null },
    meter: "money",
    limit: 1000n,
    window: "month",
    timeZone: "UTC",
    burst: null,
    models: null,
    operation: null,
    mode: "enforce",
    policy: "expected",
    alertPercents: [],
    createdAtMs: 0,
    disabledAtMs: null,
    ...more,
  };
}

function moved(of: Allowance, nowMs = startedAtMs + HOUR_MS): readonly (readonly [string, bigint])[] {
  const attempt = { charge: entry, corrections: [], startedAtMs };
  return correctionMoves({ attempt, entry }, [of], nowMs).map(({ accountId, fromGrant, overdraft }) => {
    assert.equal(fromGrant, 0n);
    return [accountId, overdraft] as const;
  });
}

describe("correctionMoves", () => {
  test("moves the difference in the window in which the request began, by the allowance's time zone", () => {
    assert.deepEqual(moved(allowance()), [[`alw||${monthStartMs}`, -500n]]);
    assert.deepEqual(moved(allowance({ window: "day" })), [[`alw||${dayStartMs}`, -500n]]);
    assert.deepEqual(moved(allowance({ window: "day", timeZone: "Europe/Berlin" })), [
      [`alw||${dayStartMs - HOUR_MS}`, -500n],
    ]);
    assert.deepEqual(moved(allowance({ window: "lifetime" })), [["alw||0", -500n]]);
  });

  test("leaves a window that has ended as it was", () => {
    assert.deepEqual(moved(allowance({ window: "day" }), dayStartMs + 24 * HOUR_MS), []);
    assert.equal(moved(allowance({ window: "day" }), dayStartMs + 24 * HOUR_MS - 1).length, 1);
  });

  test("moves tokens in a budget of tokens, and nothing in rates, requests and slots", () => {
    assert.deepEqual(moved(allowance({ meter: "tokens" })), [[`alw||${monthStartMs}`, -2n]]);
    assert.deepEqual(moved(allowance({ meter: "tokens", window: "minute" })), []);
    assert.deepEqual(moved(allowance({ meter: "requests" })), []);
    assert.deepEqual(moved(allowance({ meter: "slots", window: "lifetime" })), []);
  });

  test("finds the account of whom the allowance counts apart", () => {
    const scope = allowance().scope;
    assert.deepEqual(moved(allowance({ scope: { ...scope, kind: "key" } }))[0]?.[0], `alw|k|${monthStartMs}`);
    assert.deepEqual(moved(allowance({ scope: { ...scope, kind: "end-user" } }))[0]?.[0], `alw|eve|${monthStartMs}`);
  });

  test("passes over allowances that the request was not on the path of", () => {
    const { scope } = allowance();
    assert.deepEqual(moved(allowance({ scope: { ...scope, tenantId: "other" } })), []);
    assert.deepEqual(moved(allowance({ scope: { ...scope, kind: "project", projectId: "other" } })), []);
    assert.deepEqual(moved(allowance({ models: ["anthropic/*"] })), []);
    assert.deepEqual(moved(allowance({ operation: "embeddings" })), []);
    assert.equal(moved(allowance({ models: ["openai/*"], operation: "chat" })).length, 1);
    assert.deepEqual(moved(allowance({ window: "lifetime", createdAtMs: startedAtMs + 1 })), []);
  });

  test("keeps the books of an allowance right that was disabled since, for when it is enabled again", () => {
    const disabledSince = allowance({ disabledAtMs: startedAtMs + 1 });
    assert.deepEqual(moved(disabledSince), [[`alw||${monthStartMs}`, -500n]]);
    assert.deepEqual(moved(allowance({ disabledAtMs: startedAtMs })), []);
  });
});
