/** Looks a store over without changing it: for a person who asks what is wrong. */
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { takeInstanceLock } from "./instance-lock.ts";
import { schemaVersion } from "./migrations.ts";
import { storeFile } from "./store-file.ts";

export interface StoreInspection {
  readonly file: string;
  readonly fileBytes: number;
  /** Of the write-ahead log. */
  readonly logBytes: number;
  /** Of the file, and the one that this program writes. */
  readonly version: number;
  readonly versionOfProgram: number;
  /** What SQLite's quick check complains of; empty if nothing. https://www.sqlite.org/pragma.html#pragma_quick_check */
  readonly damage: readonly string[];
  /** Calls that dead processes left unsettled. */
  readonly abandonedHolds: number;
  readonly livingProcesses: number;
}

/** Default: the file that is a whole store. */
export interface InspectedFile {
  readonly file: string;
  readonly versionOfProgram: number;
}

/** Throws what SQLite throws if the file is not a database or cannot be read. */
export function inspectStore(
  dataDir: string,
  { file, versionOfProgram }: InspectedFile = { file: storeFile(dataDir), versionOfProgram: schemaVersion },
): StoreInspection {
  using connection = new DatabaseSync(file, { readOnly: true, timeout: 1000 });
  const version = Number(connection.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  const found = connection.prepare("PRAGMA quick_check").all();
  const damage = found.map((row) => String(row["quick_check"])).filter((line) => line !== "ok");
  const readable = version === versionOfProgram && damage.length === 0;
  const processes = readable ? countProcesses(connection, dataDir) : { abandonedHolds: 0, livingProcesses: 0 };
  const sizes = { fileBytes: sizeOf(file), logBytes: sizeOf(`${file}-wal`) };
  return { file, ...sizes, version, versionOfProgram, damage, ...processes };
}

function countProcesses(
  connection: DatabaseSync,
  dataDir: string,
): Pick<StoreInspection, "abandonedHolds" | "livingProcesses"> {
  const holds = connection.prepare("SELECT count(*) AS holds FROM holds WHERE instance_id = ?");
  let abandonedHolds = 0;
  let livingProcesses = 0;
  for (const { id } of connection.prepare("SELECT id FROM instances").all()) {
    const lock = takeInstanceLock(dataDir, String(id));
    if (lock === null) {
      livingProcesses++;
      continue;
    }
    lock.release();
    abandonedHolds += Number(holds.get(String(id))?.["holds"] ?? 0);
  }
  return { abandonedHolds, livingProcesses };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
