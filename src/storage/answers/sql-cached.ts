/** Cached answers on a SQL database: each operation is one statement, a sweep as many as there are portions. */
import type { Kysely, RawBuilder } from "kysely";
import { sql } from "kysely";
import {
  type AnswerStore,
  type CachedAnswer,
  type CachedScope,
  type KeptMeaning,
  type Meaning,
  type MeaningsQuery,
  sizeOfCached,
} from "./answers.ts";
import { type AnswerTables, toAnswerColumns, toKeptAnswer, toMeaningColumns, toVector } from "./answer-tables.ts";
import type { SqlAnswersDeps } from "./sql-answers.ts";

/** Rows of one statement that drops what is over. */
const ROWS_AT_ONCE = 200;

/** Rejects with what the database throws. */
export function createSqlCached({ db: open, now }: SqlAnswersDeps): Pick<
  AnswerStore,
  "cache" | "findMeanings" | "dropCached" | "sumCached" | "sweep"
> & {
  readonly findCached: (cacheKey: string) => Promise<CachedAnswer | null>;
} {
  return {
    findCached: async (cacheKey) => find(await open(), now, cacheKey),
    cache: async (cached, meaning = null) => put(await open(), cached, meaning),
    findMeanings: async (query) => findMeanings(await open(), now, query),
    dropCached: async (scope) => drop(await open(), scope),
    async sumCached() {
      const rows = await (
        await open()
      )
        .selectFrom("cached_answers")
        .select(["tenant_id", "model_asked", (row) => row.fn.countAll<number>().as("answers")])
        .select(sql<number>`cast(sum(size_bytes) as bigint)`.as("bytes"))
        .groupBy(["tenant_id", "model_asked"])
        .orderBy("tenant_id")
        .orderBy("model_asked")
        .execute();
      return rows.map(({ tenant_id: tenantId, model_asked: modelAsked, answers, bytes }) => {
        return { tenantId, modelAsked, answers, bytes };
      });
    },
    async sweep(cachedBytesMax) {
      const db = await open();
      await inPortions(() => dropKeysOver(db, now));
      await inPortions(() => dropCachedOver(db, now));
      await inPortions(() => dropOldest(db, cachedBytesMax));
    },
  };
}

async function find(
  db: Kysely<AnswerTables>,
  now: () => RawBuilder<number>,
  cacheKey: string,
): Promise<CachedAnswer | null> {
  const row = await db
    .selectFrom("cached_answers")
    .select(["tenant_id", "model_asked", "expires_at_ms", "request_id", "kind", "answered_at_ms"])
    .select(["headers", "body", "model_served", "provider", "cost_nano_usd"])
    .where("cache_key", "=", cacheKey)
    .where("expires_at_ms", ">", now())
    .executeTakeFirst();
  const answer = row === undefined ? null : toKeptAnswer(row);
  if (row === undefined || answer === null) return null;
  const { tenant_id: tenantId, model_asked: modelAsked, expires_at_ms: expiresAtMs } = row;
  return { cacheKey, tenantId, modelAsked, expiresAtMs, answer };
}

async function findMeanings(
  db: Kysely<AnswerTables>,
  now: () => RawBuilder<number>,
  { partition, sinceMs, offset, limit }: MeaningsQuery,
): Promise<readonly KeptMeaning[]> {
  const rows = await db
    .selectFrom("cached_answers")
    .select(["cache_key", "answered_at_ms", "expires_at_ms", "vector"])
    .where("partition_key", "=", partition)
    .where("answered_at_ms", ">=", sinceMs)
    .where("expires_at_ms", ">", now())
    .orderBy("answered_at_ms", "desc")
    .orderBy("cache_key", "desc")
    .limit(limit)
    .offset(offset)
    .execute();
  return rows.flatMap(({ cache_key: cacheKey, answered_at_ms: atMs, expires_at_ms: expiresAtMs, vector }) =>
    vector === null ? [] : [{ cacheKey, atMs, expiresAtMs, vector: toVector(vector) }],
  );
}

async function put(db: Kysely<AnswerTables>, cached: CachedAnswer, meaning: Meaning | null): Promise<void> {
  const row = {
    tenant_id: cached.tenantId,
    model_asked: cached.modelAsked,
    expires_at_ms: cached.expiresAtMs,
    size_bytes: sizeOfCached(cached, meaning),
    ...toMeaningColumns(meaning),
    ...toAnswerColumns(cached.answer),
  };
  await db
    .insertInto("cached_answers")
    .values({ cache_key: cached.cacheKey, ...row })
    .onConflict((conflict) => conflict.column("cache_key").doUpdateSet(row))
    .execute();
}

async function drop(db: Kysely<AnswerTables>, { tenantId, model }: CachedScope): Promise<number> {
  let dropping = db.deleteFrom("cached_answers");
  if (tenantId !== null) dropping = dropping.where("tenant_id", "=", tenantId);
  if (model !== null)
    dropping = dropping.where((row) => row.or([row("model_asked", "=", model), row("model_served", "=", model)]));
  return Number((await dropping.executeTakeFirst()).numDeletedRows);
}

interface Dropped {
  readonly numDeletedRows: bigint;
}

function dropKeysOver(db: Kysely<AnswerTables>, now: () => RawBuilder<number>): Promise<Dropped> {
  const over = db.selectFrom("idempotency_keys").select("key_hash").where("until_ms", "<=", now()).limit(ROWS_AT_ONCE);
  return db.deleteFrom("idempotency_keys").where("key_hash", "in", over).executeTakeFirst();
}

function dropCachedOver(db: Kysely<AnswerTables>, now: () => RawBuilder<number>): Promise<Dropped> {
  const over = db
    .selectFrom("cached_answers")
    .select("cache_key")
    .where("expires_at_ms", "<=", now())
    .limit(ROWS_AT_ONCE);
  return db.deleteFrom("cached_answers").where("cache_key", "in", over).executeTakeFirst();
}

/** The newest stay, as many as fit. */
function dropOldest(db: Kysely<AnswerTables>, bytesMax: number): Promise<Dropped> {
  const summed = db
    .selectFrom("cached_answers")
    .select("cache_key")
    .select(sql<number>`sum(size_bytes) over (order by answered_at_ms desc, cache_key)`.as("sum"))
    .as("summed");
  const beyond = db.selectFrom(summed).select("cache_key").where("sum", ">", bytesMax).limit(ROWS_AT_ONCE);
  return db.deleteFrom("cached_answers").where("cache_key", "in", beyond).executeTakeFirst();
}

async function inPortions(dropSome: () => Promise<Dropped>): Promise<void> {
  for (;;) if ((await dropSome()).numDeletedRows < ROWS_AT_ONCE) return;
}
