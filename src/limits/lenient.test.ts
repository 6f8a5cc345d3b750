/** Allowances that do not refuse: `soft` and `shadow`. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aScope, createLimitsWorld, demand, estimate, type LimitsWorld } from "../../test/support/limits-world.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { Limits, Reservation } from "./limits.ts";

const ACCOUNT = "alw_1||0";
const away = (): never => {
  throw new HeadgateError("storage_unavailable", "The database is away.");
};

function atOnce(limits: Limits, amount: bigint | number, first = amount): Reservation {
  const tokens = Number(amount);
  const reserving = limits.reserve(aScope, estimate(demand(amount, tokens), demand(first, Number(first))));
  assert.ok(!(reserving instanceof Promise), "it waits");
  return reserving;
}

function settle(world: LimitsWorld, reservation: Reservation, amount: bigint | number): void {
  world.bank.settle(reservation.settle(demand(amount, Number(amount))));
  reservation.committed();
}

function standingOf(world: LimitsWorld): Readonly<Record<"spent" | "granted", bigint>> {
  const { spent, granted } = world.bank.accountOf(ACCOUNT);
  return { spent, granted };
}

describe("an allowance that does not refuse", () => {
  for (const mode of ["soft", "shadow"] as const) {
    for (const meter of ["money", "tokens", "requests", "slots"] as const) {
      for (const window of ["day", "minute"] as const) {
        test(`lets every request go on at once: ${mode}, ${meter} per ${window}`, async () => {
          const world = createLimitsWorld();
          world.allow({ meter, window: meter === "slots" ? "lifetime" : window, limit: 2n, mode, policy: "expected" });
          const limits = await world.open();
          const running = [atOnce(limits, 9, 5), atOnce(limits, 9, 5), atOnce(limits, 9, 5)];
          await world.flush();
          for (const each of running) assert.equal(each.extend(demand(3, 3)), null);
          world.bank.before = away;
          await world.advance(400);
          running.push(atOnce(limits, 9, 5));
          for (const each of running) assert.equal(each.extend(demand(3, 3)), null);
          for (const each of running) settle(world, each, 9);
        });
      }
    }
  }

  test("is drawn from for what was taken, so that every process sees it, and is used first as far as it has come", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 15n, mode: "shadow" });
    const limits = await world.open();
    const [first, second] = [atOnce(limits, 10), atOnce(limits, 10)];
    await world.flush();
    assert.deepEqual(standingOf(world), { spent: 0n, granted: 20n });
    const [move] = first.settle(demand(12));
    assert.deepEqual([move?.fromGrant, move?.overdraft], [10n, 2n]);
    world.bank.settle([move!]);
    first.committed();
    settle(world, second, 4);
    assert.deepEqual(standingOf(world), { spent: 16n, granted: 6n });
    await world.advance(12_000);
    assert.deepEqual(standingOf(world), { spent: 16n, granted: 0n });
  });

  test("that is a budget spends what was used, however little could be drawn", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n, mode: "soft" });
    const limits = await world.open();
    settle(world, atOnce(limits, 10), 0);
    await world.flush();
    world.bank.before = away;
    for (let request = 0; request < 30; request++) settle(world, atOnce(limits, 10), 7);
    world.bank.before = () => {};
    await world.advance(1_000);
    assert.equal(standingOf(world).spent, 210n);
  });

  test("does not keep a request waiting that waits for another", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 0n, mode: "shadow" });
    world.allow({ id: "alw_2", name: "enforced", limit: 100n });
    const limits = await world.open();
    const reservation = await limits.reserve(aScope, estimate(demand(60)));
    assert.deepEqual(
      reservation.heldAmounts.map(({ amount }) => amount),
      [60n, 60n],
    );
    await assert.rejects(async () => limits.reserve(aScope, estimate(demand(50))), { allowance: "enforced" });
  });

  test("asks the bank now and then while its limit is passed, not for every request", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 5n, mode: "shadow" });
    const limits = await world.open();
    for (let request = 0; request < 200; request++) {
      settle(world, atOnce(limits, 10), 10);
      await world.advance(10);
    }
    assert.ok(world.bank.count("draw") <= 20, `${world.bank.count("draw")} draws in two seconds`);
  });

  test("lets who waits for it go on when it is changed to one", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const [busy, poor] = [await world.open(), await world.open()];
    await busy.reserve(aScope, estimate(demand(100)));
    const waiting = poor.reserve(aScope, estimate(demand(10)));
    await world.advance(100);
    world.allow({ mode: "soft" });
    atOnce(poor, 1);
    const reservation = await world.until(Promise.resolve(waiting));
    assert.equal(reservation.heldAmounts[0]?.amount, 10n);
    assert.ok(world.clock.monotonicMs() <= 500);
  });

  test("of which the bank says that nothing limits it any more holds nothing", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 1n, mode: "soft" });
    const limits = await world.open();
    atOnce(limits, 10);
    world.bank.allowances.delete("alw_1");
    await world.flush();
    const draws = world.bank.count("draw");
    assert.deepEqual(atOnce(limits, 10).heldAmounts, []);
    await world.flush();
    assert.equal(world.bank.count("draw"), draws, "it is not asked again at once");
    assert.deepEqual(world.events, []);
  });
});

describe("while the bank is away", () => {
  test("requests that only such allowances limit go on beyond the lease, and are charged", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n, mode: "shadow", policy: "expected" });
    const limits = await world.open();
    const before = atOnce(limits, 50, 10);
    await world.flush();
    world.bank.before = away;
    await world.advance(60_000);
    assert.equal(before.extend(demand(5)), null);
    const beyond = atOnce(limits, 10);
    world.allow({ id: "alw_2", name: "enforced", operation: "chat" });
    assert.throws(() => limits.reserve(aScope, estimate(demand(1))), { code: "storage_unavailable" });
    world.bank.before = () => {};
    await world.bank.reap();
    await world.advance(1_000);
    settle(world, before, 12);
    settle(world, beyond, 8);
    await world.advance(1_000);
    assert.equal(standingOf(world).spent, 20n);
    assert.equal(world.bank.accountOf(ACCOUNT).suspense, 0n);
  });

  test("they go on in a process that has never reached it, by its own clock, and are judged when it has", async () => {
    const day = Date.UTC(2026, 10, 21);
    const world = createLimitsWorld(day + 3_600_000);
    world.allow({ limit: 25n, window: "day", mode: "soft", name: "soft" });
    world.bank.before = away;
    const limits = await world.open();
    const running = [1, 2, 3, 4].map(() => atOnce(limits, 10));
    assert.equal(running[0]?.heldAmounts[0]?.accountId, `alw_1||${day}`);
    await world.advance(2_000);
    const told = ["soft limit passed: soft ", "soft limit passed: soft "];
    assert.deepEqual(
      world.events.filter((event) => event.startsWith("soft")),
      [],
    );
    world.bank.before = () => {};
    await world.advance(600);
    assert.deepEqual(
      world.events.filter((event) => event.startsWith("soft")),
      told,
    );
    for (const each of running) settle(world, each, 10);
    assert.equal(world.bank.accountOf(`alw_1||${day}`).spent, 40n);
  });

  test("what was known before judges them: nobody else draws then either", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 25n, mode: "shadow", name: "shadow" });
    const limits = await world.open();
    const first = atOnce(limits, 10);
    await world.flush();
    settle(world, first, 10);
    await world.advance(1_000);
    world.bank.before = away;
    await world.advance(300);
    world.events.length = 0;
    settle(world, atOnce(limits, 10), 10);
    settle(world, atOnce(limits, 10), 10);
    assert.deepEqual(world.events, ["shadow refusal: shadow "]);
  });

  test("a preview of them says what is known", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n, mode: "shadow" });
    world.bank.before = away;
    const limits = await world.open();
    const [verdict] = await limits.preview(aScope, estimate(demand(500)));
    assert.deepEqual([verdict?.hold, verdict?.available, verdict?.admitted], [500n, 100n, true]);
  });
});

describe("whom an allowance that does not refuse would have refused", () => {
  test("is told once for each request, however often its answer grows", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 20n, mode: "soft", name: "soft", policy: "expected" });
    const limits = await world.open();
    const reservation = atOnce(limits, 500, 10);
    await world.flush();
    for (let slice = 0; slice < 5; slice++) {
      assert.equal(reservation.extend(demand(10)), null);
      await world.advance(300);
    }
    assert.deepEqual(world.events, ["soft limit passed: soft "]);
  });

  test("is found by what all processes have used", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 25n, mode: "shadow", name: "shadow" });
    const [one, other] = [await world.open(), await world.open()];
    atOnce(one, 10);
    await world.advance(300);
    atOnce(other, 10);
    await world.advance(300);
    assert.deepEqual(world.events, []);
    atOnce(one, 10);
    await world.flush();
    assert.deepEqual(world.events, ["shadow refusal: shadow "]);
  });

  test("of slots is who began while all were taken, by any process", async () => {
    const world = createLimitsWorld();
    world.allow({ meter: "slots", limit: 2n, mode: "shadow", name: "slots" });
    const [one, other] = [await world.open(), await world.open()];
    const first = atOnce(one, 1);
    await world.flush();
    atOnce(other, 1);
    await world.flush();
    atOnce(other, 1);
    await world.flush();
    assert.equal(world.events.length, 1);
    first.settle(demand(0));
    await world.advance(8_000);
    world.events.length = 0;
    assert.equal(world.bank.accountOf(ACCOUNT).granted, 2n);
  });

  test("of a rate does not count there: it is exhausted as if they had been refused", async () => {
    const world = createLimitsWorld();
    world.allow({ meter: "tokens", window: "minute", limit: 60n, mode: "shadow", name: "tpm" });
    const limits = await world.open();
    const first = atOnce(limits, 20);
    await world.flush();
    for (let request = 0; request < 40; request++) settle(world, atOnce(limits, 20), 20);
    settle(world, first, 20);
    assert.equal(world.events.length, 38);
    world.events.length = 0;
    await world.advance(20_000);
    settle(world, atOnce(limits, 20), 20);
    await world.flush();
    assert.deepEqual(world.events, []);
    settle(world, atOnce(limits, 20), 20);
    assert.equal(world.events.length, 1);
  });
});
