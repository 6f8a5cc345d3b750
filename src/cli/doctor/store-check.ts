import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { inspectStore, type StoreInspection } from "../../storage/sqlite/inspection.ts";
import { storeExists } from "../../storage/sqlite/store-file.ts";
import { fail, type Finding, ok, reasonOf, warn } from "./finding.ts";

/** Above this the log has outgrown what checkpoints keep it to (64 MiB) by so much that something holds them up. */
const LOG_BYTES_WARN = 256 * 1024 * 1024;
const MIB = 1024 * 1024;

export function checkDataFolder(dataDir: string): Finding {
  const check = "data folder";
  if (!existsSync(dataDir)) return checkMissingFolder(check, dataDir);
  const stats = statSync(dataDir);
  if (!stats.isDirectory()) return fail(check, `${dataDir} is not a folder`, "Name a folder with --data-dir.");
  if (!isWritable(dataDir)) {
    return fail(
      check,
      `${dataDir} cannot be written`,
      "Give it to the user that runs Headgate, or choose another with --data-dir.",
    );
  }
  if ((stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8);
    return warn(check, `${dataDir} can be entered by other users (mode ${mode})`, `Close it: chmod 700 ${dataDir}`);
  }
  return ok(check, `${dataDir} is there, writable and private`);
}

export function checkStore(dataDir: string): readonly Finding[] {
  const check = "store";
  if (!storeExists(dataDir)) return [ok(check, "not there yet; the first start makes it")];
  return checkFile(check, () => inspectStore(dataDir));
}

/** A file that is there, whatever it holds. */
export function checkFile(check: string, inspect: () => StoreInspection): readonly Finding[] {
  try {
    const { damage, version, versionOfProgram, ...rest } = inspect();
    if (version > versionOfProgram) {
      const message = `written by a newer program (schema ${version}, this one knows ${versionOfProgram})`;
      return [fail(check, message, "Run the newer program, or restore a backup made before the upgrade.")];
    }
    if (damage.length > 0) {
      const message = `damaged: ${damage.slice(0, 3).join("; ")}`;
      return [fail(check, message, "Stop the gateway, keep a copy of the folder, and restore a backup.")];
    }
    const size = `${(rest.fileBytes / MIB).toFixed(1)} MiB, schema ${version}`;
    const processes = rest.livingProcesses === 1 ? "one gateway runs" : `${rest.livingProcesses} gateways run`;
    return [
      ok(check, `${size}, sound; ${processes} on it`),
      ...checkLog(check, rest.logBytes),
      ...checkHolds(check, rest.abandonedHolds),
    ];
  } catch (error) {
    const advice =
      "Check that the disk is local and has space, and that the file is Headgate's; else restore a backup.";
    return [fail(check, `cannot be read: ${reasonOf(error)}`, advice)];
  }
}

function checkLog(check: string, logBytes: number): readonly Finding[] {
  if (logBytes < LOG_BYTES_WARN) return [];
  const message = `the write-ahead log has grown to ${Math.round(logBytes / MIB)} MiB`;
  return [warn(check, message, "Look for a program that keeps the store open for reading, and end it.")];
}

function checkHolds(check: string, holds: number): readonly Finding[] {
  if (holds === 0) return [];
  const message = `${holds} calls of a process that died are not settled`;
  return [warn(check, message, "A running gateway settles them within a minute; else start one.")];
}

function checkMissingFolder(check: string, dataDir: string): Finding {
  let parent = dirname(dataDir);
  while (!existsSync(parent)) parent = dirname(parent);
  return isWritable(parent)
    ? ok(check, `${dataDir} is not there yet; the first start makes it`)
    : fail(
        check,
        `${dataDir} is not there and ${parent} cannot be written`,
        "Make the folder, or choose another with --data-dir.",
      );
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
