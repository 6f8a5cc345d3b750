/** A bank that neither answers nor refuses: what is asked of it is given up after five seconds. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aScope, createLimitsWorld, demand, estimate, type LimitsWorld } from "../../test/support/limits-world.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { Limits, Reservation } from "./limits.ts";

const GIVEN_UP_MS = 5_000;
const POLL_MS = 250;

function fallSilent(world: LimitsWorld): void {
  world.bank.after = () =>
    new Promise((_, reject) => {
      world.clock.setTimer(
        () => reject(new HeadgateError("storage_unavailable", "The database does not answer.")),
        GIVEN_UP_MS,
      );
    });
}

async function reserve(limits: Limits, amount: bigint): Promise<Reservation> {
  return limits.reserve(aScope, estimate(demand(amount)));
}

interface Refusal {
  readonly afterMs: number;
  readonly retryAfterMs: number;
}

async function refusalOf(world: LimitsWorld, reserving: Promise<unknown>): Promise<Refusal> {
  const sinceMs = world.clock.monotonicMs();
  const outcome = reserving.then(
    () => assert.fail("it is not refused"),
    (thrown: HeadgateError) => {
      assert.equal(thrown.code, "storage_unavailable");
      return { afterMs: world.clock.monotonicMs() - sinceMs, retryAfterMs: thrown.retryAfterMs ?? 0 };
    },
  );
  return world.until(outcome);
}

async function openSilent(): Promise<{ world: LimitsWorld; limits: Limits }> {
  const world = createLimitsWorld();
  world.allow({ limit: 1_000n });
  const limits = await world.open();
  fallSilent(world);
  return { world, limits };
}

describe("while the bank is silent", () => {
  test("a request waits until that is known, and those that come then are refused at once", async () => {
    const { world, limits } = await openSilent();
    const first = await refusalOf(world, reserve(limits, 10n));
    assert.ok(first.afterMs >= 4_900 && first.afterMs <= 5_500, `after ${first.afterMs} ms`);
    assert.equal(world.events.length, 1);
    for (let request = 0; request < 30; request++) {
      assert.equal((await refusalOf(world, reserve(limits, 10n))).afterMs, 0);
      await world.advance(350);
    }
  });

  test("those who began to wait later wait no longer than until it is known", async () => {
    const { world, limits } = await openSilent();
    await world.advance(4_000);
    const late = await refusalOf(world, reserve(limits, 10n));
    assert.ok(late.afterMs <= 1_500, `after ${late.afterMs} ms`);
  });

  test("a preview is refused at once, too", async () => {
    const { world, limits } = await openSilent();
    await world.advance(6_000);
    const preview = await refusalOf(world, limits.preview(aScope, estimate(demand(10))));
    assert.equal(preview.afterMs, 0);
  });

  test("who is refused is told when it is tried again", async () => {
    const { world, limits } = await openSilent();
    await world.advance(6_000);
    for (let request = 0; request < 30; request++) {
      const renewals = world.bank.count("renew");
      const { retryAfterMs } = await refusalOf(world, reserve(limits, 10n));
      assert.ok(retryAfterMs >= POLL_MS && retryAfterMs <= GIVEN_UP_MS + POLL_MS, `${retryAfterMs} ms`);
      await world.advance(retryAfterMs + 2 * POLL_MS);
      assert.ok(world.bank.count("renew") > renewals, "it was tried again");
    }
  });

  test("requests go on from the answer on", async () => {
    const { world, limits } = await openSilent();
    await world.advance(6_000);
    await refusalOf(world, reserve(limits, 10n));
    world.bank.after = () => {};
    await world.advance(GIVEN_UP_MS + 2 * POLL_MS);
    assert.equal((await reserve(limits, 10n)).heldAmounts[0]?.amount, 10n);
    assert.deepEqual(world.events.slice(1), ["reachable"]);
  });
});

test("a bank that refuses is tried again after a poll", async () => {
  const world = createLimitsWorld();
  world.allow({ limit: 1_000n });
  const limits = await world.open();
  world.bank.before = () => {
    throw new HeadgateError("storage_unavailable", "The database is away.");
  };
  await world.advance(1_000);
  assert.deepEqual(await refusalOf(world, reserve(limits, 10n)), { afterMs: 0, retryAfterMs: POLL_MS });
});
