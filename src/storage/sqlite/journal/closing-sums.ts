/**
 * What the closings of one transaction change beside their own rows: usage by hour, and what they take from allowances.
 * Many closings fall on few sums, so each of them costs little.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Kysely } from "kysely";
import type { Database } from "../../schema.ts";
import { addUsageHours, bindUsageHour, placeholderHour, UsageHours } from "../../usage-hours.ts";
import { MoveSums } from "./move-sums.ts";
import type { ClosingEffects } from "./statements.ts";

/** `nowMs`: when the moves are made, ms since the epoch. */
export function createClosingSums(connection: DatabaseSync, db: Kysely<Database>, nowMs: () => number): ClosingEffects {
  const addHour = connection.prepare(addUsageHours(db, [placeholderHour]).compile().sql);
  const hours = new UsageHours();
  const moved = new MoveSums(connection, db);
  return {
    add(_record, entries, moves) {
      const last = entries.length - 1;
      for (let index = 0; index <= last; index++) {
        const entry = entries[index];
        if (entry !== undefined) hours.addCharge(entry, index === last);
      }
      moved.add(moves);
    },
    flush() {
      for (const row of hours.rows()) addHour.run(...bindUsageHour(row));
      hours.clear();
      moved.flush(nowMs());
    },
    discard() {
      hours.clear();
      moved.clear();
    },
  };
}
