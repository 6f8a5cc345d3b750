import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBank } from "../../../test/support/memory-bank.ts";
import { anAllowance } from "../../../test/support/limits-world.ts";
import { createVirtualClock, type VirtualClock } from "../../../test/support/virtual-clock.ts";
import type { AccountKey } from "../../storage/escrow/bank.ts";
import type { KeptRoom } from "../escrow/takings.ts";
import { BankTime } from "./bank-time.ts";
import { Owner } from "./owner.ts";
import { Reach } from "./reach.ts";

const ignore = (): void => {};

interface Opened {
  readonly owner: Owner;
  readonly bank: MemoryBank;
  readonly clock: VirtualClock;
  readonly keptRoom: KeptRoom;
}

function open(): Opened {
  const keptRoom = { left: 100 };
  const clock = createVirtualClock(0);
  const bank = new MemoryBank(() => clock.wallMs());
  const owner = new Owner("own_1", 0, {
    bank,
    bankTime: new BankTime(clock.wallMs(), clock.monotonicMs()),
    reach: new Reach({ bankReachable: ignore, bankUnreachable: ignore }),
    leaseMs: 30_000,
    pollMs: 250,
    recallWaitMs: 1_000,
    keptRoom,
    nowMs: () => clock.monotonicMs(),
    passedLimit: ignore,
  });
  return { owner, bank, clock, keptRoom };
}

function accountOf(user: number, windowEndMs: number | null): AccountKey {
  const accountId = `alw_1|${user}|${windowEndMs}`;
  return { accountId, allowanceId: "alw_1", subject: `${user}`, windowStartMs: 0, windowEndMs };
}

test("accounts whose windows have long ended are forgotten", async () => {
  const { owner, bank, clock } = open();
  await bank.register("own_1", "ins_1", 30_000);
  const know = (windowEndMs: number | null): void => {
    for (let user = 0; user < 5_000; user++) owner.purseOf(accountOf(user, windowEndMs), anAllowance);
  };
  know(60_000);
  know(null);
  assert.equal(owner.isFull, true);
  clock.advance(3_659_999);
  owner.poll();
  assert.equal(owner.isFull, true);
  clock.advance(1);
  owner.poll();
  assert.equal(owner.isFull, false);
});

test("of more accounts than it can keep the books of, those of allowances that do not refuse only overdraw", () => {
  const { owner, bank } = open();
  for (let user = 0; user < 20_000; user++) owner.purseOf(accountOf(user, null), anAllowance);
  const another = accountOf(20_000, null);
  assert.throws(() => owner.purseOf(another, anAllowance), { code: "overloaded" });
  const purse = owner.purseOf(another, { ...anAllowance, mode: "soft" });
  const asker = { heldOf: () => 0n, request: another, countAt: () => true, mayCountAt: () => true };
  const taker = { ...asker, isOver: false, forgo: ignore };
  assert.deepEqual([purse.covers(5n, 0), purse.take(5n, taker), purse.settle(5n, 5n)], [true, 5n, 0n]);
  owner.poll();
  assert.equal(bank.count("draw"), 0);
});

test("whom it has not judged when it is finished it keeps no longer", () => {
  const { owner, keptRoom } = open();
  const account = accountOf(1, null);
  const asker = { heldOf: () => 0n, request: account, countAt: () => true, mayCountAt: () => true };
  owner.purseOf(account, { ...anAllowance, mode: "soft" }).take(5n, { ...asker, isOver: false, forgo: ignore });
  assert.equal(keptRoom.left, 99);
  owner.finish();
  assert.equal(keptRoom.left, 100);
});
