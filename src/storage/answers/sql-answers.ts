/** Kept answers on a SQL database, the same on every engine; on SQLite only what is seldom asked is. */
import type { Kysely, RawBuilder } from "kysely";
import { HeadgateError } from "../../kernel/errors.ts";
import type { AnswerStore } from "./answers.ts";
import type { AnswerTables } from "./answer-tables.ts";
import { createSqlCached } from "./sql-cached.ts";
import { createSqlKeys } from "./sql-keys.ts";

export interface SqlAnswersDeps {
  /** Opened by the first use. */
  readonly db: () => Promise<Kysely<AnswerTables>>;
  /** Whose claims are made. */
  readonly instanceId: string;
  /** One clock for all processes of one database: whole ms since the epoch, as an expression of the engine. */
  readonly now: () => RawBuilder<number>;
  /** What it means to a caller that the database threw. */
  readonly unavailable: (error: unknown) => HeadgateError;
}

export function createSqlAnswers(deps: SqlAnswersDeps): AnswerStore {
  const keys = createSqlKeys(deps);
  const cached = createSqlCached(deps);
  const told = <Given extends readonly unknown[], Result>(act: (...given: Given) => Promise<Result>) => {
    return async (...given: Given): Promise<Result> => {
      try {
        return await act(...given);
      } catch (error) {
        throw error instanceof HeadgateError ? error : deps.unavailable(error);
      }
    };
  };
  return {
    claim: told(keys.claim),
    renew: told(keys.renew),
    keep: told(keys.keep),
    release: told(keys.release),
    findCached: told(cached.findCached),
    cache: told(cached.cache),
    findMeanings: told(cached.findMeanings),
    dropCached: told(cached.dropCached),
    sumCached: told(cached.sumCached),
    sweep: told(cached.sweep),
  };
}
