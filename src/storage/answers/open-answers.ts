/** Kept answers for a command, which reads or drops some and leaves. */
import type { Clock } from "../../kernel/clock.ts";
import { storageUnavailable } from "../postgres/failures.ts";
import { openPostgresDatabase, serverTime } from "../postgres/shared-database.ts";
import type { DatabaseOptions } from "../storage.ts";
import { type AnswersFile, createAnswersFile } from "./answers-file.ts";
import type { AnswerTables } from "./answer-tables.ts";
import { createSqlAnswers } from "./sql-answers.ts";

/** It claims no keys and ends nobody's claims. */
const COMMAND = "command";

/** Opens with the first question, which rejects with `storage_unusable` where that cannot be. */
export function openAnswers({ dataDir, postgres }: DatabaseOptions, clock: Clock): AnswersFile {
  if (postgres === undefined) return createAnswersFile({ dataDir, clock, instanceId: COMMAND, instances: null });
  const db = openPostgresDatabase(postgres);
  const answers = createSqlAnswers({
    db: async () => db.withTables<AnswerTables>(),
    instanceId: COMMAND,
    now: serverTime,
    unavailable: storageUnavailable,
  });
  return { answers, [Symbol.asyncDispose]: () => db.destroy() };
}
