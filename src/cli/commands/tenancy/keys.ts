import { HeadgateError } from "../../../kernel/errors.ts";
import {
  type ApiKey,
  type CreatedKey,
  createKey,
  findKey,
  findKeyInForce,
  listKeys,
  revokeKey,
  rotateKey,
} from "../../../tenancy/keys.ts";
import { findTenant } from "../../../tenancy/tenants.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { formatMinute } from "../../values/time-text.ts";
import { inTheFuture, type Moment } from "../../values/moment.ts";
import { openExistingRecords, openRecords, type Records } from "../../workspace.ts";
import { chooseProject } from "./default-scope.ts";
import { describeKey, type KeyContext, readKeyContext, renderKeys, stateOfKey } from "./key-list.ts";

export interface KeyListOptions {
  readonly tenant: string | null;
  readonly project: string | null;
  readonly all: boolean;
}

export interface KeyCreateOptions {
  readonly name: string;
  readonly project: string | null;
  readonly tenant: string | null;
  readonly expires: Moment | null;
  readonly models: readonly string[] | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface KeyReferenceOptions {
  readonly key: string;
}

export interface KeyRotateOptions extends KeyReferenceOptions {
  readonly overlapMs: number | null;
}

export async function create(invocation: Invocation<KeyCreateOptions>): Promise<ExitCode> {
  await using records = openRecords(invocation);
  const { tenant, project, name, expires, models, metadata } = invocation.options;
  const created = await createKey(records, await chooseProject(records.db, tenant, project), {
    name,
    expiresAtMs: expires === null ? null : inTheFuture(expires, records.clock.wallMs()),
    modelAllowList: models,
    metadata,
  });
  return await tellOnce(invocation, records, created, `Created key ${created.key.name} (${created.key.id}).`);
}

export async function list(invocation: Invocation<KeyListOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const { tenant, project, all } = invocation.options;
  const scope = project === null ? null : await chooseProject(records.db, tenant, project);
  const tenantId = tenant === null ? null : (await findTenant(records.db, tenant)).id;
  const context = await readKeyContext(records);
  const keys = (await listKeys(records.db, scope)).filter(
    (key) => (tenantId === null || key.tenantId === tenantId) && (all || stateOfKey(key, context.nowMs) === "active"),
  );
  invocation.output.result({ keys: keys.map((key) => describeKey(key, context)) }, () => renderKeys(keys, context));
  return exitCodes.ok;
}

export async function revoke(invocation: Invocation<KeyReferenceOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const key = await revokeKey(records, invocation.options.key);
  const sentence = `Revoked key ${key.name} (${key.prefix}…): it is refused from the next request on.\n`;
  invocation.output.result(describeKey(key, await readKeyContext(records)), () => sentence);
  return exitCodes.ok;
}

export async function rotate(invocation: Invocation<KeyRotateOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const { key: reference, overlapMs } = invocation.options;
  const old = await findKeyInForce(records.db, reference, records.clock.wallMs());
  const created = await rotateKey(records, old.id, overlapMs ?? 0);
  const ended = await findKey(records.db, old.id);
  return await tellOnce(invocation, records, created, `Replaced key ${old.name} (${old.prefix}…), ${whenOver(ended)}.`);
}

async function tellOnce(
  { output }: Invocation<unknown>,
  records: Records,
  { key, plainKey }: CreatedKey,
  sentence: string,
): Promise<ExitCode> {
  const context: KeyContext = await readKeyContext(records);
  output.result({ key: plainKey, ...describeKey(key, context) }, () => `${plainKey}\n`);
  output.note(`${sentence} The key above is shown now and never again.`);
  return exitCodes.ok;
}

function whenOver({ expiresAtMs, revokedAtMs, id }: ApiKey): string {
  if (revokedAtMs !== null) return "which is refused from now on";
  if (expiresAtMs !== null) return `which works until ${formatMinute(expiresAtMs)} UTC`;
  throw new HeadgateError("internal", `Key ${id} was replaced and yet stays in force.`);
}
