import type { Kysely } from "kysely";
import { HeadgateError } from "../kernel/errors.ts";
import { changeControl } from "../storage/control-version.ts";
import { encodeMetadata, encodeModelAllowList, parseMetadata, parseModelAllowList } from "../storage/json-columns.ts";
import type { Database } from "../storage/schema.ts";
import { generateKey, hashKey, visiblePrefix } from "./key-format.ts";
import { findProject } from "./projects.ts";
import type { ProjectReference } from "./projects.ts";
import { checkName, notFound } from "./tenancy.ts";
import type { TenancyDeps } from "./tenancy.ts";

/** A key as it can be shown; the key itself is not known any more. */
export interface ApiKey {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly name: string;
  /** The first characters, to recognise it by. */
  readonly prefix: string;
  readonly createdAtMs: number;
  /** `null`: it does not expire. */
  readonly expiresAtMs: number | null;
  /** `null`: it is in force. */
  readonly revokedAtMs: number | null;
  /** Patterns of models (`*` matches any run of characters); `null` allows all. */
  readonly modelAllowList: readonly string[] | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface CreatedKey {
  readonly key: ApiKey;
  /** The key itself: shown now, never again. */
  readonly plainKey: string;
}

export interface KeyOptions {
  readonly name: string;
  /** Default: never. */
  readonly expiresAtMs?: number | null;
  /** Default: all models. An empty list is refused. */
  readonly modelAllowList?: readonly string[] | null;
  /** Default: none. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Names of keys need not be unique. Throws `invalid_argument`, `not_found` (tenant or project). */
export function createKey(deps: TenancyDeps, project: ProjectReference, options: KeyOptions): Promise<CreatedKey> {
  checkKeyOptions(options, deps.clock.wallMs());
  return changeControl(deps.db, async (db, generation) =>
    insertKey(deps, db, generation, await findProject(db, project), options),
  );
}

/** Of one project, or of all; in the order they were made. Throws `not_found`. */
export async function listKeys(db: Kysely<Database>, project: ProjectReference | null): Promise<readonly ApiKey[]> {
  let select = db.selectFrom("api_keys").selectAll().orderBy("id");
  if (project !== null) select = select.where("project_id", "=", (await findProject(db, project)).id);
  return (await select.execute()).map(toApiKey);
}

/** By id, visible prefix or name; a prefix or name must fit one key only. Throws `not_found`, `invalid_argument`. */
export async function findKey(db: Kysely<Database>, reference: string): Promise<ApiKey> {
  return theOnly(await keysCalled(db, reference), reference);
}

/**
 * The same; where a name fits several, as after a rotation, it is the one that is in force at `nowMs`. Throws
 * `invalid_argument` where more than one is.
 */
export async function findKeyInForce(db: Kysely<Database>, reference: string, nowMs: number): Promise<ApiKey> {
  const called = await keysCalled(db, reference);
  const inForce = called.filter((key) => isInForce(key, nowMs));
  return theOnly(inForce.length === 0 ? called : inForce, reference);
}

async function keysCalled(db: Kysely<Database>, reference: string): Promise<readonly ApiKey[]> {
  const rows = await db
    .selectFrom("api_keys")
    .selectAll()
    .where((key) => key.or([key("id", "=", reference), key("prefix", "=", reference), key("name", "=", reference)]))
    .orderBy("id")
    .execute();
  return rows.map(toApiKey);
}

function theOnly([key, second]: readonly ApiKey[], reference: string): ApiKey {
  if (key === undefined) throw notFound("key", reference);
  if (second === undefined) return key;
  const message = `More than one key is called ${JSON.stringify(reference)}. Use its id: \`headgate key list --all\` shows it.`;
  throw new HeadgateError("invalid_argument", message, { param: "key" });
}

function isInForce({ revokedAtMs, expiresAtMs }: ApiKey, nowMs: number): boolean {
  return revokedAtMs === null && (expiresAtMs === null || expiresAtMs > nowMs);
}

/** From the next request on the key is refused, in every process. Revoking again changes nothing. Throws `not_found`. */
export function revokeKey(deps: TenancyDeps, reference: string): Promise<ApiKey> {
  return changeControl(deps.db, async (db, generation) => {
    const key = await findKeyInForce(db, reference, deps.clock.wallMs());
    const revokedAtMs = key.revokedAtMs ?? deps.clock.wallMs();
    await db.updateTable("api_keys").set({ revoked_at_ms: revokedAtMs, generation }).where("id", "=", key.id).execute();
    return { ...key, revokedAtMs };
  });
}

/**
 * Makes a key like the old one, which is accepted for `overlapMs` more (0: it is revoked at once) and never longer than
 * it would have been. Throws `not_found`, `invalid_argument` for a key that is no longer in force.
 */
export function rotateKey(deps: TenancyDeps, reference: string, overlapMs: number): Promise<CreatedKey> {
  return changeControl(deps.db, async (db, generation) => {
    const nowMs = deps.clock.wallMs();
    const old = await findKeyInForce(db, reference, nowMs);
    if (!isInForce(old, nowMs)) {
      throw new HeadgateError(
        "invalid_argument",
        `The key ${old.id} is no longer in force and cannot be rotated. Create a new key.`,
        {
          param: "key",
        },
      );
    }
    const end =
      overlapMs > 0
        ? { expires_at_ms: Math.min(nowMs + overlapMs, old.expiresAtMs ?? Number.MAX_SAFE_INTEGER) }
        : { revoked_at_ms: nowMs };
    await db
      .updateTable("api_keys")
      .set({ ...end, generation })
      .where("id", "=", old.id)
      .execute();
    return insertKey(deps, db, generation, { id: old.projectId, tenantId: old.tenantId }, old);
  });
}

/** For use inside another change; `createKey` checks the options. */
export async function insertKey(
  deps: TenancyDeps,
  db: Kysely<Database>,
  generation: number,
  project: { readonly id: string; readonly tenantId: string },
  options: KeyOptions,
): Promise<CreatedKey> {
  const plainKey = generateKey(deps.randomFill);
  const row: Database["api_keys"] = {
    id: deps.ids.next("key"),
    generation,
    tenant_id: project.tenantId,
    project_id: project.id,
    name: options.name,
    hash: hashKey(plainKey),
    prefix: visiblePrefix(plainKey),
    created_at_ms: deps.clock.wallMs(),
    expires_at_ms: options.expiresAtMs ?? null,
    revoked_at_ms: null,
    model_allow_list: encodeModelAllowList(options.modelAllowList ?? null),
    metadata: encodeMetadata(options.metadata ?? {}),
  };
  await db.insertInto("api_keys").values(row).execute();
  return { key: toApiKey(row), plainKey };
}

function checkKeyOptions(options: KeyOptions, nowMs: number): void {
  checkName("key", options.name);
  if (typeof options.expiresAtMs === "number" && options.expiresAtMs <= nowMs) {
    throw new HeadgateError("invalid_argument", "The key would expire in the past. Give a later time, or none.", {
      param: "expires",
    });
  }
  if (options.modelAllowList?.length === 0) {
    throw new HeadgateError(
      "invalid_argument",
      "An empty list of models would allow none. Name models, or leave the list out to allow all.",
      {
        param: "models",
      },
    );
  }
}

function toApiKey(row: Database["api_keys"]): ApiKey {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    projectId: row.project_id,
    name: row.name,
    prefix: row.prefix,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
    modelAllowList: parseModelAllowList(row.model_allow_list),
    metadata: parseMetadata(row.metadata),
  };
}
