/** Allowances for tests: made as an operator makes them, and their books beside the ledger's. */
import type { Gateway } from "../../src/gateway.ts";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import type { Allowance, Meter } from "../../src/limits/allowance.ts";
import { createAllowance, type AllowanceDraft } from "../../src/limits/operations/create.ts";
import { usageColumns } from "../../src/storage/schema.ts";

const clock = createSystemClock();
const ids = createIdSource(systemRandomFill, () => clock.wallMs());

/** On the only tenant of the store, unless the draft says otherwise. In force from the next request on. */
export async function allow(
  { store }: Pick<Gateway, "store">,
  draft: Omit<AllowanceDraft, "scope"> & Partial<Pick<AllowanceDraft, "scope">>,
): Promise<Allowance> {
  const { id } = await store.db.selectFrom("tenants").select("id").executeTakeFirstOrThrow();
  const tenant = { kind: "tenant", tenantId: id, projectId: null, keyId: null, endUser: null } as const;
  return createAllowance({ db: store.db, clock, ids }, { scope: tenant, ...draft });
}

/** A wide allowance of each meter, so that every request is counted by all of them. */
export async function allowPlenty(gateway: Pick<Gateway, "store">): Promise<void> {
  await allow(gateway, { name: "money", meter: "money", limit: 1_000_000_000_000_000n, window: "month" });
  await allow(gateway, { name: "tokens", meter: "tokens", limit: 1_000_000_000_000n, policy: "strict" });
  await allow(gateway, { name: "requests", meter: "requests", limit: 1_000_000n, window: "day" });
  await allow(gateway, { name: "slots", meter: "slots", limit: 64n });
}

export type Books = Readonly<Record<"money" | "tokens", bigint>>;

/** What the accounts of `allowPlenty` say is spent. */
export async function spentOf({ store }: Pick<Gateway, "store">): Promise<Readonly<Record<Meter, bigint>>> {
  const rows = await store.db
    .selectFrom("allowance_accounts")
    .innerJoin("allowances", "allowances.id", "allowance_accounts.allowance_id")
    .select(["allowances.meter", "allowance_accounts.spent_amount"])
    .execute();
  const spent: Record<Meter, bigint> = { money: 0n, tokens: 0n, requests: 0n, slots: 0n };
  for (const { meter, spent_amount } of rows) spent[meter] += spent_amount;
  return spent;
}

const tokenColumns = Object.values(usageColumns).filter((column) => column.endsWith("_tokens"));

/** What the ledger says was used, corrections left out: they follow the request. */
export async function ledgerOf({ store }: Pick<Gateway, "store">): Promise<Books> {
  const rows = await store.db.selectFrom("ledger_entries").selectAll().where("kind", "=", "charge").execute();
  const books = { money: 0n, tokens: 0n };
  for (const row of rows) {
    books.money += row.cost_nano_usd;
    for (const column of tokenColumns) books.tokens += BigInt(row[column]);
  }
  return books;
}
