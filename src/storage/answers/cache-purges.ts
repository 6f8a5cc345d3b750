/**
 * Purges of the cache: what an operator no longer wants to be given again. They are a control table, so every process
 * notices one with its next request, whatever it has in memory, and the copies in the store are dropped besides.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Kysely } from "kysely";
import type { Clock } from "../../kernel/clock.ts";
import type { IdSource } from "../../kernel/ids.ts";
import { changeControl } from "../control-version.ts";
import type { Database } from "../schema.ts";
import { reading } from "../sqlite/failures.ts";
import type { GenerationWatch } from "../sqlite/generation.ts";
import type { AnswerStore, CachedAnswer, CachedScope } from "./answers.ts";

export interface CachePurge extends CachedScope {
  readonly purgedAtMs: number;
}

/** On the request path, of this machine's file. Both throw `storage_unavailable`. */
export interface PurgeReader {
  /** Of the control tables; see `GenerationWatch`. */
  generation(): number;
  /** Purges after `sinceMs`. */
  since(sinceMs: number): readonly CachePurge[];
}

export interface PurgeDeps {
  readonly db: Kysely<Database>;
  readonly answers: AnswerStore;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** From now on no process gives an answer of the scope that is older. Resolves with how many the store had of them. */
export async function purgeCache({ db, answers, clock, ids }: PurgeDeps, scope: CachedScope): Promise<number> {
  await changeControl(db, async (transaction, generation) => {
    await transaction
      .insertInto("cache_purges")
      .values({
        id: ids.next("pur"),
        generation,
        tenant_id: scope.tenantId,
        model: scope.model,
        purged_at_ms: clock.wallMs(),
      })
      .execute();
  });
  return answers.dropCached(scope);
}

/** Whether a purge was meant for it. */
export function isPurged({ tenantId, modelAsked, answer }: CachedAnswer, purge: CachePurge): boolean {
  if (answer.atMs > purge.purgedAtMs) return false;
  if (purge.tenantId !== null && purge.tenantId !== tenantId) return false;
  return purge.model === null || purge.model === modelAsked || purge.model === answer.modelServed;
}

export function createPurgeReader(connection: DatabaseSync, db: Kysely<Database>, watch: GenerationWatch): PurgeReader {
  const query = db.selectFrom("cache_purges").selectAll().where("purged_at_ms", ">", 0);
  const select = connection.prepare(query.compile().sql);
  return {
    generation: () => watch.generation(),
    since: (sinceMs) =>
      reading(() => {
        const rows = select.all(sinceMs) as unknown as readonly Database["cache_purges"][];
        return rows.map((row) => ({ tenantId: row.tenant_id, model: row.model, purgedAtMs: row.purged_at_ms }));
      }),
  };
}
