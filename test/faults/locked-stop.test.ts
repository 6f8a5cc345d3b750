import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { openStore, type Store } from "../../src/storage/storage.ts";
import { ids } from "../contract/engines.ts";
import { ledgerOf, spentOf } from "../support/allowances.ts";
import { eventually } from "../support/eventually.ts";
import { captureLog } from "../support/evidence.ts";
import { openScene } from "./scene.ts";

const GRACE_MS = 50;
/** What a stop may take beyond its grace period: the five seconds of the store, and something for a busy machine. */
const CLOSING_MS = 5000 + 3500;

/** What is left of the accounts' books beside what is spent. */
async function unexplained({ db }: Store): Promise<readonly unknown[]> {
  const holds = await db.selectFrom("holds").select("attempt_id").execute();
  const grants = await db.selectFrom("allowance_grants").select("account_id").execute();
  const accounts = await db
    .selectFrom("allowance_accounts")
    .select("account_id")
    .where((row) => row.or([row("granted_amount", "<>", 0n), row("suspense_amount", "<>", 0n)]))
    .execute();
  return [...holds, ...grants, ...accounts];
}

test("a gateway whose store stays locked stops within one bound, says what it gives up, and the next start charges it", async () => {
  const { logger, text } = captureLog();
  await using scene = await openScene({ timeouts: { idleMs: 60_000 } }, { logger });
  const { gateway, dataDir } = scene.test;
  const cut = scene.ask({ stream: true, script: "tokens=1000,rate=100" });
  const whole = scene.ask({ script: "ttft=200" });
  await eventually("both are called", () => scene.test.simulator.stats().running === 2);
  {
    using other = new DatabaseSync(join(dataDir, "headgate.db"));
    other.exec("BEGIN IMMEDIATE");
    const startedMs = performance.now();
    await gateway.stop(GRACE_MS);
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs < GRACE_MS + CLOSING_MS, `it took ${tookMs} ms`);
  }
  for (const reply of [await cut, await whole]) assert.doesNotMatch(reply.text, /\[DONE\]|"finish_reason":"stop"/);
  assert.equal(text().match(/a record is given up; what it held will be charged at its worst case/g)?.length, 2);

  await using store = await openStore({ dataDir, durability: "process", clock: createSystemClock(), ids });
  const rows = await store.db.selectFrom("requests").select(["ending", "basis"]).execute();
  assert.deepEqual(
    rows.map(({ ending, basis }) => [ending, basis]),
    Array(2).fill(["killed", "worst-case"]),
  );
  const { money, tokens } = await spentOf({ store });
  assert.deepEqual({ money, tokens }, await ledgerOf({ store }));
  assert.ok(money > 0n);
  assert.deepEqual(await unexplained(store), []);
});
