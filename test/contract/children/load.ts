/**
 * A gateway process under load, to be killed: opens and closes requests as fast as it can and appends what was
 * acknowledged to a file, one line each: `opened <attempt>` after `open` resolved, `closed <attempt>` after `close` did.
 * One request stays open from the beginning. Says `loaded` on its standard output once enough were closed, and goes on.
 * Usage: node load.ts <database options as JSON> <file>
 */
import { openSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { openStore } from "../../../src/storage/storage.ts";
import type { DatabaseOptions } from "../../../src/storage/storage.ts";
import { clock, ids } from "../engines.ts";
import { sampleEntry, sampleHold, sampleRecord } from "../samples.ts";

const CONCURRENT = 20;
const CLOSED_ENOUGH = 2000;
const [options = "", file = ""] = process.argv.slice(2);
const acknowledged = openSync(file, "a");
let closed = 0;
const store = await openStore({ ...(JSON.parse(options) as DatabaseOptions), clock, ids });

/** Synchronous, so that no acknowledgement is lost in a buffer when the process is killed. */
function tell(what: "opened" | "closed", attemptId: string): void {
  writeSync(acknowledged, `${what} ${attemptId}\n`);
  if (what === "closed" && ++closed === CLOSED_ENOUGH) process.stdout.write("loaded\n");
}

/** @param turns how long a provider's answer takes, in turns of the event loop: keeps the requests out of step */
async function serveForever(turns: number): Promise<never> {
  for (;;) {
    const [requestId, attemptId] = [ids.next("req"), ids.next("att")];
    await store.journal.open(sampleHold(requestId, attemptId));
    tell("opened", attemptId);
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    await store.journal.close(sampleRecord(requestId), [sampleEntry(requestId, attemptId)]);
    tell("closed", attemptId);
  }
}

await store.journal.open(sampleHold(ids.next("req"), ids.next("att")));
await Promise.all(Array.from({ length: CONCURRENT }, (_, index) => serveForever(index % 5)));
