import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Allowance } from "../../src/limits/allowance.ts";
import { type AccountReport, listAccounts } from "../../src/limits/operations/accounts.ts";
import { setAllowance } from "../../src/limits/operations/change.ts";
import { listDecisions, listSuspense, resolveSuspense } from "../../src/limits/operations/suspense.ts";
import { type AllowancePlace, openAllowances } from "./allowance-place.ts";
import { numbersOf, settleMoves } from "./bank-steps.ts";
import { engines } from "./engines.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const all = { tenantId: null, allowanceId: null };

for (const engine of engines) {
  describe(`accounts of allowances on ${engine.name}`, () => {
    test("an account shows where it stands, and where it will at the end of its window", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      deps.clock.advance(-8 * HOUR_MS + DAY_MS);
      const allowance = await deps.create({ window: "day" });
      deps.clock.advance(6 * HOUR_MS);
      await deps.use(allowance, 400n, 300n);
      const account = await onlyAccount(deps, allowance);
      assert.deepEqual(account, {
        accountId: deps.account(allowance).accountId,
        subject: "",
        windowStartMs: Date.UTC(2027, 0, 16),
        windowEndMs: Date.UTC(2027, 0, 17),
        limit: 1000n,
        spent: 300n,
        granted: 100n,
        suspense: 0n,
        held: 0n,
        available: 600n,
        refusals: 0,
        forecast: { spentAtEnd: 1200n, runsOutAtMs: Date.UTC(2027, 0, 16, 20) },
      });
    });

    test("spending is foretold from when the allowance was made, if that was in the midst of the window", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create({ window: "day" });
      deps.clock.advance(4 * HOUR_MS);
      await deps.use(allowance, 250n, 250n);
      const { forecast } = await onlyAccount(deps, allowance);
      assert.deepEqual(forecast, { spentAtEnd: 1000n, runsOutAtMs: null });
    });

    test("a lowered limit shows what is missing, and refusals are counted", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create();
      await deps.use(allowance, 400n, 300n);
      await setAllowance(deps, { tenantId: null, allowance: "monthly" }, { limit: 350n });
      await deps.bank.register("own_new", "ins_2", 30_000);
      const request = { account: deps.account(allowance), sequence: 1, need: 1n, want: 1n, refusals: 1 };
      await deps.bank.draw("own_new", [request]);
      const { available, refusals } = await onlyAccount(deps, allowance);
      assert.deepEqual([available, refusals], [-50n, 1]);
    });

    test("what requests in flight hold is summed over processes, as each has said last", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create();
      const { accountId } = deps.account(allowance);
      const ownerId = await deps.use(allowance, 400n, 0n);
      await deps.bank.register("own_other", "ins_2", 30_000);
      const other = { account: deps.account(allowance), sequence: 1, need: 100n, want: 100n, refusals: 0 };
      await deps.bank.draw("own_other", [other]);
      const held = async (): Promise<bigint | null> => (await onlyAccount(deps, allowance)).held;
      assert.equal(await held(), 0n);
      await deps.bank.renew(ownerId, 30_000, [{ accountId, amount: 150n }]);
      await deps.bank.renew("own_other", 30_000, [
        { accountId: "another", amount: 7n },
        { accountId, amount: 40n },
      ]);
      assert.equal(await held(), 190n);
      await deps.bank.renew(ownerId, 30_000);
      assert.equal(await held(), 190n, "a renewal without a word of it changes nothing");
      await deps.bank.renew("own_other", 30_000, []);
      assert.equal(await held(), 150n);
    });

    test("what a dead process held is shown once, as suspense", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create();
      const { accountId } = deps.account(allowance);
      const ownerId = await deps.use(allowance, 400n, 100n);
      await deps.bank.renew(ownerId, 30_000, [{ accountId, amount: 250n }]);
      deps.clock.advance(31_000);
      const numbers = async (): Promise<readonly (bigint | null)[]> => {
        const { granted, held, suspense } = await onlyAccount(deps, allowance);
        return [granted, held, suspense];
      };
      assert.deepEqual(await numbers(), [300n, 250n, 0n]);
      await deps.bank.reap();
      assert.deepEqual(await numbers(), [0n, 0n, 300n]);
    });

    test("slots that are in use are held", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create({ meter: "slots", limit: 8n, window: "lifetime" });
      const ownerId = await deps.use(allowance, 4n, 0n);
      await deps.bank.renew(ownerId, 30_000, [{ accountId: deps.account(allowance).accountId, amount: 3n }]);
      const { granted, held } = await onlyAccount(deps, allowance);
      assert.deepEqual([granted, held], [4n, 3n]);
    });

    test("while a process of the first schema runs, nobody knows what is held", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create();
      await deps.use(allowance, 400n, 0n);
      const columns = { instance_id: "ins_old", lease_until_ms: deps.clock.wallMs() + 30_000, fenced: 0 };
      await deps.db
        .insertInto("allowance_owners")
        .values({ owner_id: "own_old", ...columns, held_amounts: null })
        .execute();
      assert.equal((await onlyAccount(deps, allowance)).held, null);
      await deps.bank.finish(["own_old"]);
      assert.equal((await onlyAccount(deps, allowance)).held, 0n);
    });

    test("a rate has drained by the time it is looked at, and foretells nothing", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create({ meter: "requests", limit: 60n, window: "minute", burst: 10n });
      await deps.use(allowance, 8n, 6n);
      const numbers = async (): Promise<readonly bigint[]> => {
        const { limit, spent, granted, available } = await onlyAccount(deps, allowance);
        return [limit, spent, granted, available];
      };
      assert.deepEqual(await numbers(), [10n, 6n, 2n, 2n]);
      deps.clock.advance(4000);
      assert.deepEqual(await numbers(), [10n, 2n, 2n, 6n]);
      deps.clock.advance(3000);
      assert.deepEqual(await numbers(), [10n, 0n, 1n, 9n], "what is granted drains like what is spent");
      deps.clock.advance(60_000);
      assert.deepEqual(await numbers(), [10n, 0n, 0n, 10n]);
      const { forecast, windowStartMs, windowEndMs } = await onlyAccount(deps, allowance);
      assert.deepEqual(forecast, { spentAtEnd: null, runsOutAtMs: null });
      assert.deepEqual([windowStartMs, windowEndMs], [null, null]);
    });

    test("open windows are listed, the past on request, newest first and the largest spender first", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const scope = { kind: "end-user", tenantId: deps.tenantId, projectId: null, keyId: null, endUser: null } as const;
      const allowance = await deps.create({ window: "day", scope });
      await deps.use(allowance, 10n, 10n, "anna");
      deps.clock.advance(DAY_MS);
      await deps.use(allowance, 20n, 20n, "anna");
      await deps.use(allowance, 30n, 30n, "bert");
      const list = async (past: boolean, limit: number): Promise<readonly unknown[]> => {
        const { accounts, count } = await listAccounts(deps.db, allowance, { nowMs: deps.clock.wallMs(), past, limit });
        return [count, ...accounts.map(({ subject, spent }) => [subject, spent])];
      };
      assert.deepEqual(await list(false, 10), [2, ["bert", 30n], ["anna", 20n]]);
      assert.deepEqual(await list(true, 10), [3, ["bert", 30n], ["anna", 20n], ["anna", 10n]]);
      assert.deepEqual(await list(true, 1), [3, ["bert", 30n]]);
    });
  });

  describe(`suspense of allowances on ${engine.name}`, () => {
    test("what a dead process left is listed with its process, until somebody decides", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const { allowance, ownerId } = await suspended(deps, 700n, 300n);
      assert.deepEqual(await listSuspense(deps.db, all), [
        {
          allowanceId: allowance.id,
          accountId: deps.account(allowance).accountId,
          subject: "",
          ownerId,
          instanceId: "ins_1",
          amount: 400n,
          sinceMs: Date.UTC(2027, 0, 15, 8, 0, 30),
        },
      ]);
      assert.deepEqual(await listSuspense(deps.db, { tenantId: deps.other.tenantId, allowanceId: null }), []);
      assert.equal((await onlyAccount(deps, allowance)).suspense, 400n);
    });

    test("released, it is available again; spent, it is not; and either decision is kept with its reason", async () => {
      for (const [decision, numbers] of [
        ["release", [1000n, 300n, 0n, 0n]],
        ["spend", [1000n, 700n, 0n, 0n]],
      ] as const) {
        await using place = await engine.createPlace();
        await using deps = await openAllowances(place);
        const { allowance, ownerId } = await suspended(deps, 700n, 300n);
        const resolution = { decision, reason: "The machine burnt down.", ownerId: null };
        const decided = await resolveSuspense(deps, { tenantId: null, allowance: "monthly" }, resolution);
        assert.deepEqual(await numbersOf(deps.db, deps.account(allowance)), numbers);
        assert.deepEqual(await listSuspense(deps.db, all), []);
        assert.deepEqual(await listDecisions(deps.db, all), decided);
        const [{ id, ...kept } = assert.fail()] = decided;
        assert.match(id, /^dec_/);
        assert.deepEqual(kept, {
          allowanceId: allowance.id,
          accountId: deps.account(allowance).accountId,
          subject: "",
          ownerId,
          amount: 400n,
          decision,
          reason: "The machine burnt down.",
          decidedAtMs: deps.clock.wallMs(),
        });
      }
    });

    test("a settlement that comes after all is spent, and the end of the owner gives nothing twice", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const { allowance, ownerId } = await suspended(deps, 700n, 300n);
      const resolution = { decision: "release", reason: "gone", ownerId: null } as const;
      await resolveSuspense(deps, { tenantId: null, allowance: "monthly" }, resolution);
      const { accountId } = deps.account(allowance);
      await settleMoves(deps.db, [{ ownerId, accountId, fromGrant: 50n, overdraft: 0n }]);
      assert.deepEqual(await numbersOf(deps.db, deps.account(allowance)), [1000n, 350n, 0n, 0n]);
      await deps.bank.finish([ownerId]);
      assert.deepEqual(await numbersOf(deps.db, deps.account(allowance)), [1000n, 350n, 0n, 0n]);
    });

    test("one owner's share is decided alone, and what is only granted is not decided about", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create();
      const owners = [await deps.use(allowance, 100n, 0n), await deps.use(allowance, 10n, 0n)];
      deps.clock.advance(31_000);
      await deps.bank.reap();
      await deps.use(allowance, 5n, 0n);
      const reference = { tenantId: null, allowance: "monthly" };
      const resolution = { decision: "release", reason: "gone", ownerId: owners[1] ?? "" } as const;
      assert.equal((await resolveSuspense(deps, reference, resolution)).length, 1);
      assert.deepEqual(await numbersOf(deps.db, deps.account(allowance)), [1000n, 0n, 5n, 100n]);
      await assert.rejects(resolveSuspense(deps, reference, resolution), {
        code: "not_found",
        message: /Nothing of the owner "own_2" is in suspense of monthly/,
      });
      assert.equal((await resolveSuspense(deps, reference, { ...resolution, ownerId: null })).length, 1);
      assert.deepEqual(await numbersOf(deps.db, deps.account(allowance)), [1000n, 0n, 5n, 0n]);
    });

    test("without a reason, and with an unknown decision, nothing is decided", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const { allowance } = await suspended(deps, 700n, 300n);
      const reference = { tenantId: null, allowance: "monthly" };
      const resolution = { decision: "release", reason: " ", ownerId: null } as const;
      assert.throws(() => resolveSuspense(deps, reference, resolution), { param: "reason" });
      assert.throws(() => resolveSuspense(deps, reference, { ...resolution, reason: "x".repeat(501) }), {
        param: "reason",
      });
      assert.throws(() => resolveSuspense(deps, reference, { ...resolution, decision: "releas" as "release" }), {
        message: /Did you mean release\?/,
      });
      assert.equal((await onlyAccount(deps, allowance)).suspense, 400n);
    });
  });
}

async function onlyAccount(deps: AllowancePlace, allowance: Allowance): Promise<AccountReport> {
  const { accounts } = await listAccounts(deps.db, allowance, { nowMs: deps.clock.wallMs(), past: false, limit: 10 });
  const [account, second] = accounts;
  assert.ok(account !== undefined && second === undefined);
  return account;
}

/** A process drew, settled a part and was not heard of again. */
async function suspended(
  deps: AllowancePlace,
  drawn: bigint,
  settled: bigint,
): Promise<{ readonly allowance: Allowance; readonly ownerId: string }> {
  const allowance = await deps.create();
  const ownerId = await deps.use(allowance, drawn, settled);
  deps.clock.advance(31_000);
  await deps.bank.reap();
  return { allowance, ownerId };
}
