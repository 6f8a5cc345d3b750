import assert from "node:assert/strict";
import { test } from "node:test";
import { createProject } from "../../../src/tenancy/projects.ts";
import { createTenant, renameTenant, setTenantDisabled } from "../../../src/tenancy/tenants.ts";
import { systemRandomFill } from "../../../src/kernel/ids.ts";
import { type Kysely, sql } from "kysely";
import type { Database } from "../../../src/storage/schema.ts";
import type { Store } from "../../../src/storage/storage.ts";
import type { TenancyDeps } from "../../../src/tenancy/tenancy.ts";
import { insertAllowance } from "../../contract/bank-samples.ts";
import { clock, ids } from "../../contract/engines.ts";
import { eventually } from "../../support/eventually.ts";
import { openTestPostgres, postgresMissing } from "../../support/postgres.ts";
import { createKey, openScene } from "./scene.ts";
import { COST, drawAll, readBooks, serve, serveMany } from "./traffic.ts";

const tables = ["tenants", "projects", "api_keys", "allowances", "allowance_overrides"] as const;

test("a machine knows what another one changed, and its own changes at once", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using one = await scene.openMachine("one");
  await using two = await scene.openMachine("two");
  const { hash } = await createKey(one);
  assert.notEqual(one.keys.find(hash), null);
  await eventually("the other machine finds the key", () => two.keys.find(hash) !== null);
  const before = two.keys.generation();
  await setTenantDisabled(depsOf(one.db), "default", true);
  assert.notEqual(one.keys.find(hash)?.tenantDisabledAtMs, null);
  await eventually("the other machine knows that it is disabled", () => two.keys.generation() > before);
  assert.notEqual(two.keys.find(hash)?.tenantDisabledAtMs, null);
});

test("names may move from one row to another between two copies", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using store = await scene.openMachine("one");
  const elsewhere = depsOf(scene.db);
  await createTenant(elsewhere, "a");
  await createTenant(elsewhere, "b");
  await createProject(elsewhere, "a", "shared");
  await eventually("they are copied", async () => (await isCopied(scene.db, store)) || null);
  scene.proxy.leave();
  for (const [from, to] of [
    ["a", "c"],
    ["b", "a"],
    ["c", "b"],
  ] as const)
    await renameTenant(elsewhere, from, to);
  scene.proxy.comeBack();
  await eventually("the new names are copied", () => isCopied(scene.db, store));
});

test("a backup that was restored, older than the copy, is copied whole", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using store = await scene.openMachine("one");
  const { hash } = await createKey(store);
  await scene.db.deleteFrom("api_keys").execute();
  await scene.db.updateTable("control_version").set({ generation: 1 }).execute();
  await eventually("the key is unknown again", () => store.keys.find(hash) === null);
  assert.ok(await isCopied(scene.db, store));
});

test("a restored backup of the very generation of the copy is noticed at the next start", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  {
    await using store = await scene.openMachine("one");
    await createKey(store);
  }
  await scene.db.deleteFrom("api_keys").execute();
  await using store = await scene.openMachine("one");
  assert.ok(await isCopied(scene.db, store));
});

test("columns that a newer program has added are left out of the copy", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using store = await scene.openMachine("one");
  await sql`alter table tenants add column colour text not null default 'blue'`.execute(scene.db);
  const { hash } = await createKey(store);
  assert.notEqual(store.keys.find(hash), null);
});

test("a data directory is not used with another database than its own", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using other = await openTestPostgres("bare");
  await (await scene.openMachine("one"))[Symbol.asyncDispose]();
  await assert.rejects(scene.openMachine("one", { postgres: { url: other.url } }), {
    code: "storage_unusable",
    message: /journal\.db belongs to another database .*may hold records that are not delivered/,
  });
});

test("what an owner has left is free only after everything that its process closed is delivered", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  const store = await scene.openMachine("one");
  const { ownerId, accountId } = await drawFrom(store, scene.db);
  await serve(store, { ownerId, accountId });
  scene.proxy.leave();
  await assert.rejects(store.bank.finish([ownerId]), { code: "storage_unavailable" });
  scene.proxy.comeBack();
  await store.bank.finish([ownerId]);
  assert.deepEqual(await standing(scene.db), { spent: COST, granted: 0n });
  await store[Symbol.asyncDispose]();
});

test("a process that ends in order finishes its owners; one that could not is finished by the next on its machine", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  const first = await scene.openMachine("one");
  const grant = await drawFrom(first, scene.db);
  await serveMany(first, 3, grant);
  scene.proxy.leave();
  await first[Symbol.asyncDispose]();
  assert.equal((await standing(scene.db)).granted, 1000n);

  scene.proxy.comeBack();
  const second = await scene.openMachine("one");
  await second.delivered();
  assert.deepEqual(await standing(scene.db), { spent: 3n * COST, granted: 0n });
  await second.bank.register("own_second", second.instanceId, 30_000);
  await second[Symbol.asyncDispose]();
  const open = await scene.db.selectFrom("allowance_owners").where("fenced", "=", 0).select("owner_id").execute();
  assert.deepEqual(open, []);
});

test("two processes of one machine share its file, and each delivers its own", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using one = await scene.openMachine("one");
  await using two = await scene.openMachine("one");
  const grant = await drawAll(scene.db, one.instanceId);
  await Promise.all([serveMany(one, 100, grant), serveMany(two, 100, grant)]);
  await Promise.all([one.delivered(), two.delivered()]);
  const { requests, attempts, spent } = await readBooks(scene.db);
  assert.deepEqual({ requests, attempts, spent }, { requests: 200, attempts: 200, spent: 200n * COST });
});

function depsOf(db: Kysely<Database>): TenancyDeps {
  return { db, clock, ids, randomFill: systemRandomFill };
}

/** Draws 1000 from a new budget for an owner that the process has registered. */
async function drawFrom(store: Store, db: Kysely<Database>): Promise<{ ownerId: string; accountId: string }> {
  const tenant = { id: "ten_1", generation: 1, name: "acme", created_at_ms: 1, disabled_at_ms: null };
  await db.insertInto("tenants").values(tenant).execute();
  const account = await insertAllowance(db, "alw_1", { limit_amount: 100_000n });
  const ownerId = ids.next("own");
  await store.bank.register(ownerId, store.instanceId, 30_000);
  await store.bank.draw(ownerId, [{ account, sequence: 1, need: 1000n, want: 1000n, refusals: 0 }]);
  return { ownerId, accountId: account.accountId };
}

async function standing(db: Kysely<Database>): Promise<{ spent: bigint; granted: bigint }> {
  const { spent, granted } = await readBooks(db);
  return { spent, granted };
}

async function isCopied(db: Kysely<Database>, store: Store): Promise<boolean> {
  for (const table of tables) {
    const [there, here] = await Promise.all(
      [db, store.journalDb].map((each) => each.selectFrom(table).selectAll().orderBy("id").execute()),
    );
    if (JSON.stringify(there, showBigint) !== JSON.stringify(here, showBigint)) return false;
  }
  return true;
}

function showBigint(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}
