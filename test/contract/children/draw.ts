/**
 * A process that draws from an account as fast as it can until it is refused, giving some of it back and settling the
 * rest. Prints what it has settled in all.
 * Usage: node draw.ts <database options as JSON> <owner> <account as JSON>
 */
import { openDatabase } from "../../../src/storage/storage.ts";
import type { DatabaseOptions } from "../../../src/storage/storage.ts";
import type { AccountKey } from "../../../src/storage/escrow/bank.ts";
import { createTestBank, startMs } from "../bank-place.ts";
import { drawAllOf } from "../bank-steps.ts";

const [options = "", owner = "", account = ""] = process.argv.slice(2);
const db = openDatabase(JSON.parse(options) as DatabaseOptions);
const bank = createTestBank(db, { nowMs: startMs });
const settled = await drawAllOf({ db, bank }, owner, JSON.parse(account) as AccountKey);
await db.destroy();
process.stdout.write(String(settled));
