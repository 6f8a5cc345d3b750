import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { anAllowance } from "../../test/support/limits-world.ts";
import type { HeadgateError } from "../kernel/errors.ts";
import type { AccountKey, Amount, Standing } from "../storage/escrow/bank.ts";
import type { Allowance } from "./allowance.ts";
import { limitReached } from "./refusal.ts";

const account: AccountKey = {
  accountId: "alw_1||0",
  allowanceId: "alw_1",
  subject: "",
  windowStartMs: Date.UTC(2026, 9, 31, 23),
  windowEndMs: Date.UTC(2026, 10, 30, 23),
};
const month: Partial<Allowance> = { window: "month", timeZone: "Europe/Berlin", limit: 100_000_000_000n };

function refuse(
  allowance: Partial<Allowance>,
  amount: Amount,
  standing: Partial<Standing> = {},
  rest: Partial<AccountKey & { roomInMs: number; held: Amount }> = {},
): HeadgateError {
  const terms = { ...anAllowance, ...allowance };
  return limitReached({
    allowance: terms,
    account: { ...account, ...rest },
    amount,
    standing: { limit: terms.burst ?? terms.limit, spent: 0n, granted: 0n, suspense: 0n, ...standing },
    held: rest.held ?? 0n,
    roomInMs: rest.roomInMs ?? null,
  });
}

describe("a budget that is exhausted", () => {
  test("answers 402 with its name, scope, limit and when it begins anew", () => {
    const refusal = refuse(month, 50_000_000n, { spent: 99_990_000_000n });
    assert.deepEqual([refusal.code, refusal.status, refusal.allowance], ["budget_exhausted", 402, "monthly"]);
    assert.equal(
      refusal.message,
      'The budget "monthly" of this tenant allows $100.00 per month, and there is no room for the $0.05 that this ' +
        "request may use. It begins anew at 2026-12-01T00:00:00+01:00 (Europe/Berlin).",
    );
  });

  test("says that trying again helps only where what is held, not spent, would make room", () => {
    assert.equal(refuse(month, 50_000_000n, { spent: 99_960_000_000n, granted: 40_000_000n }).retryAfterMs, null);
    assert.equal(refuse(month, 50_000_000n, { suspense: 99_960_000_000n }).retryAfterMs, null);
    const held = refuse(month, 50_000_000n, { spent: 99_950_000_000n, granted: 50_000_000n });
    assert.ok((held.retryAfterMs ?? 0) > 0);
    assert.match(held.message, /held by requests in flight/);
  });

  test("does not tell an answer to wait for what it holds itself", () => {
    const standing = { spent: 99_900_000_000n, granted: 100_000_000n };
    const alone = refuse(month, 50_000_000n, standing, { held: 60_000_000n });
    assert.equal(alone.retryAfterMs, null);
    assert.equal(
      alone.message,
      'The budget "monthly" of this tenant allows $100.00 per month, and there is no room for the $0.05 more that this ' +
        "request may use. It begins anew at 2026-12-01T00:00:00+01:00 (Europe/Berlin).",
    );
    const beside = refuse(month, 50_000_000n, standing, { held: 50_000_000n });
    assert.ok((beside.retryAfterMs ?? 0) > 0);
    assert.match(beside.message, /held by requests in flight/);
  });

  test("of requests has no room for another", () => {
    const terms: Partial<Allowance> = { meter: "requests", window: "day", limit: 5n };
    assert.match(
      refuse({ ...month, ...terms }, 1n, { spent: 5n }).message,
      /allows 5 requests per day, and there is no room for another\. It/,
    );
  });

  test("names what it counts, and the limit of this window", () => {
    const terms: Partial<Allowance> = {
      meter: "tokens",
      window: "lifetime",
      limit: 1_000_000n,
      scope: { ...anAllowance.scope, kind: "project" },
    };
    const refusal = refuse(terms, 1n, { limit: 5_000n, spent: 5_000n }, { windowEndMs: null });
    assert.equal(
      refusal.message,
      'The budget "monthly" of this project allows 5,000 tokens in all, and there is no room for the 1 token that this request may use.',
    );
  });

  test("does not tell one end user's name to another program than that which sent it", () => {
    const scope = { ...anAllowance.scope, kind: "end-user", endUser: "ada@example.com" } as const;
    assert.match(refuse({ ...month, scope }, 1n).message, /of this end user allows/);
  });
});

describe("a rate that is exceeded", () => {
  const rate: Partial<Allowance> = { name: "tpm", meter: "tokens", window: "minute", limit: 600n, burst: 100n };

  test("answers 429 and says when there is room", () => {
    const refusal = refuse(rate, 50n, { spent: 80n }, { roomInMs: 2_900 });
    assert.deepEqual([refusal.code, refusal.status, refusal.retryAfterMs], ["rate_limited", 429, 2_900]);
    assert.equal(
      refusal.message,
      'The rate "tpm" of this tenant allows 600 tokens per minute, 100 tokens at once, and there is no room for this ' +
        "request now. Try again in 3 s.",
    );
  });

  test("always says when, but to a request that is too large for it", () => {
    assert.ok((refuse(rate, 100n).retryAfterMs ?? 0) > 0);
    const never = refuse(rate, 101n, {}, { roomInMs: 5 });
    assert.deepEqual([never.code, never.retryAfterMs], ["rate_limited", null]);
    assert.match(never.message, /needs 101 tokens at once, which there will never be/);
  });
});

test("slots that are all taken answer 429 with a time to try again", () => {
  const scope = { ...anAllowance.scope, kind: "key", keyId: "key_1" } as const;
  const refusal = refuse({ name: "one", meter: "slots", limit: 1n, scope }, 1n);
  assert.deepEqual([refusal.code, refusal.status], ["slots_exhausted", 429]);
  assert.ok((refusal.retryAfterMs ?? 0) > 0);
  assert.match(refusal.message, /"one" of this API key lets 1 request run at the same time/);
});
