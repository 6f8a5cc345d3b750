/** How often an allowance refused a request, or would have: counted by processes, kept by the bank. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aScope, createLimitsWorld, demand, estimate, type LimitsWorld } from "../../test/support/limits-world.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { ReturnRequest } from "../storage/escrow/bank.ts";
import type { Limits, Reservation } from "./limits.ts";

const ACCOUNT = "alw_1||0";

async function hold(limits: Limits, amount: bigint): Promise<Reservation> {
  return limits.reserve(aScope, estimate(demand(amount)));
}

async function refused(limits: Limits, amount: bigint): Promise<void> {
  await assert.rejects(async () => limits.reserve(aScope, estimate(demand(amount))), { code: "budget_exhausted" });
}

function counted(world: LimitsWorld): number {
  return world.bank.accountOf(ACCOUNT).refusals;
}

function reports(world: LimitsWorld): number {
  return world.bank.calls
    .filter(({ operation }) => operation === "giveBack")
    .flatMap(({ detail }) => detail as readonly ReturnRequest[])
    .filter(({ amount, refusals }) => amount === 0n && refusals > 0).length;
}

describe("refused requests are counted at the bank", () => {
  test("each of them, though the bank is asked for few", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    for (let request = 0; request < 50; request++) {
      await refused(limits, 101n);
      await world.advance(10);
    }
    assert.ok(world.bank.count("draw") < 10, `${world.bank.count("draw")} draws`);
    await world.advance(1_500);
    assert.equal(counted(world), 50);
    assert.ok(reports(world) <= 1);
  });

  test("within about a second where there is nothing else to ask for, and then no more is asked", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    await refused(limits, 101n);
    await refused(limits, 102n);
    assert.equal(counted(world), 0);
    await world.advance(1_300);
    assert.deepEqual([counted(world), reports(world)], [2, 1]);
    await world.advance(5_000);
    assert.equal(reports(world), 1);
  });

  test("once, however often the operation that carries them must be repeated", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    await refused(limits, 101n);
    world.bank.after = (operation) => {
      if (operation === "giveBack") throw new HeadgateError("storage_unavailable", "The answer is lost.");
    };
    await world.advance(3_000);
    world.bank.after = () => {};
    await world.advance(1_000);
    assert.ok(reports(world) > 3);
    assert.equal(counted(world), 1);
  });

  test("when the process closes, before its owner is finished", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    await hold(limits, 10n).then((reservation) => {
      reservation.settle(null);
      reservation.committed();
    });
    await refused(limits, 101n);
    await world.until(limits[Symbol.asyncDispose]());
    const { refusals, granted } = world.bank.accountOf(ACCOUNT);
    assert.deepEqual([refusals, granted], [1, 0n]);
  });

  test("by the next owner, where one is fenced before it could report them", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    await hold(limits, 10n);
    world.bank.before = () => {
      throw new HeadgateError("storage_unavailable", "Away.");
    };
    await world.advance(300);
    await assert.rejects(async () => limits.reserve(aScope, estimate(demand(101))), { code: "storage_unavailable" });
    world.bank.before = () => {};
    await world.advance(300);
    await refused(limits, 101n);
    world.bank.before = (operation) => {
      if (operation !== "register") throw new HeadgateError("storage_unavailable", "Away.");
    };
    await world.advance(40_000);
    await world.bank.reap();
    world.bank.before = () => {};
    await world.advance(3_000);
    assert.ok(world.events.some((event) => event.startsWith("fenced")));
    assert.equal(counted(world), 1);
  });

  test("but those who waited in vain for the bank's answer are not: nothing refused them", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    await hold(limits, 1n);
    world.bank.before = () => {
      throw new HeadgateError("storage_unavailable", "Away.");
    };
    await assert.rejects(hold(limits, 50n), { code: "storage_unavailable" });
    world.bank.before = () => {};
    await world.advance(2_000);
    assert.equal(counted(world), 0);
  });

  test("once for an answer that is refused slice after slice", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n, policy: "expected" });
    const limits = await world.open();
    const reservation = await limits.reserve(aScope, estimate(demand(900), demand(60)));
    for (const slice of [80, 70, 60]) {
      await assert.rejects(async () => reservation.extend(demand(slice)), { code: "budget_exhausted" });
    }
    await world.advance(1_500);
    assert.equal(counted(world), 1);
  });

  test("where the mode does not refuse, those that it would have, in the account of their subject", async () => {
    const world = createLimitsWorld();
    const scope = { kind: "key", tenantId: "ten_1", projectId: null, keyId: null, endUser: null } as const;
    world.allow({ scope, limit: 25n, mode: "shadow" });
    const limits = await world.open();
    for (let request = 0; request < 5; request++) {
      await hold(limits, 10n);
      await world.flush();
    }
    await world.advance(1_500);
    assert.equal(world.bank.accountOf("alw_1|key_1|0").refusals, 3);
    assert.equal(world.events.length, 3);
  });

  test("while others recall what is idle: a report does not answer them", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const [rich, poor] = [await world.open(), await world.open()];
    const held = await hold(rich, 90n);
    await refused(rich, 101n);
    held.settle(null);
    held.committed();
    const reservation = await world.until(hold(poor, 60n));
    assert.equal(reservation.heldAmounts[0]?.amount, 60n);
    await world.advance(1_500);
    assert.equal(counted(world), 1);
  });
});
