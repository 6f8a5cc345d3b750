/** Kept answers on a SQL database, the same on every engine: each operation is one statement. */
import type { Kysely, RawBuilder } from "kysely";
import { sql } from "kysely";
import { HeadgateError } from "../../kernel/errors.ts";
import type { AnswerStore, CachedScope, ClaimRequest, ClaimResult } from "./answers.ts";
import { sizeOfCached } from "./answers.ts";
import { type AnswerTables, noAnswer, toAnswerColumns, toKeptAnswer } from "./answer-tables.ts";

export interface SqlAnswersDeps {
  /** Opened by the first use. */
  readonly db: () => Promise<Kysely<AnswerTables>>;
  /** Whose claims are made. */
  readonly instanceId: string;
  /** One clock for all processes of one database: whole ms since the epoch, as an expression of the engine. */
  readonly now: () => RawBuilder<number>;
  /** What it means to a caller that the database threw. */
  readonly unavailable: (error: unknown) => HeadgateError;
}

/** A claim that met a key which was freed a moment later is tried again so often. */
const CLAIM_TRIES = 5;
/** Rows of one statement that drops what is over. */
const ROWS_AT_ONCE = 200;

export function createSqlAnswers(deps: SqlAnswersDeps): AnswerStore {
  const { now, unavailable } = deps;
  async function ask<Result>(act: (db: Kysely<AnswerTables>) => Promise<Result>): Promise<Result> {
    try {
      return await act(await deps.db());
    } catch (error) {
      throw error instanceof HeadgateError ? error : unavailable(error);
    }
  }

  return {
    claim: (request) => ask((db) => claim(db, deps, request)),
    renew: (claimIds, leaseMs) =>
      ask(async (db) => {
        if (claimIds.length === 0) return;
        await db
          .updateTable("idempotency_keys")
          .set({ until_ms: sql<number>`${now()} + ${sql.lit(leaseMs)}` })
          .where("claim_id", "in", claimIds)
          .where("state", "=", "running")
          .execute();
      }),
    keep: ({ keyHash, claimId }, answer, retentionMs) =>
      ask(async (db) => {
        const kept = await db
          .updateTable("idempotency_keys")
          .set({
            state: "answered",
            until_ms: sql<number>`${now()} + ${sql.lit(retentionMs)}`,
            ...(answer === null ? noAnswer : toAnswerColumns(answer)),
          })
          .where("key_hash", "=", keyHash)
          .where("claim_id", "=", claimId)
          .executeTakeFirst();
        return kept.numUpdatedRows > 0n;
      }),
    release: ({ keyHash, claimId }) =>
      ask(async (db) => {
        await db
          .deleteFrom("idempotency_keys")
          .where("key_hash", "=", keyHash)
          .where("claim_id", "=", claimId)
          .where("state", "=", "running")
          .execute();
      }),

    findCached: (cacheKey) =>
      ask(async (db) => {
        const row = await db
          .selectFrom("cached_answers")
          .selectAll()
          .where("cache_key", "=", cacheKey)
          .where("expires_at_ms", ">", now())
          .executeTakeFirst();
        const answer = row === undefined ? null : toKeptAnswer(row);
        if (row === undefined || answer === null) return null;
        const { tenant_id: tenantId, model_asked: modelAsked, expires_at_ms: expiresAtMs } = row;
        return { cacheKey, tenantId, modelAsked, expiresAtMs, answer };
      }),
    cache: (cached) =>
      ask(async (db) => {
        const row = {
          tenant_id: cached.tenantId,
          model_asked: cached.modelAsked,
          expires_at_ms: cached.expiresAtMs,
          size_bytes: sizeOfCached(cached),
          ...toAnswerColumns(cached.answer),
        };
        await db
          .insertInto("cached_answers")
          .values({ cache_key: cached.cacheKey, ...row })
          .onConflict((conflict) => conflict.column("cache_key").doUpdateSet(row))
          .execute();
      }),
    dropCached: (scope) => ask((db) => dropCached(db, scope)),
    sumCached: () =>
      ask(async (db) => {
        const rows = await db
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
      }),
    sweep: (cachedBytesMax) => ask((db) => sweep(db, now, cachedBytesMax)),
  };
}

async function claim(
  db: Kysely<AnswerTables>,
  { instanceId, now }: SqlAnswersDeps,
  { keyHash, claimId, tenantId, fingerprint, leaseMs }: ClaimRequest,
): Promise<ClaimResult> {
  const row = {
    tenant_id: tenantId,
    fingerprint,
    claim_id: claimId,
    instance_id: instanceId,
    state: "running",
    until_ms: sql<number>`${now()} + ${sql.lit(leaseMs)}`,
    ...noAnswer,
  } as const;
  for (let tries = 1; tries <= CLAIM_TRIES; tries++) {
    const claimed = await db
      .insertInto("idempotency_keys")
      .values({ key_hash: keyHash, ...row })
      .onConflict((conflict) =>
        conflict.column("key_hash").doUpdateSet(row).where("idempotency_keys.until_ms", "<=", now()),
      )
      .returning("claim_id")
      .executeTakeFirst();
    if (claimed !== undefined) return { state: "claimed" };
    const held = await db.selectFrom("idempotency_keys").selectAll().where("key_hash", "=", keyHash).executeTakeFirst();
    if (held?.state === "running") return { state: "running", fingerprint: held.fingerprint };
    if (held !== undefined) return { state: "answered", fingerprint: held.fingerprint, answer: toKeptAnswer(held) };
  }
  throw new HeadgateError("storage_unavailable", "The Idempotency-Key changes hands too fast. Try again shortly.", {
    retryAfterMs: 1000,
  });
}

async function dropCached(db: Kysely<AnswerTables>, { tenantId, model }: CachedScope): Promise<number> {
  let drop = db.deleteFrom("cached_answers");
  if (tenantId !== null) drop = drop.where("tenant_id", "=", tenantId);
  if (model !== null)
    drop = drop.where((row) => row.or([row("model_asked", "=", model), row("model_served", "=", model)]));
  const { numDeletedRows } = await drop.executeTakeFirst();
  return Number(numDeletedRows);
}

async function sweep(db: Kysely<AnswerTables>, now: () => RawBuilder<number>, cachedBytesMax: number): Promise<void> {
  await inPortions(() =>
    db
      .deleteFrom("idempotency_keys")
      .where("key_hash", "in", (from) =>
        from.selectFrom("idempotency_keys").select("key_hash").where("until_ms", "<=", now()).limit(ROWS_AT_ONCE),
      )
      .executeTakeFirst(),
  );
  await inPortions(() =>
    db
      .deleteFrom("cached_answers")
      .where("cache_key", "in", (from) =>
        from.selectFrom("cached_answers").select("cache_key").where("expires_at_ms", "<=", now()).limit(ROWS_AT_ONCE),
      )
      .executeTakeFirst(),
  );
  await inPortions(() => dropOldest(db, cachedBytesMax));
}

/** The newest stay, as many as fit. */
function dropOldest(db: Kysely<AnswerTables>, bytesMax: number): Promise<{ readonly numDeletedRows: bigint }> {
  const summed = db
    .selectFrom("cached_answers")
    .select("cache_key")
    .select(sql<number>`sum(size_bytes) over (order by answered_at_ms desc, cache_key)`.as("sum"))
    .as("summed");
  const beyond = db.selectFrom(summed).select("cache_key").where("sum", ">", bytesMax).limit(ROWS_AT_ONCE);
  return db.deleteFrom("cached_answers").where("cache_key", "in", beyond).executeTakeFirst();
}

async function inPortions(drop: () => Promise<{ readonly numDeletedRows: bigint }>): Promise<void> {
  for (;;) if ((await drop()).numDeletedRows < ROWS_AT_ONCE) return;
}
