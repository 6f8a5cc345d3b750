/** Keys of requests on a SQL database: each operation is one statement, a claim one or two. */
import type { Kysely, RawBuilder } from "kysely";
import { sql } from "kysely";
import { HeadgateError } from "../../kernel/errors.ts";
import type { AnswerStore, ClaimRequest, ClaimResult } from "./answers.ts";
import { type AnswerTables, noAnswer, toAnswerColumns, toKeptAnswer } from "./answer-tables.ts";
import type { SqlAnswersDeps } from "./sql-answers.ts";

/** Rejects with what the database throws. */
export function createSqlKeys({
  db: open,
  instanceId,
  now,
}: SqlAnswersDeps): Pick<AnswerStore, "claim" | "renew" | "keep" | "release"> {
  const inMs = (ms: number): RawBuilder<number> => sql<number>`${now()} + ${sql.lit(ms)}`;
  return {
    async claim(request) {
      return claim(await open(), now, inMs(request.leaseMs), instanceId, request);
    },
    async renew(claimIds, leaseMs) {
      if (claimIds.length === 0) return;
      await (
        await open()
      )
        .updateTable("idempotency_keys")
        .set({ until_ms: inMs(leaseMs) })
        .where("claim_id", "in", claimIds)
        .where("state", "=", "running")
        .execute();
    },
    async keep({ keyHash, claimId }, answer, retentionMs) {
      const columns = answer === null ? noAnswer : toAnswerColumns(answer);
      const kept = await (
        await open()
      )
        .updateTable("idempotency_keys")
        .set({ state: "answered", until_ms: inMs(retentionMs), ...columns })
        .where("key_hash", "=", keyHash)
        .where("claim_id", "=", claimId)
        .executeTakeFirst();
      return kept.numUpdatedRows > 0n;
    },
    async release({ keyHash, claimId }) {
      await (
        await open()
      )
        .deleteFrom("idempotency_keys")
        .where("key_hash", "=", keyHash)
        .where("claim_id", "=", claimId)
        .where("state", "=", "running")
        .execute();
    },
  };
}

/** A claim that met a key which was freed a moment later is tried again so often. */
const CLAIM_TRIES = 5;

async function claim(
  db: Kysely<AnswerTables>,
  now: () => RawBuilder<number>,
  leaseEnd: RawBuilder<number>,
  instanceId: string,
  { keyHash, claimId, tenantId, fingerprint }: ClaimRequest,
): Promise<ClaimResult> {
  const row = {
    tenant_id: tenantId,
    fingerprint,
    claim_id: claimId,
    instance_id: instanceId,
    state: "running",
    until_ms: leaseEnd,
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
