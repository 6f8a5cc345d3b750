/**
 * Leases of background work: of many processes on one database, one at a time does it. A holder that dies is replaced
 * when its lease is over. Times are the caller's own clock, so two machines whose clocks differ by more than a lease may
 * both hold it for a while: what is done under a lease must be right when it is done twice. A lease that ends later than
 * two from now was taken before the clock was set back, and is nobody's.
 */
import type { Kysely } from "kysely";
import type { Database } from "./schema.ts";

/** Takes or keeps the lease for `ttlMs`; false while somebody else holds it. `nowMs`: ms since the epoch. */
export async function takeLease(
  db: Kysely<Database>,
  name: string,
  holder: string,
  ttlMs: number,
  nowMs: number,
): Promise<boolean> {
  const taken = await db
    .insertInto("leases")
    .values({ name, holder, until_ms: nowMs + ttlMs })
    .onConflict((conflict) =>
      conflict
        .column("name")
        .doUpdateSet((row) => ({ holder: row.ref("excluded.holder"), until_ms: row.ref("excluded.until_ms") }))
        .where((lease) =>
          lease.or([
            lease("leases.holder", "=", holder),
            lease("leases.until_ms", "<=", nowMs),
            lease("leases.until_ms", ">", nowMs + 2 * ttlMs),
          ]),
        ),
    )
    .returning("holder")
    .executeTakeFirst();
  return taken !== undefined;
}

/** Leaves it to whoever comes next. Of somebody else's lease it changes nothing. */
export async function releaseLease(db: Kysely<Database>, name: string, holder: string): Promise<void> {
  await db.deleteFrom("leases").where("name", "=", name).where("holder", "=", holder).execute();
}
