/** A command in another process that revokes a key. Usage: node revoke.ts <database options as JSON> <key id> */
import { systemRandomFill } from "../../../src/kernel/ids.ts";
import { openDatabase } from "../../../src/storage/storage.ts";
import type { DatabaseOptions } from "../../../src/storage/storage.ts";
import { revokeKey } from "../../../src/tenancy/keys.ts";
import { clock, ids } from "../engines.ts";

const [options = "", keyId = ""] = process.argv.slice(2);
const db = openDatabase(JSON.parse(options) as DatabaseOptions);
await revokeKey({ db, clock, ids, randomFill: systemRandomFill }, keyId);
await db.destroy();
