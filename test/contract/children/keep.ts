/**
 * A gateway process that claims keys and keeps answers under them as fast as it can, to be killed. Appends what was
 * acknowledged to a file, one line each: `claimed <key>` after `claim` resolved, `kept <key>` after `keep` did. Some keys
 * are never kept. Says `loaded` on its standard output once enough were kept, and goes on.
 * Usage: node keep.ts <database options as JSON> <file>
 */
import { openSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { openStore } from "../../../src/storage/storage.ts";
import type { DatabaseOptions } from "../../../src/storage/storage.ts";
import { clock, ids } from "../engines.ts";
import { aClaim, anAnswer, cached } from "../kept-samples.ts";

const CONCURRENT = 20;
const KEPT_ENOUGH = 500;
const [options = "", file = ""] = process.argv.slice(2);
const acknowledged = openSync(file, "a");
let kept = 0;
const store = await openStore({ ...(JSON.parse(options) as DatabaseOptions), clock, ids });

/** Synchronous, so that no acknowledgement is lost in a buffer when the process is killed. */
function tell(what: "claimed" | "kept", key: string): void {
  writeSync(acknowledged, `${what} ${key}\n`);
  if (what === "kept" && ++kept === KEPT_ENOUGH) process.stdout.write("loaded\n");
}

/** @param turns how long an answer takes, in turns of the event loop: keeps the requests out of step */
async function serveForever(turns: number): Promise<never> {
  for (;;) {
    const key = ids.next("req");
    await store.answers.claim(aClaim(key, key));
    tell("claimed", key);
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    if (turns === 0) continue;
    const answer = { ...anAnswer, requestId: key };
    await Promise.all([
      store.answers.cache(cached(key, { requestId: key })),
      store.answers.keep({ keyHash: key, claimId: key }, answer, 60_000),
    ]);
    tell("kept", key);
  }
}

await Promise.all(Array.from({ length: CONCURRENT }, (_, index) => serveForever(index % 5)));
