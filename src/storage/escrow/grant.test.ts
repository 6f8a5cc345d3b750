import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { type AccountState, available } from "./account.ts";
import {
  drawGrant,
  drawNothing,
  fenceGrant,
  finishGrant,
  type GrantState,
  noGrant,
  returnGrant,
  settleGrant,
} from "./grant.ts";

const nowMs = 1_800_000_000_000;
const account: AccountState = {
  limit: 100n,
  spent: 0n,
  granted: 0n,
  suspense: 0n,
  mode: "enforce",
  drain: null,
  drainedAtMs: nowMs,
  refusals: 0,
};
const rate: AccountState = { ...account, drain: { amount: 100n, perMs: 60_000 } };

function drawn(amount: bigint, from: AccountState = account) {
  return drawGrant({ account: from, grant: noGrant }, { sequence: 1, need: amount, want: amount, refusals: 0 }, nowMs);
}

test("a draw that comes again is answered the same and draws nothing more", () => {
  const request = { sequence: 1, need: 30n, want: 30n, refusals: 0 };
  const first = drawGrant({ account, grant: noGrant }, request, nowMs);
  const again = drawGrant(first, request, nowMs);
  assert.deepEqual([first.granted, again.granted], [30n, 30n]);
  assert.deepEqual([again.account, again.grant], [first.account, first.grant]);
});

test("a refusal that comes again stays one, though there is room by now", () => {
  const request = { sequence: 1, need: 30n, want: 30n, refusals: 0 };
  const first = drawGrant({ account: { ...account, spent: 90n }, grant: noGrant }, request, nowMs);
  const again = drawGrant({ account, grant: first.grant }, request, nowMs);
  assert.deepEqual([first.granted, again.granted], [0n, 0n]);
  assert.equal(drawGrant({ account, grant: again.grant }, { ...request, sequence: 2 }, nowMs).granted, 30n);
});

test("a refusal of a rate that comes again says how long is left to wait", () => {
  const request = { sequence: 1, need: 10n, want: 10n, refusals: 0 };
  const first = drawGrant({ account: { ...rate, spent: 100n }, grant: noGrant }, request, nowMs);
  assert.equal(first.retryAfterMs, 6000);
  assert.equal(drawGrant(first, request, nowMs + 4000).retryAfterMs, 2000);
  assert.equal(drawGrant(first, request, nowMs + 9000).retryAfterMs, 0);
});

test("a return that comes again returns nothing more, and answers a recall", () => {
  const before = drawn(30n);
  const recalled = { account: before.account, grant: { ...before.grant, recalled: true } };
  const first = returnGrant(recalled, { sequence: 2, amount: 10n, refusals: 0 });
  assert.deepEqual([first.grant.amount, first.grant.recalled, available(first.account)], [20n, false, 80n]);
  assert.deepEqual(returnGrant(first, { sequence: 2, amount: 10n, refusals: 0 }), first);
  const nothing = returnGrant(recalled, { sequence: 2, amount: 0n, refusals: 0 });
  assert.deepEqual([nothing.grant.amount, nothing.grant.recalled], [30n, false]);
});

test("an operation that was answered is not done under another name, nor one skipped", () => {
  const before = drawn(30n);
  for (const sequence of [0, -1, 3, 1.5]) {
    assert.throws(() => drawGrant(before, { sequence, need: 1n, want: 1n, refusals: 0 }, nowMs), { code: "internal" });
    assert.throws(() => returnGrant(before, { sequence, amount: 1n, refusals: 0 }), { code: "internal" });
    assert.throws(() => drawNothing(before, { sequence, refusals: 0 }), { code: "internal" });
    assert.throws(() => drawNothing({ account: null, grant: before.grant }, { sequence, refusals: 0 }), {
      code: "internal",
    });
  }
  assert.throws(() => drawNothing({ account: null, grant: noGrant }, { sequence: 0, refusals: 0 }), {
    code: "internal",
  });
});

test("more than the grant holds cannot be given back, nor less than nothing", () => {
  const before = drawn(30n);
  assert.throws(() => returnGrant(before, { sequence: 2, amount: 31n, refusals: 0 }), { code: "internal" });
  assert.throws(() => returnGrant(before, { sequence: 2, amount: -1n, refusals: 0 }), { code: "internal" });
});

test("an operation on what nothing limits, or does not exist, granted nothing", () => {
  const before = drawn(30n);
  const next = drawNothing(before, { sequence: 2, refusals: 0 });
  assert.deepEqual([next.grant.amount, next.grant.sequence, next.grant.lastAmount], [30n, 2, 0n]);
  const nowhere = drawNothing({ account: null, grant: before.grant }, { sequence: 2, refusals: 9 });
  assert.deepEqual(nowhere, { account: null, grant: next.grant });
  assert.equal(drawNothing(before, { sequence: 1, refusals: 9 }).grant, before.grant);
});

test("refusals are counted with the operation that carries them, once however often it comes", () => {
  const request = { sequence: 1, need: 500n, want: 500n, refusals: 3 };
  const refused = drawGrant({ account, grant: noGrant }, request, nowMs);
  const again = drawGrant(refused, request, nowMs);
  const returned = returnGrant(again, { sequence: 2, amount: 0n, refusals: 4 });
  const disabled = drawNothing(returned, { sequence: 3, refusals: 5 });
  const books = [refused, again, returned, returnGrant(returned, { sequence: 2, amount: 0n, refusals: 4 }), disabled];
  assert.deepEqual(
    books.map((each) => each.account.refusals),
    [3, 3, 7, 7, 12],
  );
  assert.equal(drawNothing(disabled, { sequence: 3, refusals: 5 }).account.refusals, 12);
});

test("a return of nothing that reports refusals answers no recall", () => {
  const before = drawn(30n);
  const recalled = { account: before.account, grant: { ...before.grant, recalled: true } };
  assert.equal(returnGrant(recalled, { sequence: 2, amount: 0n, refusals: 1 }).grant.recalled, true);
  assert.equal(returnGrant(recalled, { sequence: 2, amount: 1n, refusals: 1 }).grant.recalled, false);
});

test("a settlement beyond what the grant holds is spent all the same", () => {
  const settled = settleGrant(drawn(30n), { fromGrant: 40n, overdraft: 5n });
  assert.deepEqual([settled.account.spent, settled.account.granted, settled.grant.amount], [45n, 0n, 0n]);
  const gone = settleGrant({ account, grant: noGrant }, { fromGrant: 40n, overdraft: 0n });
  assert.deepEqual([gone.account.spent, gone.account.granted], [40n, 0n]);
});

test("a dead owner's grant is in suspense, settled from there, and what is left is available when it is finished", () => {
  const fenced = fenceGrant(drawn(30n), "money");
  assert.deepEqual([fenced.account.granted, fenced.account.suspense, fenced.grant.suspended], [0n, 30n, true]);
  assert.deepEqual(fenceGrant(fenced, "money"), fenced);
  const settled = settleGrant(fenced, { fromGrant: 10n, overdraft: 0n });
  assert.deepEqual([settled.account.spent, settled.account.suspense], [10n, 20n]);
  const finished = finishGrant(settled);
  assert.deepEqual([finished.suspense, available(finished)], [0n, 90n]);
});

test("a dead owner's slots are available again at once, and neither its late settlement nor its end frees them twice", () => {
  const fenced = fenceGrant(drawn(30n), "slots");
  assert.deepEqual([fenced.account.granted, fenced.account.suspense, available(fenced.account)], [0n, 0n, 100n]);
  assert.deepEqual([fenced.grant.amount, fenced.grant.suspended], [0n, true]);
  assert.deepEqual(fenceGrant(fenced, "slots"), fenced);
  assert.deepEqual(settleGrant(fenced, { fromGrant: 0n, overdraft: 0n }), fenced);
  assert.equal(available(finishGrant(fenced)), 100n);
});

const meters = ["money", "slots"] as const;
const owners = ["a", "b", "c"] as const;
const step = fc.record({
  kind: fc.constantFrom("draw", "draw", "return", "settle", "fence", "finish"),
  owner: fc.constantFrom(...owners),
  amount: fc.bigInt({ min: 1n, max: 60n }),
  more: fc.bigInt({ min: 0n, max: 60n }),
  repeated: fc.boolean(),
});

type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;

test("whatever owners do, in whatever order and however often repeated, the books add up", () => {
  fc.assert(
    fc.property(fc.constantFrom(...meters), fc.array(step, { maxLength: 80 }), (meter, steps) => {
      const grants = new Map<string, GrantState>();
      let state = account;
      let settled = 0n;
      for (const each of steps) {
        const before = available(state);
        const next = operate(state, grants.get(each.owner) ?? noGrant, each, meter);
        if (each.repeated && next.again !== null)
          assert.deepEqual(next.again(), { account: next.account, grant: next.grant });
        state = next.account;
        settled += next.settled;
        if (next.grant === null) grants.delete(each.owner);
        else grants.set(each.owner, next.grant);
        assert.ok(next.granted <= (before > 0n ? before : 0n), "nothing is granted beyond what is available");
        const sum = (suspended: boolean): bigint =>
          [...grants.values()].reduce(
            (total, grant) => total + (grant.suspended === suspended ? grant.amount : 0n),
            0n,
          );
        assert.deepEqual([state.granted, state.suspense, state.spent], [sum(false), sum(true), settled]);
        if (meter === "slots") assert.equal(state.suspense, 0n, "slots are never in suspense");
      }
    }),
    { numRuns: 500 },
  );
});

interface Operated {
  readonly account: AccountState;
  readonly grant: GrantState | null;
  readonly granted: bigint;
  readonly settled: bigint;
  /** The same operation once more, where it may come again: then it must change nothing. */
  readonly again: (() => { account: AccountState; grant: GrantState | null }) | null;
}

function operate(
  state: AccountState,
  grant: GrantState,
  { kind, amount, more }: Step,
  meter: (typeof meters)[number],
): Operated {
  const books = { account: state, grant };
  const sequence = grant.sequence + 1;
  if (kind === "draw" && !grant.suspended) {
    const request = { sequence, need: amount, want: amount + more, refusals: 0 };
    const { account: next, grant: nextGrant, granted } = drawGrant(books, request, nowMs);
    return operated({ account: next, grant: nextGrant }, granted, 0n, (after) => {
      const { account: same, grant: sameGrant } = drawGrant(after, request, nowMs);
      return { account: same, grant: sameGrant };
    });
  }
  if (kind === "return" && !grant.suspended) {
    const request = { sequence, amount: amount < grant.amount ? amount : grant.amount, refusals: 0 };
    return operated(returnGrant(books, request), 0n, 0n, (after) => returnGrant(after, request));
  }
  if (kind === "settle") {
    const next = settleGrant(books, { fromGrant: amount, overdraft: more });
    return operated(next, 0n, amount + more, null);
  }
  if (kind === "fence") return operated(fenceGrant(books, meter), 0n, 0n, (after) => fenceGrant(after, meter));
  if (kind === "finish") {
    const next = finishGrant(books);
    const again = finishGrant({ account: next, grant: noGrant });
    return { account: next, grant: null, granted: 0n, settled: 0n, again: () => ({ account: again, grant: null }) };
  }
  return operated(books, 0n, 0n, null);
}

interface Same {
  readonly account: AccountState;
  readonly grant: GrantState;
}

function operated(next: Same, granted: bigint, settled: bigint, repeat: ((after: Same) => Same) | null): Operated {
  return { ...next, granted, settled, again: repeat === null ? null : () => repeat(next) };
}
