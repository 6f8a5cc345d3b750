/**
 * A lock that the operating system takes back when its process dies, however it dies: a SQLite file of its own
 * whose exclusive transaction is never ended. A process takes its own lock before it announces itself in the
 * `instances` table, so an announced instance whose lock can be taken is dead.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./failures.ts";
import { createPrivately } from "./connection.ts";

export interface InstanceLock {
  /** Gives the lock up and removes its file. */
  release(): void;
}

/** `null` if a living process holds it. */
export function takeInstanceLock(dataDir: string, instanceId: string): InstanceLock | null {
  const file = join(dataDir, "instances", `${instanceId}.lock`);
  createPrivately(file);
  const connection = new DatabaseSync(file, { timeout: 0 });
  try {
    connection.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    connection.close();
    if (isBusy(error)) return null;
    throw error;
  }
  return {
    release() {
      connection.close();
      rmSync(file, { force: true });
    },
  };
}
