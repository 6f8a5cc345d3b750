import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openDatabase } from "../../src/storage/storage.ts";
import { eventually } from "../support/eventually.ts";
import { send } from "../support/simulator-client.ts";
import { Asker } from "./asker.ts";
import { assertCases, booksOf, type Asked } from "./books.ts";
import { assertRecovered, openProcessPlace, type ProcessPlace } from "./process-place.ts";
import type { Case } from "./lines/line.ts";
import { killedLines } from "./lines/killed.ts";
import { testLines, together, type Strike } from "./test-lines.ts";

/** Of a whole answer that is more than the sockets of one machine take. */
const LONG = "tokens=1000000";
const PATIENCE_MS = 30_000;

interface Victim {
  readonly place: ProcessPlace;
  readonly asker: Asker;
  readonly url: string;
  /** What callers do who would not notice that the gateway is gone. */
  readonly leaving: (() => void)[];
}

/** Brings all requests to where the gateway is to be killed, kills it, and looks what the next process finds. */
function killWhen(bringThere: (victim: Victim, all: readonly Case[]) => Promise<readonly Asked[]>): Strike {
  return together(async (all) => {
    await using place = await openProcessPlace({ limits: { responseBytes: "64MiB" } });
    await using gateway = await place.start();
    const asker = new Asker(gateway.url, place.key);
    const leaving: (() => void)[] = [];
    const asked = await bringThere({ place, asker, url: gateway.url, leaving }, all);
    await gateway.end("SIGKILL");
    for (const leave of leaving) leave();
    await using store = await place.recover();
    const verdicts = await assertCases(booksOf(store, place.simulator), asked, all);
    await assertRecovered(store, place.simulator);
    return verdicts;
  });
}

testLines(killedLines, {
  /** The store is locked, so that no hold can be written. */
  "before the call": killWhen(async ({ place, asker, url }, all) => {
    using lock = new DatabaseSync(join(place.dataDir, "headgate.db"));
    lock.exec("BEGIN IMMEDIATE");
    const asked = all.map((one) => asker.ask(one));
    await send(`${url}/healthz`);
    return asked;
  }),

  "at work": killWhen(async ({ place, asker }, all) => {
    const asked = all.map((one) => asker.ask({ ...one, script: "tokens=1000,ttft=100,rate=10" }));
    await eventually("all are called", () => place.simulator.stats().running === all.length);
    return asked;
  }),

  "when settled": killWhen(async ({ place, asker, leaving }, all) => {
    const unread = { script: LONG, maxTokens: 2_000_000, readNothing: true };
    const asked = all.map((one) => asker.ask({ ...one, ...unread, onStart: (leave) => leaving.push(leave) }));
    await using reading = openDatabase({ dataDir: place.dataDir, durability: "process" });
    const settled = reading.selectFrom("requests").select("request_id").where("ending", "=", "complete");
    await eventually("all are settled", async () => (await settled.execute()).length === all.length, PATIENCE_MS);
    return asked;
  }),
});
