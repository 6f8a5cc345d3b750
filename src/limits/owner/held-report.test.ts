import assert from "node:assert/strict";
import { test } from "node:test";
import { type HeldAccount, HeldReport } from "./held-report.ts";

function accountsOf(held: Readonly<Record<string, bigint>>): readonly HeldAccount[] {
  return Object.entries(held).map(([accountId, amount]) => ({ account: { accountId }, hand: { held: amount } }));
}

test("what is held is told when it has changed, and only accounts of which something is", () => {
  const report = new HeldReport();
  assert.equal(report.next(accountsOf({ a: 0n }), 0), undefined, "an owner begins with nothing held");
  assert.deepEqual(report.next(accountsOf({ a: 5n, b: 0n }), 250), [{ accountId: "a", amount: 5n }]);
  assert.equal(report.next(accountsOf({ a: 5n, b: 0n }), 500), undefined);
  assert.deepEqual(report.next(accountsOf({ a: 4n, b: 2n }), 750), [
    { accountId: "a", amount: 4n },
    { accountId: "b", amount: 2n },
  ]);
  assert.deepEqual(report.next(accountsOf({ a: 0n, b: 0n }), 1_000), []);
});

test("what may not have been heard is told again, changed or not", () => {
  const report = new HeldReport();
  report.next(accountsOf({ a: 5n }), 0);
  report.unheard();
  assert.deepEqual(report.next(accountsOf({ a: 5n }), 250), [{ accountId: "a", amount: 5n }]);
  assert.equal(report.next(accountsOf({ a: 5n }), 500), undefined);
  report.unheard();
  assert.deepEqual(report.next(accountsOf({ a: 0n }), 750), []);
});

test("the more accounts there are to tell of, the less often they are told of", () => {
  const report = new HeldReport();
  const accounts = (amount: bigint): readonly HeldAccount[] =>
    accountsOf(Object.fromEntries(Array.from({ length: 2_000 }, (_, user) => [`user ${user}`, amount])));
  assert.equal(report.next(accounts(1n), 0)?.length, 2_000);
  assert.equal(report.next(accounts(2n), 1_999), undefined);
  assert.equal(report.next(accounts(2n), 2_000)?.length, 2_000);
});
