import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aScope, createLimitsWorld, demand, estimate, type LimitsWorld } from "../../test/support/limits-world.ts";
import type { Limits, Reservation } from "./limits.ts";

const AHEAD_MS = 26 * 3_600_000;

async function use(world: LimitsWorld, limits: Limits): Promise<Reservation["heldAmounts"]> {
  const reservation = await world.until(Promise.resolve(limits.reserve(aScope, estimate(demand(100)))));
  const { heldAmounts } = reservation;
  world.bank.settle(reservation.settle(demand(100)));
  reservation.committed();
  return heldAmounts;
}

describe("after the bank's clock was ahead for a while, by more than a window", () => {
  async function jump(world: LimitsWorld, meanwhile: () => Promise<void>): Promise<void> {
    const wallMs = world.clock.wallMs.bind(world.clock);
    world.clock.wallMs = () => wallMs() + AHEAD_MS;
    await world.advance(600);
    await meanwhile();
    world.clock.wallMs = wallMs;
    await world.advance(600);
  }

  test("requests count in the window that it is again", async () => {
    const world = createLimitsWorld();
    world.allow({ window: "day" });
    const limits = await world.open();
    const [today] = await use(world, limits);
    await jump(world, async () => {
      const [tomorrow] = await use(world, limits);
      assert.notEqual(tomorrow?.accountId, today?.accountId);
    });
    assert.deepEqual(await use(world, limits), [today]);
  });

  test("an account that was forgotten meanwhile is drawn from as before", async () => {
    const world = createLimitsWorld();
    world.allow({ window: "day" });
    const limits = await world.open();
    const [today] = await use(world, limits);
    await jump(world, () => world.advance(15_000));
    // Another path is bound to purses anew.
    world.allow({ window: "day" });
    assert.deepEqual(await use(world, limits), [today]);
    assert.deepEqual(world.events, []);
  });
});

test("an owner whose count of operations is not the bank's is replaced, and what is open settles as before", async () => {
  const world = createLimitsWorld();
  world.allow({});
  const limits = await world.open();
  const open = await limits.reserve(aScope, estimate(demand(100)));
  for (const { grants } of world.bank.owners.values()) {
    for (const [accountId, grant] of grants) grants.set(accountId, { ...grant, sequence: 7 });
  }
  await assert.rejects(async () => limits.reserve(aScope, estimate(demand(200))), { code: "storage_unavailable" });
  await world.flush();
  const [before, current] = [...world.bank.owners.keys()];
  const [held] = await use(world, limits);
  assert.equal(held?.ownerId, current);
  const moves = open.settle(demand(60));
  assert.deepEqual(moves, [{ ownerId: before, accountId: "alw_1||0", fromGrant: 60n, overdraft: 0n }]);
  world.bank.settle(moves);
  open.committed();
  await world.advance(300);
  assert.equal(world.bank.count("finish"), 1);
});
