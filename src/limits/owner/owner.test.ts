import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBank } from "../../../test/support/memory-bank.ts";
import { anAllowance } from "../../../test/support/limits-world.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { BankTime } from "./bank-time.ts";
import { Owner } from "./owner.ts";
import { Reach } from "./reach.ts";

const ignore = (): void => {};

test("accounts whose windows have long ended are forgotten", async () => {
  const clock = createVirtualClock(0);
  const bank = new MemoryBank(() => clock.wallMs());
  const owner = new Owner("own_1", 0, {
    bank,
    bankTime: new BankTime(clock.wallMs(), clock.monotonicMs()),
    reach: new Reach({ bankReachable: ignore, bankUnreachable: ignore }),
    leaseMs: 30_000,
    pollMs: 250,
    recallWaitMs: 1_000,
    nowMs: () => clock.monotonicMs(),
    passedLimit: ignore,
  });
  await bank.register("own_1", "ins_1", 30_000);
  const know = (windowEndMs: number | null): void => {
    for (let user = 0; user < 5_000; user++) {
      const accountId = `alw_1|${user}|${windowEndMs}`;
      owner.purseOf(
        { accountId, allowanceId: "alw_1", subject: `${user}`, windowStartMs: 0, windowEndMs },
        anAllowance,
      );
    }
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
