/** The synchronous view of allowances that admission needs on the request path. */
import type { Database } from "./schema.ts";

export interface AllowanceReader {
  /** Rises when allowances may have changed, in whatever process. The same number as `KeyReader.generation`. */
  generation(): number;
  /** Of a tenant, those in force, in the order of their ids. Throws `storage_unavailable`. */
  ofTenant(tenantId: string): readonly Database["allowances"][];
}
