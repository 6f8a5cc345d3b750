import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { type AccountState, available, drain, draw, fence, grantSize, release, settle } from "./account.ts";

const startMs = 1_800_000_000_000;

function budget(limit: bigint, changed: Partial<AccountState> = {}): AccountState {
  const empty = { spent: 0n, granted: 0n, suspense: 0n, drain: null, drainedAtMs: startMs, refusals: 0 } as const;
  return { limit, ...empty, mode: "enforce", ...changed };
}

/** So many a minute. */
function rate(amount: bigint, changed: Partial<AccountState> = {}): AccountState {
  return budget(amount, { drain: { amount, perMs: 60_000 }, ...changed });
}

const amounts = fc.bigInt({ min: 0n, max: 1000n });

test("a draw gets all it wants while that is an eighth of what is available, then less, down to its need", () => {
  assert.equal(grantSize(800n, 1n, 100n), 100n);
  assert.equal(grantSize(400n, 1n, 100n), 50n);
  assert.equal(grantSize(400n, 70n, 100n), 70n);
  assert.equal(grantSize(7n, 1n, 100n), 1n);
  assert.equal(grantSize(70n, 70n, 100n), 70n);
  assert.equal(grantSize(69n, 70n, 100n), 0n);
  assert.equal(grantSize(-5n, 1n, 100n), 0n);
});

test("a grant is nothing, or between need and want and within what is available", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -1000n, max: 1000n }), amounts, amounts, (free, need, more) => {
      const size = grantSize(free, need + 1n, need + 1n + more);
      if (size === 0n) assert.ok(free < need + 1n);
      else assert.ok(size > need && size <= need + 1n + more && size <= free);
    }),
  );
});

test("an enforced account grants nothing that is not there, and says so", () => {
  const state = budget(100n, { spent: 60n, suspense: 30n });
  const refused = draw(state, { need: 11n, want: 20n }, startMs);
  assert.deepEqual(refused, { state, granted: 0n, retryAfterMs: null });
  const last = draw(state, { need: 10n, want: 20n }, startMs);
  assert.deepEqual([last.granted, available(last.state)], [10n, 0n]);
});

test("budgets that do not refuse grant beyond the limit, but only what is needed", () => {
  for (const mode of ["soft", "shadow"] as const) {
    const state = budget(100n, { spent: 100n, mode });
    const { granted, retryAfterMs, state: after } = draw(state, { need: 5n, want: 50n }, startMs);
    assert.deepEqual([granted, retryAfterMs, available(after)], [5n, null, -5n]);
    assert.equal(draw(budget(100n, { mode }), { need: 5n, want: 50n }, startMs).granted, 12n);
  }
});

test("a rate that does not refuse grants nothing that is not there, and forgets what ran over", () => {
  const full = rate(60n, { mode: "shadow", spent: 50n, granted: 10n });
  assert.deepEqual(draw(full, { need: 1n, want: 9n }, startMs), { state: full, granted: 0n, retryAfterMs: 1000 });
  const over = settle(full, { fromGrant: 10n, overdraft: 500n }, false);
  const next = draw(over, { need: 10n, want: 10n }, startMs + 10_000);
  assert.deepEqual([available(over), next.granted, available(next.state)], [-500n, 0n, 0n]);
  assert.equal(draw(next.state, { need: 10n, want: 10n }, startMs + 20_000).granted, 10n);
  const enforced = draw({ ...over, mode: "enforce" }, { need: 10n, want: 10n }, startMs + 20_000);
  assert.equal(enforced.granted, 0n);
});

test("a settlement takes from granted, or from suspense once the owner is fenced, and beyond it from what is available", () => {
  const state = budget(100n, { granted: 40n, suspense: 20n });
  const settled = settle(state, { fromGrant: 30n, overdraft: 5n }, false);
  assert.deepEqual([settled.spent, settled.granted, settled.suspense, available(settled)], [35n, 10n, 20n, 35n]);
  const late = settle(settled, { fromGrant: 20n, overdraft: 0n }, true);
  assert.deepEqual([late.spent, late.granted, late.suspense, available(late)], [55n, 10n, 0n, 35n]);
});

test("a correction gives back what was charged too much", () => {
  const state = settle(budget(100n, { spent: 50n }), { fromGrant: 0n, overdraft: -20n }, false);
  assert.deepEqual([state.spent, available(state)], [30n, 70n]);
});

test("more than is granted can neither be settled, nor released, nor fenced", () => {
  const state = budget(100n, { granted: 10n, suspense: 5n });
  assert.throws(() => settle(state, { fromGrant: 11n, overdraft: 0n }, false), { name: "AssertionFailure" });
  assert.throws(() => settle(state, { fromGrant: 6n, overdraft: 0n }, true), { name: "AssertionFailure" });
  assert.throws(() => release(state, 11n, false), { name: "AssertionFailure" });
  assert.throws(() => release(state, -1n, false), { name: "AssertionFailure" });
  assert.throws(() => fence(state, 11n), { name: "AssertionFailure" });
});

test("a rate drains with time, from the moment of the draw, whether settled or not", () => {
  const drawn = draw(rate(60n), { need: 60n, want: 60n }, startMs).state;
  assert.equal(available(drain(drawn, startMs + 999)), 0n);
  assert.equal(available(drain(drawn, startMs + 30_000)), 30n);
  const settled = settle(drawn, { fromGrant: 60n, overdraft: 0n }, false);
  assert.equal(available(drain(settled, startMs + 30_000)), 30n);
  assert.equal(available(drain(settled, startMs + 3_600_000)), 60n);
});

test("what has drained while it was granted does not come back a second time when it is given back", () => {
  const drawn = draw(rate(60n), { need: 60n, want: 60n }, startMs).state;
  const later = drain(drawn, startMs + 45_000);
  const released = release(later, 60n, false);
  assert.equal(available(released), 60n);
  assert.equal(available(release(drawn, 60n, false)), 60n);
});

test("a refused draw from a rate is granted after the time that it was told, and not a millisecond before", () => {
  const rates = fc.record({ amount: fc.bigInt({ min: 1n, max: 100_000n }), perMs: fc.constantFrom(60_000, 3_600_000) });
  fc.assert(
    fc.property(rates, amounts, amounts, fc.nat(100_000), (each, burst, need, elapsedMs) => {
      const state = budget(burst + need + 1n, { spent: burst + need + 1n, drain: each });
      const request = { need: need + 1n, want: need + 1n };
      const refused = draw(state, request, startMs + elapsedMs);
      fc.pre(refused.granted === 0n);
      assert.ok(refused.retryAfterMs !== null && refused.retryAfterMs > 0);
      const retryMs = startMs + elapsedMs + refused.retryAfterMs;
      assert.equal(draw(refused.state, request, retryMs).granted, need + 1n);
      assert.equal(draw(refused.state, request, retryMs - 1).granted, 0n);
    }),
  );
});

test("a draw larger than the whole capacity of a rate, or from one of nothing, is not helped by waiting", () => {
  assert.equal(draw(rate(60n), { need: 61n, want: 61n }, startMs).retryAfterMs, null);
  assert.equal(draw(rate(0n), { need: 1n, want: 1n }, startMs).retryAfterMs, null);
  assert.equal(draw(rate(60n, { spent: 60n }), { need: 60n, want: 60n }, startMs).retryAfterMs, 60_000);
});

test("in no interval does a rate grant more than its burst and what drains in that interval", () => {
  const steps = fc.array(fc.record({ waitMs: fc.nat(5000), need: fc.bigInt({ min: 1n, max: 40n }) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 600n }), fc.bigInt({ min: 1n, max: 60n }), steps, (amount, burst, draws) => {
      let state = budget(burst, { drain: { amount, perMs: 60_000 } });
      let nowMs = startMs;
      const granted: { atMs: number; amount: bigint }[] = [];
      for (const { waitMs, need } of draws) {
        nowMs += waitMs;
        const outcome = draw(state, { need, want: need }, nowMs);
        state = settle(outcome.state, { fromGrant: outcome.granted, overdraft: 0n }, false);
        granted.push({ atMs: nowMs, amount: outcome.granted });
      }
      for (const [from, first] of granted.entries()) {
        let sum = 0n;
        for (const each of granted.slice(from)) {
          sum += each.amount;
          assert.ok(sum <= burst + (BigInt(each.atMs - first.atMs) * amount) / 60_000n);
        }
      }
    }),
  );
});

test("a rate that is asked in each of its milliseconds drains at least half as fast as one that is left alone", () => {
  const full = rate(40_000n, { spent: 40_000n });
  let asked = full;
  for (let ms = 1; ms <= 1000; ms++) asked = drain(asked, startMs + ms);
  const alone = drain(full, startMs + 1000);
  assert.equal(available(alone), 666n);
  assert.ok(available(asked) >= 333n && available(asked) <= 666n, `${available(asked)} drained`);
});

test("a clock that goes back drains nothing; set back for good, the rate goes on from there", () => {
  const state = rate(60n, { spent: 60n });
  assert.deepEqual(drain(state, startMs - 1000), state);
  const back = drain(state, startMs - 3_600_000);
  assert.equal(available(back), 0n);
  assert.equal(available(drain(back, startMs - 3_600_000 + 1000)), 1n);
});

test("a clock that jumps ahead fills a rate once", () => {
  const ahead = drain(rate(60n, { spent: 60n }), startMs + 86_400_000);
  assert.equal(available(ahead), 60n);
  const emptied = draw(ahead, { need: 60n, want: 60n }, startMs + 86_400_000).state;
  assert.equal(available(drain(emptied, startMs + 86_400_000)), 0n);
});

test("a rate that does not refuse counts what it would have let pass, so that it can be enforced later", () => {
  let state = rate(60n, { mode: "shadow" });
  for (let second = 0; second < 600; second++) {
    state = draw(state, { need: 10n, want: 10n }, startMs + second * 1000).state;
  }
  assert.ok(available(state) < 10n);
  const enforced = draw({ ...state, mode: "enforce" }, { need: 10n, want: 10n }, startMs + 610_000);
  assert.equal(enforced.granted, 10n);
});

test("only a rate drains", () => {
  const state = budget(60n, { spent: 60n });
  assert.equal(drain(state, startMs + 86_400_000), state);
});
