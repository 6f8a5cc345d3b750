import type { Kysely } from "kysely";
import type { Database } from "../../../storage/schema.ts";

/** Names for the ids that stand in records; an id that is not known is its own name. */
export interface Names {
  tenant(id: string): string;
  project(id: string): string;
  key(id: string): string;
}

export async function readNames(db: Kysely<Database>): Promise<Names> {
  const read = async (table: "tenants" | "projects" | "api_keys"): Promise<(id: string) => string> => {
    const rows = await db.selectFrom(table).select(["id", "name"]).execute();
    const names = new Map(rows.map(({ id, name }) => [id, name]));
    return (id) => names.get(id) ?? id;
  };
  return { tenant: await read("tenants"), project: await read("projects"), key: await read("api_keys") };
}
