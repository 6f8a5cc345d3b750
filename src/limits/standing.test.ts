import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aScope, createLimitsWorld, demand, estimate } from "../../test/support/limits-world.ts";
import { HeadgateError } from "../kernel/errors.ts";

describe("what a reservation says of rates", () => {
  test("is the tightest of each meter on the path, of those that callers may know of", async () => {
    const world = createLimitsWorld();
    world.allow({ id: "alw_1", name: "rpm", meter: "requests", window: "minute", limit: 60n });
    world.allow({ id: "alw_2", name: "rph", meter: "requests", window: "hour", limit: 40n });
    world.allow({ id: "alw_3", name: "tpm", meter: "tokens", window: "minute", limit: 6_000n, burst: 1_000n });
    world.allow({ id: "alw_4", name: "hidden", meter: "tokens", window: "minute", limit: 10n, mode: "shadow" });
    world.allow({ id: "alw_5", name: "budget", meter: "tokens", window: "day", limit: 2_000n });
    const limits = await world.open();
    const reservation = await limits.reserve(aScope, estimate(demand(0, 400)));
    assert.deepEqual(reservation.requestRate, { limit: 40n, remaining: 39n, resetMs: 90_000 });
    assert.deepEqual(reservation.tokenRate, { limit: 1_000n, remaining: 600n, resetMs: 4_000 });
    world.clock.advance(1_000);
    assert.deepEqual(reservation.tokenRate, { limit: 1_000n, remaining: 700n, resetMs: 3_000 });
    const second = await limits.reserve(aScope, estimate(demand(0, 100)));
    assert.equal(second.tokenRate?.remaining, 600n);
  });

  test("is nothing where the path has none", async () => {
    const world = createLimitsWorld();
    world.allow({});
    const limits = await world.open();
    const reservation = await limits.reserve(aScope, estimate(demand(5, 5)));
    assert.deepEqual([reservation.requestRate, reservation.tokenRate], [null, null]);
  });
});

describe("what limits say of the rates on a path", () => {
  test("is where they stand, also for a request that is refused, and holds nothing", async () => {
    const world = createLimitsWorld();
    world.allow({ meter: "requests", window: "minute", limit: 60n, burst: 1n });
    const limits = await world.open();
    assert.deepEqual(limits.rates(aScope), { requestRate: null, tokenRate: null });
    await limits.reserve(aScope, estimate(demand(0)));
    const rates = { requestRate: { limit: 1n, remaining: 0n, resetMs: 1_000 }, tokenRate: null };
    assert.deepEqual([limits.rates(aScope), limits.rates(aScope)], [rates, rates]);
  });

  test("is nothing where they cannot be looked up", async () => {
    const world = createLimitsWorld();
    world.allow({ meter: "requests", window: "minute" });
    world.bank.before = () => {
      throw new HeadgateError("storage_unavailable", "Away.");
    };
    const limits = await world.open();
    assert.deepEqual(limits.rates(aScope), { requestRate: null, tokenRate: null });
  });
});

test("a rate tells each request that it refuses when there will be room for that one", async () => {
  const world = createLimitsWorld();
  world.allow({ meter: "tokens", window: "minute", limit: 60_000n });
  const limits = await world.open();
  await limits.reserve(aScope, estimate(demand(0, 60_000)));
  const refusedFor = async (tokens: number): Promise<number | null> => {
    try {
      await limits.reserve(aScope, estimate(demand(0, tokens)));
    } catch (refusal) {
      return refusal instanceof HeadgateError ? refusal.retryAfterMs : null;
    }
    return null;
  };
  assert.deepEqual([await refusedFor(1_000), await refusedFor(50_000)], [1_000, 50_000]);
});

describe("a preview", () => {
  test("says for each allowance what would be held, what there is and whether it would do, and holds nothing", async () => {
    const world = createLimitsWorld();
    world.allow({ id: "alw_1", name: "roomy", limit: 1_000n });
    world.allow({ id: "alw_2", name: "slices", limit: 50n, policy: "expected" });
    world.allow({ id: "alw_3", name: "tight", limit: 80n });
    world.allow({ id: "alw_4", name: "soft", limit: 80n, mode: "soft" });
    const [limits, other] = [await world.open(), await world.open()];
    await other.reserve(aScope, estimate(demand(10)));
    const verdicts = await limits.preview(aScope, estimate(demand(75), demand(20)));
    assert.deepEqual(
      verdicts.map(({ allowance, hold, available, admitted }) => [allowance.name, hold, available, admitted]),
      [
        ["roomy", 75n, 990n, true],
        ["slices", 20n, 40n, true],
        ["tight", 75n, 70n, false],
        ["soft", 75n, 70n, true],
      ],
    );
    await world.advance(12_000);
    assert.equal(world.bank.accountOf("alw_1||0").granted, 10n);
  });

  test("counts what it drew to find out, though that goes back at once where nobody has used the account for long", async () => {
    const world = createLimitsWorld();
    world.allow({ meter: "slots", limit: 8n });
    const limits = await world.open();
    await limits.preview(aScope, estimate(demand(1)));
    await world.advance(12_000);
    for (let time = 0; time < 3; time++) {
      const [verdict] = await limits.preview(aScope, estimate(demand(1)));
      assert.equal(verdict?.available, 8n);
      await world.advance(100);
    }
  });

  test("asks the bank at most once in a while", async () => {
    const world = createLimitsWorld();
    world.allow({});
    const limits = await world.open();
    await Promise.all([1, 2, 3].map(() => limits.preview(aScope, estimate(demand(75)))));
    await limits.preview(aScope, estimate(demand(75)));
    assert.equal(world.bank.count("draw"), 1);
  });

  test("of requests that nothing limits is empty", async () => {
    const limits = await createLimitsWorld().open();
    assert.deepEqual(await limits.preview(aScope, estimate(demand(75))), []);
  });

  test("knows an allowance of which the bank says that nothing limits it any more", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 10n });
    const limits = await world.open();
    world.bank.allowances.delete("alw_1");
    const [verdict] = await limits.preview(aScope, estimate(demand(75)));
    assert.deepEqual([verdict?.admitted, verdict?.hold], [true, 75n]);
  });

  test("rejects while the bank is away", async () => {
    const world = createLimitsWorld();
    world.allow({});
    const limits = await world.open();
    world.bank.before = () => {
      throw new HeadgateError("storage_unavailable", "Away.");
    };
    await assert.rejects(limits.preview(aScope, estimate(demand(75))), { code: "storage_unavailable" });
    await assert.rejects(limits.preview(aScope, estimate(demand(75))), { code: "storage_unavailable" });
  });
});
