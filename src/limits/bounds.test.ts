import assert from "node:assert/strict";
import { test } from "node:test";
import { anAllowance, aScope, createLimitsWorld, demand, estimate } from "../../test/support/limits-world.ts";
import type { Limits, Reservation } from "./limits.ts";

const each = { ...anAllowance.scope, kind: "end-user" } as const;

function reserve(limits: Limits, endUser: string): Reservation | Promise<Reservation> {
  return limits.reserve({ ...aScope, endUser }, estimate(demand(1)));
}

/** A request that needs nothing. */
async function know(limits: Limits, user: number): Promise<void> {
  await limits.reserve({ ...aScope, endUser: `${user}` }, estimate(demand(0)));
}

test("a process that knows too many accounts goes on under another owner, and what is open settles as before", async () => {
  const world = createLimitsWorld();
  world.allow({ scope: each });
  const limits = await world.open();
  const first = await reserve(limits, "0");
  for (let user = 1; user < 10_000; user++) await know(limits, user);
  await world.advance(300);
  const [old, current] = [...world.bank.owners.keys()];
  const next = await reserve(limits, "0");
  assert.equal(next.heldAmounts[0]?.ownerId, current);
  assert.deepEqual(first.settle(demand(1)), [{ ownerId: old, accountId: "alw_1|0|0", fromGrant: 1n, overdraft: 0n }]);
  await world.advance(60_000);
  assert.deepEqual(
    world.events.filter((event) => event.startsWith("fenced")),
    [],
    "its lease goes on while requests are open",
  );
});

test("an owner that is replaced is not finished while a request waits for what it draws", async () => {
  const world = createLimitsWorld();
  world.allow({ scope: each, limit: 1_000n });
  const limits = await world.open();
  for (let user = 0; user < 9_999; user++) {
    const nothing = await limits.reserve({ ...aScope, endUser: `${user}` }, estimate(demand(0)));
    nothing.settle(null);
    nothing.committed();
  }
  const answer = Promise.withResolvers<void>();
  world.bank.after = (operation) => (operation === "draw" ? answer.promise : undefined);
  const most = (): Promise<Reservation> =>
    Promise.resolve(limits.reserve({ ...aScope, endUser: "waiting" }, estimate(demand(900))));
  const waiting = most();
  await world.advance(900);
  const [old, current] = [...world.bank.owners.keys()];
  assert.ok(current);
  answer.resolve();
  const served = await waiting;
  assert.equal(served.heldAmounts[0]?.ownerId, old);
  await world.advance(900);
  await assert.rejects(world.until(most()), { code: "budget_exhausted" });
  assert.equal(world.bank.count("finish"), 0);
  world.bank.settle(served.settle(demand(900)));
  served.committed();
  await world.advance(300);
  assert.equal(world.bank.count("finish"), 1);
});

test("more accounts than that are refused while there is no other owner to go on under", async () => {
  const world = createLimitsWorld();
  world.allow({ scope: each, limit: 0n });
  const limits = await world.open();
  for (let user = 0; user < 20_000; user++) await know(limits, user);
  assert.throws(() => reserve(limits, "one more"), { code: "overloaded", status: 503 });
});

test("no more than so many requests wait at a time", async () => {
  const world = createLimitsWorld();
  world.allow({ limit: 1_000_000n });
  const limits = await world.open();
  const answer = Promise.withResolvers<void>();
  world.bank.after = (operation) => (operation === "draw" ? answer.promise : undefined);
  const waiting = Array.from({ length: 10_000 }, async () => limits.reserve(aScope, estimate(demand(1))));
  assert.throws(() => limits.reserve(aScope, estimate(demand(1))), { code: "overloaded" });
  answer.resolve();
  world.bank.after = () => {};
  await Promise.all(waiting);
  await limits.reserve(aScope, estimate(demand(1)));
});

test("of those who wait for a recall only so many do, and the others are refused at once", async () => {
  const world = createLimitsWorld();
  world.allow({ limit: 100n });
  const [limits, other] = [await world.open(), await world.open()];
  await other.reserve(aScope, estimate(demand(100)));
  const outcomes = Array.from({ length: 1_200 }, () =>
    Promise.try(() => limits.reserve(aScope, estimate(demand(1)))).then(
      () => "admitted",
      () => "refused",
    ),
  );
  let refused = 0;
  for (const outcome of outcomes) void outcome.then(() => refused++);
  await world.flush();
  assert.equal(refused, 200);
  await world.until(Promise.all(outcomes));
  assert.equal(refused, 1_200);
});

test("no request waits longer than some seconds for a bank that does not answer", async () => {
  const world = createLimitsWorld();
  world.allow({});
  const limits = await world.open();
  const never = Promise.withResolvers<void>();
  world.bank.after = (operation) => (operation === "draw" ? never.promise : undefined);
  const refusal = assert.rejects(async () => limits.reserve(aScope, estimate(demand(1))), {
    code: "storage_unavailable",
  });
  await world.until(refusal);
  assert.ok(world.clock.monotonicMs() <= 5_300);
});
