/**
 * What makes two requests the same. Bodies are compared as canonical JSON: the order of names and white space do not
 * count, every digit of a number does. Only hashes leave this file, so neither keys nor bodies are stored.
 */
import { createHash } from "node:crypto";
import { parseExactJson } from "../../dialects/exact-json.ts";
import type { JsonDocument } from "../../kernel/json-document.ts";
import type { Payer } from "../../storage/records.ts";

/** Fields that tell the provider who asks or how to run the call; a model's answer does not depend on them. */
const notOfTheAnswer: ReadonlySet<string> = new Set(["user", "safety_identifier", "prompt_cache_key"]);

/** What a tenant's `Idempotency-Key` is stored as. */
export function hashOfKey(tenantId: string, idempotencyKey: string): string {
  return hash(["idempotency key", tenantId, idempotencyKey]);
}

/** Of the whole request: with the same key it must be the same. */
export function fingerprintOf(method: string, path: string, document: JsonDocument): string {
  return hash(["request", method, path], canonicalJson(parse(document)));
}

export interface CacheIdentity {
  /** Of this program. */
  readonly version: string;
  readonly payer: Payer;
  readonly path: string;
  /** All that may serve the alias, with their addresses, in configured order. */
  readonly targets: readonly string[];
  /** That route and caller require of whoever serves. */
  readonly tags: readonly string[];
  readonly document: JsonDocument;
}

/** Of version, tenant, project, what may serve, and all of the body that an answer may depend on but its form. */
export function cacheKeyOf(identity: CacheIdentity): string {
  return hash(["cache", ...partsOf(identity)], canonicalJson(bodyOf(identity.document)));
}

/**
 * The same but for the words of the last message, whose numbers count all the same: requests of one partition may get
 * each other's answers if they mean the same. `embeddings`: the model that says what they mean.
 */
export function partitionOf(identity: CacheIdentity, embeddings: string, numbers: readonly string[]): string {
  const body = bodyOf(identity.document);
  const messages = body["messages"] as readonly Readonly<Record<string, unknown>>[];
  const rest = { ...body, messages: messages.with(-1, { ...messages.at(-1), content: null }) };
  return hash(["meaning", ...partsOf(identity), embeddings, "numbers", ...numbers], canonicalJson(rest));
}

function partsOf({ version, payer, path, targets, tags }: CacheIdentity): readonly string[] {
  const parts = [version, payer.tenantId, payer.projectId, path, "tags", ...[...new Set(tags)].sort(), "targets"];
  return [...parts, ...targets];
}

/** What an answer may depend on. Its form is not of it, since one is made of the other (form/form.ts). */
function bodyOf(document: JsonDocument): Readonly<Record<string, unknown>> {
  const members = Object.entries(parse(document) as object).map(withoutUser);
  return Object.fromEntries(
    members.filter(([name, value]) => value !== undefined && !notOfTheAnswer.has(name) && !isOfTheForm(name, value)),
  );
}

/** The Messages API has the end user in `metadata.user_id`. */
function withoutUser(member: readonly [string, unknown]): readonly [string, unknown] {
  const [name, value] = member;
  if (name !== "metadata" || typeof value !== "object" || value === null || !("user_id" in value)) return member;
  const { user_id: _, ...rest } = value;
  return [name, Object.keys(rest).length === 0 ? undefined : rest];
}

/** Of `stream_options` only whether usage is said is understood. */
function isOfTheForm(name: string, value: unknown): boolean {
  if (name !== "stream_options") return name === "stream";
  if (typeof value !== "object" || value === null) return true;
  return Object.keys(value).every((option) => option === "include_usage");
}

interface JsonWithSources {
  isRawJSON(value: unknown): boolean;
}

/** Missing from TypeScript's library: see exact-json.ts. */
const json = JSON as unknown as JsonWithSources;

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member !== "object" || member === null || Array.isArray(member) || json.isRawJSON(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function parse({ bytes }: JsonDocument): unknown {
  return parseExactJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
}

/** The parts are told apart by their JSON, the body from them by a line. */
function hash(parts: readonly string[], body = ""): string {
  return createHash("sha256").update(JSON.stringify(parts)).update("\n").update(body).digest("hex");
}
