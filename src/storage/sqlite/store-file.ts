import { existsSync } from "node:fs";
import { join } from "node:path";

/** The database file of a data directory; its `-wal` and `-shm` files lie beside it. */
export function storeFile(dataDir: string): string {
  return join(dataDir, "headgate.db");
}

/** Whether a gateway or a command has made a store there. */
export function storeExists(dataDir: string): boolean {
  return existsSync(storeFile(dataDir));
}
