/**
 * Kept answers on SQLite: a file of their own beside the store. They are large and can be lost without harm to the
 * books, so they share neither the write lock nor the log of the journal. The file is opened by the first use: a gateway
 * whose callers send no `Idempotency-Key` and which caches nothing never makes it.
 *
 * What requests wait for is written by group commit and read by prepared statements; the rest, as on any engine, by
 * `sql-answers.ts`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { sql } from "kysely";
import { HeadgateError } from "../../kernel/errors.ts";
import { isBusy, storageUnavailable } from "../sqlite/failures.ts";
import { type AnswerStore, type CachedAnswer, sizeOfCached } from "./answers.ts";
import type { AnswerStatements } from "./file/answer-statements.ts";
import { openFile, type OpenFile, type OpenFileOptions } from "./file/open-file.ts";
import { createSqlAnswers } from "./sql-answers.ts";

export interface AnswersFileOptions extends OpenFileOptions {
  readonly dataDir: string;
}

export interface AnswersFile extends AsyncDisposable {
  readonly answers: AnswerStore;
}

/** Opens nothing yet. */
export function createAnswersFile(options: AnswersFileOptions): AnswersFile {
  const { dataDir, clock, instanceId } = options;
  const file = join(dataDir, "answers.db");
  let opening: Promise<OpenFile> | null = null;
  let opened: OpenFile | null = null;

  async function openOnce(): Promise<OpenFile> {
    opening ??= openFile(file, options);
    try {
      return (opened = await opening);
    } catch (error) {
      opening = null;
      throw storageUnavailableOr(error);
    }
  }

  const seldom = createSqlAnswers({
    db: async () => (await openOnce()).db,
    instanceId,
    now: () => sql<number>`${clock.wallMs()}`,
    unavailable: storageUnavailable,
  });
  const writeTo = <Result>({ commits, statements }: OpenFile, act: (to: AnswerStatements) => Result, bytes: number) =>
    commits.write(() => act(statements), bytes);
  const write = <Result>(act: (to: AnswerStatements) => Result, bytes = 0): Promise<Result> =>
    opened === null ? openOnce().then((file) => writeTo(file, act, bytes)) : writeTo(opened, act, bytes);
  const isThere = (): boolean => opening !== null || existsSync(file);
  return {
    answers: {
      claim: (request) => write((to) => to.claim(request, clock.wallMs())),
      keep: (claim, answer, retentionMs) =>
        write((to) => to.keep(claim, answer, clock.wallMs() + retentionMs), answer?.body.byteLength ?? 0),
      release: (claim) => write((to) => to.release(claim)),
      cache: (cached, meaning = null) => write((to) => to.cache(cached, meaning), sizeOfCached(cached, meaning)),
      findCached(cacheKey) {
        if (opened === null) return openOnce().then(({ statements }) => find(statements, cacheKey, clock.wallMs()));
        return find(opened.statements, cacheKey, clock.wallMs());
      },
      renew: (claimIds, leaseMs) => seldom.renew(claimIds, leaseMs),
      findMeanings: async (query) => (isThere() ? seldom.findMeanings(query) : []),
      sumCached: async () => (isThere() ? seldom.sumCached() : []),
      dropCached: async (scope) => (isThere() ? seldom.dropCached(scope) : 0),
      sweep: async (cachedBytesMax) => (isThere() ? seldom.sweep(cachedBytesMax) : undefined),
    },
    async [Symbol.asyncDispose]() {
      await (await opening?.catch(() => null))?.[Symbol.asyncDispose]();
    },
  };
}

/** While another process has the file for itself, nothing is found. */
function find(statements: AnswerStatements, cacheKey: string, nowMs: number): CachedAnswer | null {
  try {
    return statements.find(cacheKey, nowMs);
  } catch (error) {
    if (isBusy(error)) return null;
    throw storageUnavailable(error);
  }
}

function storageUnavailableOr(error: unknown): unknown {
  return error instanceof HeadgateError ? error : storageUnavailable(error);
}
