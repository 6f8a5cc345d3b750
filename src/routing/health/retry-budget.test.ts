import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { RetryBudget } from "./retry-budget.ts";

/** Makes calls again for as long as it may. */
function spendAll(budget: RetryBudget, percent: number, nowMs: number): number {
  let spent = 0;
  for (; spent < 10_000 && budget.spend(percent, nowMs); spent++) budget.called(nowMs);
  return spent;
}

test("a target that had no requests gets ten retries in ten seconds", () => {
  const budget = new RetryBudget();
  assert.equal(spendAll(budget, 20, 0), 10);
  assert.equal(spendAll(budget, 20, 9_999), 0);
  assert.equal(spendAll(budget, 20, 11_000), 10);
});

test("a busy one gets its share of the requests of late", () => {
  const budget = new RetryBudget();
  for (let request = 0; request < 500; request++) budget.called(request);
  assert.equal(spendAll(budget, 20, 1_000), 100);
});

test("calls that were made again are no requests, and so earn no further ones", () => {
  const budget = new RetryBudget();
  for (let request = 0; request < 100; request++) budget.called(0);
  for (let retry = 0; retry < 20; retry++) {
    assert.ok(budget.spend(20, 0));
    budget.called(0);
  }
  assert.equal(budget.spend(20, 0), false);
});

test("with a share of 0 none is made again", () => {
  const budget = new RetryBudget();
  for (let request = 0; request < 100; request++) budget.called(0);
  assert.equal(budget.spend(0, 0), false);
});

test("routes with other shares draw on the same budget", () => {
  const budget = new RetryBudget();
  for (let request = 0; request < 1_000; request++) budget.called(0);
  assert.equal(spendAll(budget, 5, 0), 50);
  assert.equal(spendAll(budget, 10, 0), 50);
  assert.equal(spendAll(budget, 5, 0), 0);
});

test("whatever comes, ten seconds see no more than ten retries or the share of what eleven brought", () => {
  const events = fc.array(fc.record({ waitMs: fc.nat(1_500), requests: fc.nat(40), tries: fc.nat(20) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(events, fc.integer({ min: 1, max: 100 }), (given, percent) => {
      const budget = new RetryBudget();
      const requests: number[] = [];
      const retries: number[] = [];
      let nowMs = 0;
      for (const event of given) {
        nowMs += event.waitMs;
        for (let request = 0; request < event.requests; request++) {
          budget.called(nowMs);
          requests.push(nowMs);
        }
        for (let tried = 0; tried < event.tries; tried++) {
          if (!budget.spend(percent, nowMs)) break;
          budget.called(nowMs);
          retries.push(nowMs);
        }
        const lateRetries = retries.filter((atMs) => atMs > nowMs - 10_000).length;
        const lateRequests = requests.filter((atMs) => atMs > nowMs - 11_000).length;
        assert.ok(lateRetries <= Math.max(10, Math.ceil((lateRequests * percent) / 100)), `${lateRetries} retries`);
      }
    }),
  );
});
