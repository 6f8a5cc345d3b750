/**
 * Random lives of two processes at one bank. After every step no process holds, or has settled and not yet committed, more
 * than the bank has granted it; at the end everything has come back, and what was used is spent.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { aScope, createLimitsWorld, demand, estimate, type LimitsWorld } from "../../test/support/limits-world.ts";
import { fc } from "../../test/support/properties.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { Move } from "../storage/escrow/bank.ts";
import type { Limits, Reservation } from "./limits.ts";

type Step =
  | { readonly kind: "reserve"; readonly process: number; readonly amount: number }
  | { readonly kind: "extend"; readonly pick: number; readonly amount: number }
  | { readonly kind: "settle"; readonly pick: number; readonly percent: number | null }
  | { readonly kind: "commit"; readonly pick: number }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "outage"; readonly is: "none" | "before" | "after" }
  | { readonly kind: "limit"; readonly limit: number };

const process = fc.nat({ max: 1 });
const pick = fc.nat({ max: 20 });
const amount = fc.integer({ min: 0, max: 60 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("reserve"), process, amount }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("extend"), pick, amount }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("settle"), pick, percent: fc.option(fc.integer({ min: 0, max: 100 })) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("commit"), pick }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("advance"), ms: fc.constantFrom(10, 300, 1_500, 11_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("outage"), is: fc.constantFrom("none", "before", "after") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("limit"), limit: fc.integer({ min: 0, max: 150 }) }) },
);

const allowances = [
  { id: "alw_1", name: "budget", policy: "expected", limit: 100n },
  { id: "alw_2", name: "strict", meter: "tokens", window: "day", limit: 120n },
  { id: "alw_3", name: "slots", meter: "slots", limit: 3n },
] as const;

interface Open {
  readonly reservation: Reservation;
  held: bigint;
}

interface Settled {
  readonly reservation: Reservation;
  readonly moves: readonly Move[];
}

class Run {
  readonly world: LimitsWorld = createLimitsWorld(Date.UTC(2026, 10, 15, 12));
  readonly processes: Limits[] = [];
  readonly open: Open[] = [];
  readonly settled: Settled[] = [];
  /** Of the budget, in the end. */
  spent = 0n;
  /** Reserving and growing. */
  waiting = 0;

  async begin(): Promise<void> {
    for (const allowance of allowances) this.world.allow(allowance);
    for (let index = 0; index < 2; index++) this.processes.push(await this.world.open({ recallWaitMs: 500 }));
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case "reserve":
        this.#reserve(step.process, BigInt(step.amount));
        break;
      case "extend":
        this.#extend(this.open[step.pick % this.open.length], BigInt(step.amount));
        break;
      case "settle":
        this.#settle(step.pick, step.percent);
        break;
      case "commit":
        this.#commit(step.pick);
        break;
      case "advance":
        await this.world.advance(step.ms);
        break;
      case "outage":
        this.#fail(step.is);
        break;
      case "limit":
        this.world.allow({ ...allowances[0], limit: BigInt(step.limit) });
        break;
    }
    await this.world.flush();
    this.check();
  }

  /** Everything settles, nothing fails any more, and time passes. */
  async end(): Promise<void> {
    this.#fail("none");
    await this.world.advance(3_000);
    while (this.open.length > 0) this.#settle(0, 100);
    while (this.settled.length > 0) this.#commit(0);
    await this.world.advance(15_000);
    this.check();
    assert.equal(this.waiting, 0);
    for (const state of this.world.bank.accounts.values()) assert.deepEqual([state.granted, state.suspense], [0n, 0n]);
    const budget = this.world.bank.accounts.get("alw_1||0");
    assert.equal(budget?.spent ?? 0n, this.spent);
    for (const limits of this.processes) await this.world.until(limits[Symbol.asyncDispose]());
    assert.equal(this.world.clock.pendingCount, 0);
  }

  check(): void {
    const needed = new Map<string, bigint>();
    const need = (ownerId: string, accountId: string, more: bigint): void => {
      needed.set(`${ownerId} ${accountId}`, (needed.get(`${ownerId} ${accountId}`) ?? 0n) + more);
    };
    for (const { reservation } of this.open) {
      for (const { ownerId, accountId, amount } of reservation.heldAmounts) need(ownerId, accountId, amount);
    }
    for (const { moves } of this.settled) for (const move of moves) need(move.ownerId, move.accountId, move.fromGrant);
    for (const [ownerId, { grants, isFenced }] of this.world.bank.owners) {
      assert.equal(isFenced, false);
      for (const [accountId, grant] of grants) {
        const most = needed.get(`${ownerId} ${accountId}`) ?? 0n;
        assert.ok(grant.amount >= most, `${accountId}: ${most} of a grant of ${grant.amount}`);
      }
    }
    assert.ok(this.open.length <= 3, "no more requests than slots");
  }

  #reserve(index: number, amount: bigint): void {
    this.waiting++;
    const cost = demand(amount, Number(amount));
    Promise.try(() => this.processes[index]!.reserve(aScope, estimate(cost))).then(
      (reservation) => {
        this.waiting--;
        this.open.push({ reservation, held: amount });
      },
      (refusal: unknown) => this.#refused(refusal),
    );
  }

  #extend(open: Open | undefined, amount: bigint): void {
    if (open === undefined) return;
    try {
      const extending = open.reservation.extend(demand(amount, 0));
      if (extending === null) {
        open.held += amount;
        return;
      }
      this.waiting++;
      extending.then(
        () => {
          this.waiting--;
          if (this.open.includes(open)) open.held += amount;
        },
        (refusal: unknown) => this.#refused(refusal),
      );
    } catch (thrown) {
      // One at a time: the assertion says so.
      if (!(thrown instanceof Error && thrown.message.includes("one extension at a time"))) {
        this.waiting++;
        this.#refused(thrown);
      }
    }
  }

  #refused(refusal: unknown): void {
    this.waiting--;
    assert.ok(refusal instanceof HeadgateError, String(refusal));
    assert.ok(["budget_exhausted", "slots_exhausted", "storage_unavailable"].includes(refusal.code), refusal.code);
  }

  #settle(pick: number, percent: number | null): void {
    const [open] = this.open.splice(pick % Math.max(1, this.open.length), 1);
    if (open === undefined) return;
    const { reservation } = open;
    const held = reservation.heldAmounts.find(({ accountId }) => accountId === "alw_1||0")?.amount ?? 0n;
    assert.equal(held, open.held);
    const used = percent === null ? null : demand((held * BigInt(percent)) / 100n, 0);
    this.spent += used?.costNanoUsd ?? 0n;
    const moves = reservation.settle(used);
    assert.ok(moves.every(({ overdraft }) => overdraft === 0n));
    this.settled.push({ reservation, moves });
  }

  #commit(pick: number): void {
    const [settled] = this.settled.splice(pick % Math.max(1, this.settled.length), 1);
    if (settled === undefined) return;
    this.world.bank.settle(settled.moves);
    settled.reservation.committed();
  }

  #fail(when: "none" | "before" | "after"): void {
    const fail = (operation: string): void => {
      if (operation === "draw" || operation === "giveBack") throw new HeadgateError("storage_unavailable", "Away.");
    };
    this.world.bank.before = when === "before" ? fail : () => {};
    this.world.bank.after = when === "after" ? fail : () => {};
  }
}

test("whatever happens, no process holds more than it was granted, and in the end everything comes back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const run = new Run();
      await run.begin();
      for (const each of steps) await run.take(each);
      await run.end();
    }),
    { numRuns: 150 },
  );
});
