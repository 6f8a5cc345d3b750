/** Reads allowances on the event loop by a prepared statement. */
import type { DatabaseSync } from "node:sqlite";
import type { Kysely } from "kysely";
import type { AllowanceReader } from "../allowance-reader.ts";
import type { Database } from "../schema.ts";
import { reading } from "./failures.ts";
import type { GenerationWatch } from "./generation.ts";
import { narrowIntegers, type OutOfRange } from "./integers.ts";

export function createSqliteAllowanceReader(
  connection: DatabaseSync,
  db: Kysely<Database>,
  watch: GenerationWatch,
  outOfRange: OutOfRange,
): AllowanceReader {
  const query = db
    .selectFrom("allowances")
    .selectAll()
    .where("tenant_id", "=", "")
    .where("disabled_at_ms", "is", null)
    .orderBy("id");
  const select = connection.prepare(query.compile().sql, { readBigInts: true });
  return {
    generation: () => watch.generation(),
    ofTenant: (tenantId) =>
      reading(() => {
        const rows = select.all(tenantId).map((row) => narrowIntegers(row, outOfRange));
        return rows as unknown as readonly Database["allowances"][];
      }),
  };
}
