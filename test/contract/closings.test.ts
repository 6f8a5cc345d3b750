import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AccountState } from "../../src/storage/escrow/account.ts";
import { windowAt } from "../../src/storage/escrow/calendar.ts";
import type { AccountKey, Move } from "../../src/storage/escrow/bank.ts";
import { type Books, fenceGrant, noGrant, settleGrant } from "../../src/storage/escrow/grant.ts";
import type { Store, StoreOptions } from "../../src/storage/storage.ts";
import { eventually } from "../support/eventually.ts";
import { fc } from "../support/properties.ts";
import { createVirtualClock } from "../support/virtual-clock.ts";
import { createTestBank, leaseMs, startMs } from "./bank-place.ts";
import { accountOf, dayMs, drawOf, insertAllowance } from "./bank-samples.ts";
import { insertOverride, numbersOf } from "./bank-steps.ts";
import { engines } from "./engines.ts";
import type { Place } from "./engines.ts";
import { sampleEntry, sampleHold, sampleRecord } from "./samples.ts";

/** A store with owners `a` and `b`, each of whom has drawn 1000 of 5000 from each account. */
interface Scene extends AsyncDisposable {
  readonly store: Store;
  readonly accounts: readonly AccountKey[];
  /** Fences both owners. */
  fence(): Promise<void>;
  /** Closes request `req_<id>` with one attempt. */
  close(id: number, moves: readonly Move[]): Promise<void>;
  /** Spent, granted and in suspense of the account, once all closings are delivered. */
  stand(account: AccountKey): Promise<readonly bigint[]>;
}

async function openScene(place: Place, accountCount: number, options: Partial<StoreOptions> = {}): Promise<Scene> {
  const store = await place.openStore(options);
  await store.db
    .insertInto("tenants")
    .values({ id: "ten_1", generation: 1, name: "acme", created_at_ms: 1, disabled_at_ms: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const time = { nowMs: startMs };
  const bank = createTestBank(store.db, time);
  const accounts: AccountKey[] = [];
  for (let index = 0; index < accountCount; index++) {
    accounts.push(await insertAllowance(store.db, `alw_${index}`, { limit_amount: 16_000n }));
  }
  for (const owner of ["a", "b"]) {
    await bank.register(owner, store.instanceId, leaseMs);
    await bank.draw(
      owner,
      accounts.map((account) => drawOf(account, 1, 1000n)),
    );
  }
  return {
    store,
    accounts,
    async fence() {
      time.nowMs += leaseMs + 1;
      await bank.reap();
    },
    close: (id, moves) =>
      store.journal.close(sampleRecord(`req_${id}`), [sampleEntry(`req_${id}`, `att_${id}`)], moves),
    async stand(account) {
      await store.delivered();
      return (await numbersOf(store.db, account)).slice(1);
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

function move(ownerId: string, account: AccountKey | undefined, fromGrant: bigint, overdraft = 0n): Move {
  return { ownerId, accountId: account?.accountId ?? "", fromGrant, overdraft };
}

for (const engine of engines) {
  describe(`what closings take from allowances on ${engine.name}`, () => {
    test("moves from granted to spent; what goes beyond the grant is spent besides", async () => {
      await using place = await engine.createPlace();
      await using scene = await openScene(place, 2);
      const [first, second] = scene.accounts;
      assert.ok(first !== undefined && second !== undefined);
      await scene.close(1, [move("a", first, 300n), move("b", first, 1000n, 5n), move("a", second, 0n, 7n)]);
      assert.deepEqual(await scene.stand(first), [1305n, 700n, 0n]);
      assert.deepEqual(await scene.stand(second), [7n, 2000n, 0n]);
    });

    test("is taken once: a second closing of the request changes nothing", async () => {
      await using place = await engine.createPlace();
      await using scene = await openScene(place, 1);
      const [account] = scene.accounts;
      assert.ok(account !== undefined);
      await Promise.all([scene.close(1, [move("a", account, 300n)]), scene.close(1, [move("a", account, 300n)])]);
      await scene.close(1, [move("a", account, 300n, 1n)]);
      assert.deepEqual(await scene.stand(account), [300n, 1700n, 0n]);
    });

    test("comes from suspense when the owner is fenced, and from what is available when its grant is gone", async () => {
      await using place = await engine.createPlace();
      await using scene = await openScene(place, 1);
      const [account] = scene.accounts;
      assert.ok(account !== undefined);
      await scene.fence();
      await Promise.all([
        scene.close(1, [move("a", account, 300n), move("nobody", account, 20n, 1n)]),
        scene.close(2, [{ ownerId: "a", accountId: "alw_nothing||0", fromGrant: 5n, overdraft: 0n }]),
      ]);
      assert.deepEqual(await scene.stand(account), [321n, 0n, 1700n]);
      await scene.close(3, [move("a", account, 900n)]);
      assert.deepEqual(await scene.stand(account), [1221n, 0n, 1000n]);
    });

    test("makes the account of which nothing was drawn before", async () => {
      await using place = await engine.createPlace();
      await using scene = await openScene(place, 1);
      const { db } = scene.store;
      await insertAllowance(db, "alw_soft", { mode: "soft", window_kind: "day", limit_amount: 9n });
      const [today, tomorrow] = [windowAt("day", "UTC", startMs), windowAt("day", "UTC", startMs + dayMs)];
      await insertOverride(db, "alw_soft", tomorrow, { limit: 8n });
      const [now, next] = [today, tomorrow].map((window) => accountOf("alw_soft", window, "a|b"));
      assert.ok(now !== undefined && next !== undefined);
      await Promise.all([
        scene.close(1, [move("a", now, 0n, 5n), move("a", scene.accounts[0], 1n)]),
        scene.close(2, [move("a", now, 0n, 7n), move("a", next, 0n, 1n)]),
      ]);
      await scene.close(3, [move("b", now, 0n, 30n)]);
      await scene.store.delivered();
      assert.deepEqual(await numbersOf(db, now), [9n, 42n, 0n, 0n]);
      assert.deepEqual(await numbersOf(db, next), [8n, 1n, 0n, 0n]);
      const rows = db.selectFrom("allowance_accounts").where("allowance_id", "=", "alw_soft");
      const keys = await rows
        .select(["subject", "window_start_ms", "window_end_ms"])
        .orderBy("window_start_ms")
        .execute();
      assert.deepEqual(
        keys.map(({ subject, window_start_ms, window_end_ms }) => [subject, window_start_ms, window_end_ms]),
        [today, tomorrow].map(({ startMs: fromMs, endMs }) => ["a|b", fromMs, endMs]),
      );
    });

    test("of a dead gateway makes the account of which nothing was drawn before", async () => {
      await using place = await engine.createPlace();
      let account: AccountKey;
      {
        await using scene = await openScene(place, 0);
        account = await insertAllowance(scene.store.db, "alw_soft", { mode: "soft" });
        const heldAmounts = [{ ownerId: "a", accountId: account.accountId, amount: 40n }];
        await scene.store.journal.open(sampleHold("req_1", "att_1", { heldAmounts }));
      }
      await using next = await place.openStore();
      await next.delivered();
      assert.deepEqual(await numbersOf(next.db, account), [1000n, 40n, 0n, 0n]);
    });

    test("is not taken by a closing that the store refuses; the others of its commit take theirs once", async () => {
      await using place = await engine.createPlace();
      await using scene = await openScene(place, 1);
      const [account] = scene.accounts;
      assert.ok(account !== undefined);
      const broken = [sampleEntry("req_2", "att_2", { costNanoUsd: null as never })];
      const outcomes = await Promise.allSettled([
        scene.close(1, [move("a", account, 100n)]),
        scene.store.journal.close(sampleRecord("req_2"), broken, [move("a", account, 20n)]),
        scene.close(3, [move("a", account, 3n)]),
      ]);
      assert.deepEqual(
        outcomes.map((outcome) => outcome.status),
        ["fulfilled", "rejected", "fulfilled"],
      );
      assert.deepEqual(await scene.stand(account), [103n, 1897n, 0n]);
    });

    test("is taken by a closing that was refused at first and written later", async () => {
      await using place = await engine.createPlace();
      const clock = createVirtualClock();
      const told: string[] = [];
      const events = { lateClosing: (state: string) => void told.push(state) };
      await using scene = await openScene(place, 1, { queueLengthMax: 1, clock, events });
      const [account] = scene.accounts;
      assert.ok(account !== undefined);
      const closings = [1, 2, 3].map((id) => scene.close(id, [move("a", account, 10n)]));
      assert.equal((await Promise.allSettled(closings)).at(-1)?.status, "rejected");
      assert.deepEqual(await scene.stand(account), [20n, 1980n, 0n]);
      clock.advance(1000);
      await eventually("the closing is settled", () => told.includes("settled"));
      assert.deepEqual(await scene.stand(account), [30n, 1970n, 0n]);
    });

    test("of a dead gateway is what it held; what it had been granted besides is available again", async () => {
      await using place = await engine.createPlace();
      let account: AccountKey | undefined;
      {
        await using scene = await openScene(place, 1);
        account = scene.accounts[0];
        const held = (ownerId: string, amount: bigint) => ({ ownerId, accountId: account?.accountId ?? "", amount });
        const { journal } = scene.store;
        await journal.open(sampleHold("req_1", "att_1", { heldAmounts: [held("a", 40n), held("b", 2n)] }));
        await journal.open(sampleHold("req_2", "att_2", { heldAmounts: [held("a", 100n)] }));
        await journal.extend({ ...sampleHold("req_2", "att_2"), heldAmounts: [held("a", 300n)] });
        await journal.open(sampleHold("req_3", "att_3", { heldAmounts: [held("a", 5n)] }));
        await scene.close(3, [move("a", account, 6n)]);
      }
      assert.ok(account !== undefined);
      await using next = await place.openStore();
      await next.delivered();
      const numbers = await eventually("its owners are finished", async () => {
        const [, spent, granted, suspense] = await numbersOf(next.db, account);
        return granted === 0n ? [spent, granted, suspense] : null;
      });
      assert.deepEqual(numbers, [348n, 0n, 0n]);
      const owners = await next.db.selectFrom("allowance_owners").select(["owner_id", "fenced"]).execute();
      assert.deepEqual(new Set(owners.map(({ owner_id, fenced }) => `${owner_id} ${fenced}`)), new Set(["a 1", "b 1"]));
    });

    test("is the same, however many closings one commit has, as if each had been settled by itself", async () => {
      await using place = await engine.createPlace();
      await using scene = await openScene(place, 3);
      const moves = fc.array(
        fc.record({
          ownerId: fc.constantFrom("a", "b", "nobody"),
          accountId: fc.constantFrom(...scene.accounts.map((account) => account.accountId)),
          fromGrant: fc.bigInt({ min: 0n, max: 60n }),
          overdraft: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 9n })),
        }),
        { maxLength: 8 },
      );
      const model = new Map(scene.accounts.map(({ accountId }) => [accountId, new ModelAccount()]));
      let requests = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(moves, { maxLength: 6 }), fc.nat(19), async (commit, fate) => {
          if (fate === 0) {
            await scene.fence();
            for (const account of model.values()) account.fence();
          }
          await Promise.all(commit.map((closing) => scene.close(++requests, closing)));
          for (const each of commit.flat()) model.get(each.accountId)?.settle(each);
          for (const account of scene.accounts) {
            assert.deepEqual(await scene.stand(account), model.get(account.accountId)?.numbers());
          }
        }),
        { numRuns: 60, interruptAfterTimeLimit: 10_000 },
      );
    });
  });
}

/** An account as `openScene` leaves it. */
class ModelAccount {
  #state: AccountState = {
    limit: 16_000n,
    spent: 0n,
    granted: 2000n,
    suspense: 0n,
    mode: "enforce",
    drain: null,
    drainedAtMs: 0,
    refusals: 0,
  };
  readonly #grants = new Map([
    ["a", { ...noGrant, amount: 1000n }],
    ["b", { ...noGrant, amount: 1000n }],
  ]);

  settle(each: Move): void {
    this.#change(each.ownerId, (books) => settleGrant(books, each));
  }

  fence(): void {
    for (const ownerId of this.#grants.keys()) this.#change(ownerId, (books) => fenceGrant(books, "money"));
  }

  numbers(): readonly bigint[] {
    return [this.#state.spent, this.#state.granted, this.#state.suspense];
  }

  #change(ownerId: string, act: (books: Books) => Books): void {
    const { account, grant } = act({ account: this.#state, grant: this.#grants.get(ownerId) ?? noGrant });
    this.#state = account;
    if (this.#grants.has(ownerId)) this.#grants.set(ownerId, grant);
  }
}
