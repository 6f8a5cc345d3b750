/**
 * What makes two requests the same. Bodies are compared as canonical JSON: the order of names and white space do not
 * count, every digit of a number does. Only hashes leave this file, so neither keys nor bodies are stored.
 */
import { hash as digest } from "node:crypto";
import type { Payer } from "../../storage/records.ts";
import { type CanonicalBody, type CanonicalMember, canonicalMember, canonicalObject } from "./canonical-body.ts";

/** Fields that tell the provider who asks or how to run the call; a model's answer does not depend on them. */
const notOfTheAnswer: ReadonlySet<string> = new Set(["user", "safety_identifier", "prompt_cache_key"]);

/** What a tenant's `Idempotency-Key` is stored as. */
export function hashOfKey(tenantId: string, idempotencyKey: string): string {
  return hash(["idempotency key", tenantId, idempotencyKey]);
}

/** Of the whole request: with the same key it must be the same. */
export function fingerprintOf(method: string, path: string, body: CanonicalBody): string {
  return hash(["request", method, path], canonicalObject(body.members));
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
  readonly body: CanonicalBody;
}

/** Of version, tenant, project, what may serve, and all of the body that an answer may depend on but its form. */
export function cacheKeyOf(identity: CacheIdentity): string {
  return hash(["cache", ...partsOf(identity)], canonicalObject(membersOf(identity.body)));
}

/**
 * The same but for the words of the last message, whose numbers count all the same: requests of one partition may get
 * each other's answers if they mean the same. `embeddings`: the model that says what they mean.
 */
export function partitionOf(identity: CacheIdentity, embeddings: string, numbers: readonly string[]): string {
  const members = membersOf(identity.body).map((member) =>
    member.name === "messages" ? withoutWords(member) : member,
  );
  return hash(["meaning", ...partsOf(identity), embeddings, "numbers", ...numbers], canonicalObject(members));
}

function withoutWords({ name, value }: CanonicalMember): CanonicalMember {
  const messages = value as readonly object[];
  return canonicalMember(name, messages.with(-1, { ...messages.at(-1), content: null }));
}

function partsOf({ version, payer, path, targets, tags }: CacheIdentity): readonly string[] {
  const parts = [version, payer.tenantId, payer.projectId, path, "tags", ...[...new Set(tags)].sort(), "targets"];
  return [...parts, ...targets];
}

/** What an answer may depend on. Its form is not of it, since one is made of the other (form/form.ts). */
function membersOf(body: CanonicalBody): readonly CanonicalMember[] {
  return body.members.flatMap((member) => {
    const { name, value } = member;
    if (notOfTheAnswer.has(name) || isOfTheForm(name, value)) return [];
    return name === "metadata" ? withoutUser(member) : [member];
  });
}

/** The Messages API has the end user in `metadata.user_id`. */
function withoutUser(member: CanonicalMember): readonly CanonicalMember[] {
  const { name, value } = member;
  if (typeof value !== "object" || value === null || !("user_id" in value)) return [member];
  const { user_id: _, ...rest } = value;
  return Object.keys(rest).length === 0 ? [] : [canonicalMember(name, rest)];
}

/** Of `stream_options` only whether usage is said is understood. */
function isOfTheForm(name: string, value: unknown): boolean {
  if (name !== "stream_options") return name === "stream";
  if (typeof value !== "object" || value === null) return true;
  return Object.keys(value).every((option) => option === "include_usage");
}

/** The parts are told apart by their JSON, the body from them by a line. */
function hash(parts: readonly string[], body = ""): string {
  return digest("sha256", `${JSON.stringify(parts)}\n${body}`, "hex");
}
