/** A store with banks on it whose time is the test's own. */
import { test } from "node:test";
import { sql } from "kysely";
import type { Kysely } from "kysely";
import { toHeadgateError } from "../../src/kernel/errors.ts";
import type { Bank } from "../../src/storage/escrow/bank.ts";
import { createSqlBank } from "../../src/storage/escrow/sql-bank.ts";
import type { Database } from "../../src/storage/schema.ts";
import type { Engine, Place } from "./engines.ts";

export const startMs = 1_800_000_000_000;
export const leaseMs = 30_000;

/** The bank's time: what all banks of a place agree on. */
export interface BankTime {
  nowMs: number;
}

export interface BankOnStore {
  readonly db: Kysely<Database>;
  readonly bank: Bank;
}

/** It has one tenant, `ten_1`. */
export interface BankPlace extends BankOnStore, AsyncDisposable {
  readonly time: BankTime;
  /** Another bank on the same store, over connections of its own. */
  openAnother(): BankOnStore;
}

export async function openBank(place: Place): Promise<BankPlace> {
  const time: BankTime = { nowMs: startMs };
  const opened: Kysely<Database>[] = [];
  const open = (): BankOnStore => {
    const db = place.openDatabase();
    opened.push(db);
    return { db, bank: createTestBank(db, time) };
  };
  const first = open();
  const tenant = { id: "ten_1", generation: 1, name: "acme", created_at_ms: 1, disabled_at_ms: null };
  await first.db.insertInto("tenants").values(tenant).execute();
  return {
    ...first,
    time,
    openAnother: open,
    [Symbol.asyncDispose]: async () => {
      for (const db of opened) await db.destroy();
    },
  };
}

export function createTestBank(db: Kysely<Database>, time: BankTime): Bank {
  return createSqlBank({ db, now: () => sql<number>`cast(${time.nowMs} as bigint)`, unavailable: toHeadgateError });
}

/** A test on a bank with two owners, `a` and `b`. */
export function testOnBank(engine: Engine, name: string, act: (banks: BankPlace) => Promise<void>): void {
  test(name, async () => {
    await using place = await engine.createPlace();
    await using banks = await openBank(place);
    for (const owner of ["a", "b"]) await banks.bank.register(owner, `instance ${owner}`, leaseMs);
    await act(banks);
  });
}
