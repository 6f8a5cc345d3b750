/**
 * Notices changes to the control tables, by `PRAGMA data_version`, which moves when another connection, of this process or
 * another, commits. It is asked once per turn of the event loop, however many readers ask; only when it moved is the
 * control version read. `recheck` makes the next question a real one within the same turn.
 *
 * Invariant: the connection must not be the one that changes control tables, whose own commits its data version does
 * not show.
 */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Kysely } from "kysely";
import type { Database } from "../schema.ts";
import { reading } from "./failures.ts";

export interface GenerationWatch {
  /** Of the control tables. Throws `storage_unavailable`. */
  generation(): number;
  /** To be called when this process has changed something through another connection. */
  recheck(): void;
}

export function watchGeneration(connection: DatabaseSync, db: Kysely<Database>): GenerationWatch {
  const readDataVersion = connection.prepare("PRAGMA data_version");
  const readGeneration = connection.prepare(db.selectFrom("control_version").select("generation").compile().sql);
  let dataVersion: SQLOutputValue | undefined;
  let generation = 0;
  let checkedThisTurn = false;
  const endTurn = (): void => {
    checkedThisTurn = false;
  };
  const check = (): number => {
    const current = readDataVersion.get()?.["data_version"];
    if (current !== dataVersion) {
      generation = Number(readGeneration.get()?.["generation"]);
      dataVersion = current;
    }
    checkedThisTurn = true;
    setImmediate(endTurn);
    return generation;
  };
  return { generation: () => (checkedThisTurn ? generation : reading(check)), recheck: endTurn };
}
