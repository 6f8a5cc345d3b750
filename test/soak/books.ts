/** Both sides of the account when nothing is running: the store's and the simulator's. */
import type { StorageConfig } from "../../src/config/config.ts";
import { databaseOptionsOf, openDatabase } from "../../src/storage/storage.ts";
import { readLedgerBooks, type LedgerBooks } from "./ledger-books.ts";
import { awaitIdle, readInvoice, type InvoiceLine, type SimulatorStats } from "./simulator-books.ts";

export interface Books {
  readonly ledger: LedgerBooks;
  readonly invoice: readonly InvoiceLine[];
  readonly stats: SimulatorStats;
}

export async function readBooks(storage: StorageConfig, simulatorUrl: string): Promise<Books> {
  const db = openDatabase(databaseOptionsOf(storage));
  try {
    return {
      stats: await awaitIdle(simulatorUrl),
      invoice: await readInvoice(simulatorUrl),
      ledger: await readLedgerBooks(db),
    };
  } finally {
    await db.destroy();
  }
}
