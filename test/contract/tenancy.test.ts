import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Kysely } from "kysely";
import { systemRandomFill } from "../../src/kernel/ids.ts";
import type { Database } from "../../src/storage/schema.ts";
import { createFirstKey } from "../../src/tenancy/first-key.ts";
import { createKey, findKey, findKeyInForce, listKeys, revokeKey, rotateKey } from "../../src/tenancy/keys.ts";
import {
  createProject,
  findProject,
  listProjects,
  renameProject,
  setProjectDisabled,
} from "../../src/tenancy/projects.ts";
import type { TenancyDeps } from "../../src/tenancy/tenancy.ts";
import { createTenant, findTenant, listTenants, renameTenant, setTenantDisabled } from "../../src/tenancy/tenants.ts";
import { clock, engines, ids } from "./engines.ts";
import type { Place } from "./engines.ts";

for (const engine of engines) {
  describe(`tenancy on ${engine.name}`, () => {
    test("tenants and projects are found by name and by id, and listed by name", async () => {
      await using place = await engine.createPlace();
      await using deps = open(place);
      const zebra = await createTenant(deps, "zebra");
      const acme = await createTenant(deps, "acme");
      const search = await createProject(deps, "acme", "search");
      await createProject(deps, "zebra", "search");
      assert.deepEqual(await listTenants(deps.db), [acme, zebra]);
      assert.deepEqual(await findTenant(deps.db, acme.id), acme);
      assert.deepEqual(await listProjects(deps.db, acme.id), [search]);
      assert.equal((await listProjects(deps.db, null)).length, 2);
      assert.deepEqual(await findProject(deps.db, { tenant: "acme", project: search.id }), search);
    });

    test("a taken name, a bad name and an unknown name are refused, each with its code", async () => {
      await using place = await engine.createPlace();
      await using deps = open(place);
      await createTenant(deps, "acme");
      await createTenant(deps, "other");
      await createProject(deps, "acme", "search");
      await assert.rejects(createTenant(deps, "acme"), { code: "already_exists" });
      await assert.rejects(createProject(deps, "acme", "search"), { code: "already_exists" });
      await assert.rejects(renameTenant(deps, "other", "acme"), { code: "already_exists" });
      await assert.rejects(createProject(deps, "nobody", "search"), { code: "not_found" });
      await assert.rejects(findProject(deps.db, { tenant: "other", project: "search" }), { code: "not_found" });
      await assert.rejects(findKey(deps.db, "key_nothing"), { code: "not_found" });
      for (const name of ["", "two words", "-flag", "ten_1", "x".repeat(64)]) {
        assert.throws(() => createTenant(deps, name), { code: "invalid_argument", param: "name" });
      }
    });

    test("renaming and disabling keep the identity, and renaming to the same name is no conflict", async () => {
      await using place = await engine.createPlace();
      await using deps = open(place);
      const tenant = await createTenant(deps, "acme");
      const project = await createProject(deps, "acme", "search");
      await renameTenant(deps, "acme", "acme");
      await renameTenant(deps, "acme", "acme-2");
      await renameProject(deps, { tenant: "acme-2", project: "search" }, "find");
      const disabled = await setTenantDisabled(deps, "acme-2", true);
      assert.equal(disabled.id, tenant.id);
      assert.ok(disabled.disabledAtMs !== null);
      assert.deepEqual(await setTenantDisabled(deps, "acme-2", true), disabled);
      assert.equal((await setTenantDisabled(deps, "acme-2", false)).disabledAtMs, null);
      assert.equal((await setProjectDisabled(deps, { tenant: "acme-2", project: "find" }, true)).id, project.id);
    });

    test("the plain key is nowhere in the store; its prefix identifies it", async () => {
      await using place = await engine.createPlace();
      await using deps = open(place);
      const created = await createFirstKey(deps);
      assert.ok(created !== null);
      const row = await deps.db.selectFrom("api_keys").selectAll().executeTakeFirstOrThrow();
      assert.ok(!JSON.stringify(row).includes(created.plainKey));
      assert.ok(created.plainKey.startsWith(created.key.prefix));
      assert.deepEqual(await findKey(deps.db, created.key.prefix), created.key);
    });

    test("the first key is made once, whoever asks", async () => {
      await using place = await engine.createPlace();
      await using deps = open(place);
      await using other = open(place);
      const made = await Promise.all([createFirstKey(deps), createFirstKey(other), createFirstKey(deps)]);
      assert.equal(made.filter((each) => each !== null).length, 1);
      assert.equal((await listKeys(deps.db, { tenant: "default", project: "default" })).length, 1);
    });

    test("a key keeps expiry, models and metadata through rotation; the old one ends", async () => {
      await using place = await engine.createPlace();
      await using deps = open(place);
      await createFirstKey(deps);
      const expiresAtMs = clock.wallMs() + 1_000_000;
      const options = { name: "ci", expiresAtMs, modelAllowList: ["gpt-*", "claude-*"], metadata: { owner: "anna" } };
      const old = await createKey(deps, { tenant: "default", project: "default" }, options);
      const next = await rotateKey(deps, "ci", 0);
      assert.deepEqual(
        { ...next.key, id: "", prefix: "", createdAtMs: 0 },
        { ...old.key, id: "", prefix: "", createdAtMs: 0 },
      );
      assert.notEqual(next.plainKey, old.plainKey);
      assert.ok((await findKey(deps.db, old.key.id)).revokedAtMs !== null);
      await assert.rejects(rotateKey(deps, old.key.id, 0), { code: "invalid_argument" });
      await assert.rejects(findKey(deps.db, "ci"), { code: "invalid_argument", message: /More than one/ });
      const nowMs = deps.clock.wallMs();
      assert.notEqual((await findKeyInForce(deps.db, "ci", nowMs)).id, old.key.id);
      assert.equal(
        (await findKeyInForce(deps.db, old.key.id, nowMs)).id,
        old.key.id,
        "an id means its key, whatever became of it",
      );
    });

    test("an overlap never makes an old key live longer than it would have", async () => {
      await using place = await engine.createPlace();
      await using deps = open(place);
      await createFirstKey(deps);
      const expiresAtMs = clock.wallMs() + 60_000;
      const old = await createKey(deps, { tenant: "default", project: "default" }, { name: "short", expiresAtMs });
      await rotateKey(deps, old.key.id, 3_600_000);
      assert.equal((await findKey(deps.db, old.key.id)).expiresAtMs, expiresAtMs);
    });

    test("a key that could never be used is refused", async () => {
      await using place = await engine.createPlace();
      await using deps = open(place);
      await createFirstKey(deps);
      const project = { tenant: "default", project: "default" };
      assert.throws(() => createKey(deps, project, { name: "k", expiresAtMs: 1 }), {
        code: "invalid_argument",
        param: "expires",
      });
      assert.throws(() => createKey(deps, project, { name: "k", modelAllowList: [] }), {
        code: "invalid_argument",
        param: "models",
      });
    });

    test("each change raises the control version, and one that fails does not", async () => {
      await using place = await engine.createPlace();
      await using deps = open(place);
      const before = await generation(deps.db);
      const created = await createFirstKey(deps);
      assert.ok(created !== null);
      await revokeKey(deps, created.key.id);
      await createProject(deps, "default", "second");
      await assert.rejects(createProject(deps, "default", "second"), { code: "already_exists" });
      assert.equal(await generation(deps.db), before + 3);
    });

    test("every row says which change wrote it last", async () => {
      await using place = await engine.createPlace();
      await using deps = open(place);
      const search = { tenant: "default", project: "search" };
      const changes: readonly [change: () => Promise<unknown>, rows: readonly string[]][] = [
        [() => createFirstKey(deps), ["tenants default", "projects default", "api_keys default"]],
        [() => createTenant(deps, "acme"), ["tenants acme"]],
        [() => renameTenant(deps, "acme", "acme-2"), ["tenants acme-2"]],
        [() => setTenantDisabled(deps, "acme-2", true), ["tenants acme-2"]],
        [() => createProject(deps, "default", "find"), ["projects find"]],
        [() => renameProject(deps, { tenant: "default", project: "find" }, "search"), ["projects search"]],
        [() => setProjectDisabled(deps, search, true), ["projects search"]],
        [() => createKey(deps, search, { name: "ci" }), ["api_keys ci"]],
        [() => rotateKey(deps, "ci", 1000), ["api_keys ci", "api_keys ci"]],
        [() => revokeKey(deps, "default"), ["api_keys default"]],
      ];
      for (const [change, rows] of changes) {
        await change();
        assert.deepEqual(await writtenBy(deps.db, await generation(deps.db)), rows);
      }
    });
  });
}

function open(place: Place): TenancyDeps & AsyncDisposable {
  const db = place.openDatabase();
  return { db, clock, ids, randomFill: systemRandomFill, [Symbol.asyncDispose]: () => db.destroy() };
}

async function generation(db: Kysely<Database>): Promise<number> {
  return (await db.selectFrom("control_version").select("generation").executeTakeFirstOrThrow()).generation;
}

/** Names of the rows that a change wrote, each with its table. */
async function writtenBy(db: Kysely<Database>, change: number): Promise<readonly string[]> {
  const written: string[] = [];
  for (const table of ["tenants", "projects", "api_keys"] as const) {
    const rows = await db.selectFrom(table).select("name").where("generation", "=", change).execute();
    written.push(...rows.map(({ name }) => `${table} ${name}`));
  }
  return written;
}
