/** The tables of kept answers, as every engine has them; for `withTables`, where they stand beside others. */
import { toNanoUsd } from "../../kernel/money.ts";
import type { KeptAnswer, Meaning } from "./answers.ts";

export type AnswerTables = {
  readonly idempotency_keys: IdempotencyKeysTable;
  readonly cached_answers: CachedAnswersTable;
};

type AnswerColumns = {
  request_id: string;
  kind: KeptAnswer["kind"];
  answered_at_ms: number;
  /** JSON list. */
  headers: string;
  body: Uint8Array;
  model_served: string | null;
  provider: string | null;
  cost_nano_usd: bigint;
};

/** The columns of an answer are `null` while there is none, or none that is kept. */
type IdempotencyKeysTable = { [Column in keyof AnswerColumns]: AnswerColumns[Column] | null } & {
  key_hash: string;
  tenant_id: string;
  fingerprint: string;
  claim_id: string;
  /** Whose claim it is. */
  instance_id: string;
  state: "running" | "answered";
  /** Of a claim: until when it holds. Of an answer: until when it is kept. */
  until_ms: number;
};

type CachedAnswersTable = AnswerColumns & {
  cache_key: string;
  tenant_id: string;
  model_asked: string;
  expires_at_ms: number;
  /** See `sizeOfCached`. */
  size_bytes: number;
  /** With `vector`: see `Meaning`; both `null` for an answer to equal requests only. */
  partition_key: string | null;
  /** 32-bit floats, the least significant byte first. */
  vector: Uint8Array | null;
};

export function toMeaningColumns(meaning: Meaning | null): Pick<CachedAnswersTable, "partition_key" | "vector"> {
  return { partition_key: meaning?.partition ?? null, vector: meaning === null ? null : toBytes(meaning.vector) };
}

/** Every machine that Node runs on has the least significant byte first. */
function toBytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A copy, since the bytes of a row need not begin where numbers may. */
export function toVector(bytes: Uint8Array): Float32Array {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return new Float32Array(copy.buffer);
}

export const noAnswer: { readonly [Column in keyof AnswerColumns]: null } = {
  request_id: null,
  kind: null,
  answered_at_ms: null,
  headers: null,
  body: null,
  model_served: null,
  provider: null,
  cost_nano_usd: null,
};

export function toAnswerColumns(answer: KeptAnswer): AnswerColumns {
  return {
    request_id: answer.requestId,
    kind: answer.kind,
    answered_at_ms: answer.atMs,
    headers: JSON.stringify(answer.headers),
    body: answer.body,
    model_served: answer.modelServed,
    provider: answer.provider,
    cost_nano_usd: answer.costNanoUsd,
  };
}

/** `null` where the columns are. */
export function toKeptAnswer(row: {
  readonly [Column in keyof AnswerColumns]: AnswerColumns[Column] | null;
}): KeptAnswer | null {
  const { request_id: requestId, kind, answered_at_ms: atMs, headers, body, cost_nano_usd: cost } = row;
  if (requestId === null || kind === null || atMs === null || headers === null || body === null || cost === null)
    return null;
  return {
    requestId,
    kind,
    atMs,
    headers: JSON.parse(headers) as readonly string[],
    body,
    modelServed: row.model_served,
    provider: row.provider,
    costNanoUsd: toNanoUsd(cost),
  };
}
