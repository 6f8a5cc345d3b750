/** A bank that is away for ten seconds while requests come at a steady pace, from an allowance that has plenty. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aScope, createLimitsWorld, demand, estimate, type LimitsWorld } from "../../test/support/limits-world.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { Allowance } from "./allowance.ts";
import type { Limits } from "./limits.ts";

const ACCOUNT = "alw_1||0";
const EVERY_MS = 50;
const GONE_MS = 10_000;

/** What each request holds, and what it uses of that. */
const held = 100n;
const used = 20n;

/** One request after the other, each of which takes as long as its answer. Returns how many were refused. */
async function run(world: LimitsWorld, limits: Limits, forMs: number): Promise<number> {
  let refused = 0;
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs += EVERY_MS) {
    try {
      const reservation = await limits.reserve(aScope, estimate(demand(held, Number(held))));
      world.bank.settle(reservation.settle(demand(used, Number(used))));
      reservation.committed();
    } catch (thrown) {
      assert.ok(thrown instanceof HeadgateError && thrown.code === "storage_unavailable");
      refused++;
    }
    await world.advance(EVERY_MS);
  }
  return refused;
}

function leave(world: LimitsWorld): void {
  world.bank.before = () => {
    throw new HeadgateError("storage_unavailable", "The database is away.");
  };
}

const allowances: Readonly<Record<string, Partial<Allowance>>> = {
  "a budget of money": { meter: "money", limit: 10_000_000n },
  "a budget of tokens": { meter: "tokens", limit: 10_000_000n },
  "a budget of requests": { meter: "requests", limit: 100_000n },
  "a rate of tokens": { meter: "tokens", window: "minute", limit: 10_000_000n },
  "a rate of requests": { meter: "requests", window: "minute", limit: 60_000n },
  slots: { meter: "slots", limit: 100n },
};

for (const [what, allowance] of Object.entries(allowances)) {
  describe(`${what} with plenty left`, () => {
    for (const pacedMs of [2_500, 20_000]) {
      test(`lasts for ten seconds without the bank, after ${pacedMs} ms of requests`, async () => {
        const world = createLimitsWorld();
        world.allow(allowance);
        const limits = await world.open();
        await run(world, limits, pacedMs);
        leave(world);
        assert.equal(await run(world, limits, GONE_MS), 0);
      });
    }
  });
}

test("a process that dies leaves no more in suspense than twelve seconds of requests use, or a sixth of what there is", async () => {
  const grantedAt = async (limit: bigint): Promise<bigint> => {
    const world = createLimitsWorld();
    world.allow({ meter: "requests", limit });
    const limits = await world.open();
    await run(world, limits, 20_000);
    return world.bank.accountOf(ACCOUNT).granted;
  };
  assert.ok((await grantedAt(100_000n)) <= 14_000n / BigInt(EVERY_MS));
  assert.ok((await grantedAt(900n)) <= 500n / 6n);
});
