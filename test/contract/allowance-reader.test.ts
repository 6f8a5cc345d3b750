import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Kysely } from "kysely";
import { systemRandomFill } from "../../src/kernel/ids.ts";
import type { AllowanceReader } from "../../src/storage/allowance-reader.ts";
import { changeControl } from "../../src/storage/control-version.ts";
import type { Database } from "../../src/storage/schema.ts";
import { createTenant } from "../../src/tenancy/tenants.ts";
import { eventually } from "../support/eventually.ts";
import { sampleAllowance } from "./bank-samples.ts";
import { clock, engines, ids } from "./engines.ts";

for (const engine of engines) {
  describe(`reader of allowances on ${engine.name}`, () => {
    test("finds a tenant's own that are in force, in the order of their ids, with every digit", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const [mine, other] = [await makeTenant(store.db, "acme"), await makeTenant(store.db, "other")];
      const rows = [
        sampleAllowance("alw_2", { tenant_id: mine, limit_amount: 2n ** 63n - 1n, burst_amount: 2n ** 53n + 1n }),
        sampleAllowance("alw_1", { tenant_id: mine, models: '["gpt-*"]', alert_percents: "[80,100]" }),
        sampleAllowance("alw_3", { tenant_id: mine, disabled_at_ms: 1 }),
        sampleAllowance("alw_4", { tenant_id: other }),
      ];
      const written = await writeAllowances(store.db, rows);
      const found = store.allowances.ofTenant(mine);
      assert.deepEqual(
        found.map((row) => ({ ...row })),
        [written[1], written[0]],
      );
      assert.deepEqual(store.allowances.ofTenant("ten_nobody"), []);
    });

    test("its generation rises with a change by this process at once, and is that of keys", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const tenant = await makeTenant(store.db, "acme");
      const before = store.allowances.generation();
      await writeAllowances(store.db, [sampleAllowance("alw_1", { tenant_id: tenant })]);
      assert.ok(store.allowances.generation() > before);
      assert.equal(store.keys.generation(), store.allowances.generation());
      await changeControl(store.db, (db, generation) =>
        db.updateTable("allowances").set({ disabled_at_ms: 1, generation }).execute(),
      );
      assert.deepEqual(idsOf(store.allowances, tenant), []);
    });

    test("a change by another process is seen", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const tenant = await makeTenant(store.db, "acme");
      const before = store.allowances.generation();
      const command = place.openDatabase();
      await writeAllowances(command, [sampleAllowance("alw_1", { tenant_id: tenant })]);
      await command.destroy();
      await eventually("the generation rises", () => store.allowances.generation() > before);
      assert.deepEqual(idsOf(store.allowances, tenant), ["alw_1"]);
    });
  });
}

async function makeTenant(db: Kysely<Database>, name: string): Promise<string> {
  const { id } = await createTenant({ db, clock, ids, randomFill: systemRandomFill }, name);
  return id;
}

/** Returns the rows as they were written. */
function writeAllowances(
  db: Kysely<Database>,
  rows: readonly Database["allowances"][],
): Promise<readonly Database["allowances"][]> {
  return changeControl(db, async (transaction, generation) => {
    const written = rows.map((row) => ({ ...row, generation }));
    await transaction.insertInto("allowances").values(written).execute();
    return written;
  });
}

function idsOf(reader: AllowanceReader, tenantId: string): readonly string[] {
  return reader.ofTenant(tenantId).map(({ id }) => id);
}
