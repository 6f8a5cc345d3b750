/**
 * A PostgreSQL database that is gone for ten seconds, with requests under way: what this process was granted is used,
 * the rest is refused honestly, and when the database is back the books are as if it had never been away.
 */
import assert from "node:assert/strict";
import { createSecret } from "../../src/config/secret.ts";
import { eventually } from "../support/eventually.ts";
import { openTestPostgres, postgresMissing } from "../support/postgres.ts";
import { startPostgresProxy } from "../support/postgres/proxy.ts";
import { casesOf } from "./lines/line.ts";
import { sharedDatabaseLines } from "./lines/shared-database.ts";
import { assertRepeated, openScene, type Scene } from "./scene.ts";
import { testLines, type Strike } from "./test-lines.ts";

const GONE_MS = 10_000;
/** Of those under way: their output comes all the while, and after it. */
const LASTING = "tokens=55,rate=5";
/** Requests at one time, again and again, that make a pace by which the process has something in hand. */
const PACE = 16;
const PACED_MS = 1_500;
const SMALL = { maxTokens: 1_000, script: "ttft=20" };
const BEYOND = { maxTokens: 10_000_000 };
/** Their answers are there some seconds after the database is gone. */
const ENDING_WITHOUT = { ...SMALL, script: "tokens=20,rate=5" };
const PATIENCE_MS = 20_000;

type Verdicts = readonly PromiseSettledResult<unknown>[];
type Outage = Readonly<Record<keyof typeof sharedDatabaseLines, Verdicts>>;

let outage: Promise<Outage> | null = null;

async function makePace(scene: Scene): Promise<void> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < PACED_MS) {
    const asked = Array.from({ length: PACE }, () => scene.ask(SMALL));
    for (const { status } of await Promise.all(asked.map(({ reply }) => reply))) assert.equal(status, 200);
  }
}

async function liveThrough(): Promise<Outage> {
  await using database = await openTestPostgres();
  await using proxy = await startPostgresProxy(database.url);
  await using scene = await openScene({
    timeouts: { firstTokenMs: 2 * GONE_MS, idleMs: 2 * GONE_MS, totalMs: 4 * GONE_MS },
    storage: { postgres: createSecret(proxy.url, "test") },
  });
  const lasting = casesOf(sharedDatabaseLines["under way"]);
  const underWay = lasting.map((one) => scene.ask({ ...one, ...SMALL, script: LASTING }));
  await makePace(scene);
  const keyed = casesOf(sharedDatabaseLines["under a key"]).map((one, at) => {
    return { ...one, ...ENDING_WITHOUT, headers: { "idempotency-key": `key-${at}` } };
  });
  const underKey = keyed.map((one) => scene.ask(one));
  await scene.whenCalled(underWay.length + underKey.length);
  proxy.leave();
  const goneMs = performance.now();
  const later = casesOf(sharedDatabaseLines["in hand"]);
  const inHand = later.map((one) => scene.ask({ ...one, ...SMALL }));
  await Promise.all(inHand.map(({ reply }) => reply));
  const refused = casesOf(sharedDatabaseLines.beyond);
  const beyond = refused.map((one) => scene.ask({ ...one, ...BEYOND }));
  await assertRepeated(scene, underKey, keyed);
  await Promise.all([...underWay, ...beyond].map(({ reply }) => reply));
  await eventually("ten seconds", () => performance.now() - goneMs >= GONE_MS);
  proxy.comeBack();
  await eventually("all is delivered", () => scene.test.gateway.store.delivered().then(isTrue, isFalse), PATIENCE_MS);

  await eventually("nothing is held any more", () => scene.test.gateway.standing().heldBytes === 0, PATIENCE_MS);
  await assertRepeated(scene, underKey, keyed);

  const verdicts = {
    "under way": await scene.checkAll(underWay, lasting),
    "under a key": await scene.checkAll(underKey, keyed),
    "in hand": await scene.checkAll(inHand, later),
    beyond: await scene.checkAll(beyond, refused),
  };
  await makePace(scene);
  await scene.test.gateway.store.delivered();
  await scene.assertBooks();
  await assertInvoiced(scene);
  return verdicts;
}

const isTrue = (): boolean => true;
const isFalse = (): boolean => false;

/** To the nano-dollar. */
async function assertInvoiced({ books: { db, simulator } }: Scene): Promise<void> {
  const entries = await db.selectFrom("ledger_entries").select(["attempt_id", "cost_nano_usd"]).execute();
  const lines = simulator.invoice().map(({ clientRequestId, costNanoUsd }) => [clientRequestId, costNanoUsd] as const);
  const charged = new Map(entries.map((entry) => [entry.attempt_id, entry.cost_nano_usd]));
  assert.equal(charged.size, lines.length);
  for (const [attemptId, cost] of lines) assert.equal(charged.get(String(attemptId)), cost);
}

function strikeOf(fault: keyof typeof sharedDatabaseLines): Strike {
  return async (one, all) => {
    const verdict = (await (outage ??= liveThrough()))[fault][all.indexOf(one)];
    if (verdict?.status !== "fulfilled") throw verdict?.reason ?? new Error("Nothing became of it.");
  };
}

testLines(
  sharedDatabaseLines,
  {
    "under way": strikeOf("under way"),
    "under a key": strikeOf("under a key"),
    "in hand": strikeOf("in hand"),
    beyond: strikeOf("beyond"),
  },
  { skip: postgresMissing },
);
