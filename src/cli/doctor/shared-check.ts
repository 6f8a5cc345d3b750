/** Checks of a store on PostgreSQL: the database that gateways share, and what this machine has of its own. */
import type { Clock } from "../../kernel/clock.ts";
import { inspectJournal, inspectOutbox, inspectSharedDatabase } from "../../storage/postgres/inspection.ts";
import { localFileExists } from "../../storage/postgres/local-tables.ts";
import { fail, type Finding, ok, reasonOf, warn } from "./finding.ts";
import { checkFile } from "./store-check.ts";

/** Above this a machine is not keeping up, or the database was away for long. */
const UNDELIVERED_WARN = 10_000;

export async function checkSharedDatabase(url: string, clock: Clock): Promise<Finding> {
  const check = "database";
  const startedMs = clock.monotonicMs();
  try {
    const { serverVersion, address, readOnly, version, versionOfProgram } = await inspectSharedDatabase(url);
    const answers = `PostgreSQL ${serverVersion} at ${address} answers in ${Math.round(clock.monotonicMs() - startedMs)} ms`;
    if (readOnly) {
      const advice = "Let `storage.postgres` name the primary.";
      return fail(check, `${answers}, but it is a standby, which cannot be written`, advice);
    }
    if (version > versionOfProgram) {
      const message = `${answers}; its tables are of a newer program (schema ${version}, this one knows ${versionOfProgram})`;
      return fail(check, message, "Run the newer program, or restore a backup made before the upgrade.");
    }
    const tables = version === 0 ? "no tables yet; the first start makes them" : `schema ${version}`;
    return ok(check, `${answers}, ${tables}`);
  } catch (error) {
    const advice = "Start it, or correct `storage.postgres`. Gateways that run go on from what they have.";
    return fail(check, `cannot be used: ${reasonOf(error)}`, advice);
  }
}

export function checkJournal(dataDir: string): readonly Finding[] {
  const check = "journal";
  if (!localFileExists(dataDir)) return [ok(check, "not there yet; the first start makes it")];
  const findings = checkFile(check, () => inspectJournal(dataDir));
  if (findings.some(({ level }) => level === "fail")) return findings;
  const { undelivered, refused } = inspectOutbox(dataDir);
  return [...findings, ...checkUndelivered(check, undelivered), ...checkRefused(check, refused)];
}

function checkUndelivered(check: string, undelivered: number): readonly Finding[] {
  if (undelivered < UNDELIVERED_WARN) return [];
  const message = `${undelivered} records wait to be delivered to the database`;
  return [warn(check, message, "A running gateway delivers them as soon as the database takes them; else start one.")];
}

function checkRefused(check: string, refused: number): readonly Finding[] {
  if (refused === 0) return [];
  const message = `${refused} records were refused by the database and are kept here`;
  return [
    warn(check, message, "Look for `delivery failed` in the log, and report it: a record should never be refused."),
  ];
}
