/** Requests without a gateway: holds that are opened and closings that take from one account. */
import type { Kysely } from "kysely";
import type { Database } from "../../../src/storage/schema.ts";
import { toNanoUsd } from "../../../src/kernel/money.ts";
import type { Store } from "../../../src/storage/storage.ts";
import { createTestBank, leaseMs, startMs } from "../../contract/bank-place.ts";
import { drawOf, insertAllowance } from "../../contract/bank-samples.ts";
import { ids } from "../../contract/engines.ts";
import { sampleEntry, sampleHold, sampleRecord } from "../../contract/samples.ts";

export const COST = 7n;
const LIMIT = 1_000_000n;

export interface Grant {
  readonly ownerId: string;
  readonly accountId: string;
}

/** Draws the whole of a new budget for a new owner of this process. */
export async function drawAll(db: Kysely<Database>, instanceId: string): Promise<Grant> {
  const tenant = { id: "ten_1", generation: 1, name: "acme", created_at_ms: 1, disabled_at_ms: null };
  await db.insertInto("tenants").values(tenant).execute();
  const account = await insertAllowance(db, "alw_1", { limit_amount: LIMIT });
  const bank = createTestBank(db, { nowMs: startMs });
  const ownerId = ids.next("own");
  await bank.register(ownerId, instanceId, leaseMs);
  await bank.draw(ownerId, [drawOf(account, 1, LIMIT)]);
  return { ownerId, accountId: account.accountId };
}

/** Opens and closes one request of cost `COST`. */
export async function serve({ journal }: Store, grant: Grant | null): Promise<void> {
  const [requestId, attemptId] = [ids.next("req"), ids.next("att")];
  const costNanoUsd = toNanoUsd(COST);
  const heldAmounts = grant === null ? [] : [{ ...grant, amount: COST }];
  await journal.open(sampleHold(requestId, attemptId, { heldCostNanoUsd: costNanoUsd, heldAmounts }));
  await journal.close(
    sampleRecord(requestId, { costNanoUsd }),
    [sampleEntry(requestId, attemptId, { costNanoUsd })],
    grant === null ? [] : [{ ...grant, fromGrant: COST, overdraft: 0n }],
  );
}

export async function serveMany(store: Store, count: number, grant: Grant | null): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => serve(store, grant)));
}

export interface Books {
  readonly requests: number;
  readonly entries: number;
  readonly cost: bigint;
  /** By the sums of hours. */
  readonly attempts: number;
  readonly spent: bigint;
  readonly granted: bigint;
}

/** What the shared database says. */
export async function readBooks(db: Kysely<Database>): Promise<Books> {
  const ledger = await db
    .selectFrom("ledger_entries")
    .select((row) => [
      row.fn.countAll<number>().as("count"),
      row.fn.sum<bigint | null>("cost_nano_usd").as("cost_nano_usd"),
    ])
    .executeTakeFirstOrThrow();
  const requests = await db
    .selectFrom("requests")
    .select((row) => row.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  const usage = await db
    .selectFrom("usage_hours")
    .select((row) => row.fn.sum<number | null>("attempts").as("attempts"))
    .executeTakeFirstOrThrow();
  const account = await db
    .selectFrom("allowance_accounts")
    .select(["spent_amount", "granted_amount"])
    .executeTakeFirst();
  return {
    requests: requests.count,
    entries: ledger.count,
    cost: ledger.cost_nano_usd ?? 0n,
    attempts: usage.attempts ?? 0,
    spent: account?.spent_amount ?? 0n,
    granted: account?.granted_amount ?? 0n,
  };
}

/** After so many requests that took from one account, nothing is missing and nothing is there twice. */
export function exactly(requests: number): Books {
  const cost = BigInt(requests) * COST;
  return { requests, entries: requests, cost, attempts: requests, spent: cost, granted: LIMIT - cost };
}
