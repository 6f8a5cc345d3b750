/**
 * `kill -9` at random instants, in the midst of requests of every kind: some have one call, some wait to call again, some
 * have two calls under way, some have just won. What each came to is one of the lines of killed.ts, or it was over.
 */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Store } from "../../src/storage/storage.ts";
import { clock } from "../contract/engines.ts";
import { eventually } from "../support/eventually.ts";
import type { LedgerRow, RequestRow } from "../support/evidence.ts";
import { send, type Reply } from "../support/simulator-client.ts";
import { testSeed } from "../support/test-seed.ts";
import { Random } from "../simulation/world/random.ts";
import { inOrder } from "./course/cases.ts";
import { besides } from "./lines/besides.ts";
import { assertRecovered, openProcessPlace, type ProcessPlace } from "./process-place.ts";
import { callers, speeches, terminalsIn, type Caller } from "./speech.ts";

const KILLS = 5;
const ALIVE_MS_MAX = 600;
const PATIENCE_MS = 20_000;
const CALLERS = 24;
/** With the same seed the instants are the same again, though what they meet is not quite. */
const seed = testSeed();

const good = "tokens=30,rate=300";
const models = {
  refused: {
    targets: inOrder(`simulator/sim-chat:${good},status=529,every=2`, `simulator-anthropic/sim-claude:${good}`),
  },
  cut: {
    targets: inOrder(
      `simulator-anthropic/sim-claude:${good},fault=cut-mid-token@9,tag=cut`,
      `simulator/sim-chat:${good},tag=after-cut`,
    ),
    commit: { at: "complete" },
  },
  silent: {
    targets: inOrder("simulator/sim-chat:fault=black-hole", `simulator-anthropic/sim-claude:${good},tag=after-silent`),
    timeouts: { switchMs: 50 },
  },
  again: {
    targets: [{ model: `simulator/sim-chat:${good},status=500,every=2,tag=again` }],
    retries: { backoffMs: 100 },
  },
};

interface Told {
  readonly agent: string;
  readonly caller: Caller;
  readonly stream: boolean;
  readonly reply: Reply;
}

/** Asks for one model after the other until the gateway is gone. */
async function ask(url: string, { key }: ProcessPlace, round: number, turn: number): Promise<readonly Told[]> {
  const told: Told[] = [];
  const names = Object.keys(models);
  for (let next = turn; ; next++) {
    const agent = `asker-${round}-${turn}-${next}`;
    const [caller, stream] = [callers[turn % callers.length] ?? "openai-chat", next % 3 > 0];
    const messages = [{ role: "user", content: "Hi" }];
    const body = { model: names[next % names.length], stream, max_tokens: 1000, messages };
    const headers = { authorization: `Bearer ${key}`, "user-agent": agent };
    const reply = await send(`${url}${speeches[caller].path}`, { headers, body });
    told.push({ agent, caller, stream, reply });
    if (reply.status === 0 || !reply.complete) return told;
  }
}

/** From when the milliseconds of a life count. */
type Since = "asked" | "called" | "answered";

interface Life {
  readonly since: Since;
  readonly aliveMs: number;
}

function drawLives(random: Random): readonly Life[] {
  return Array.from({ length: KILLS }, () => ({
    since: random.pick(["asked", "called", "answered"] as const),
    aliveMs: random.below(ALIVE_MS_MAX),
  }));
}

/** One life of a gateway, from its start to its kill. */
async function live(place: ProcessPlace, round: number, { since, aliveMs }: Life): Promise<readonly Told[]> {
  await using gateway = await place.start();
  const finishedBefore = finished(place);
  const asking = Array.from({ length: CALLERS }, (_, turn) => ask(gateway.url, place, round, turn));
  if (since === "called") await eventually("a call", () => place.simulator.stats().running > 0, PATIENCE_MS);
  if (since === "answered") await eventually("an answer", () => finished(place) > finishedBefore, PATIENCE_MS);
  await new Promise<void>((resolve) => {
    clock.setTimer(resolve, aliveMs);
  });
  await gateway.end("SIGKILL");
  const told = (await Promise.all(asking)).flat();
  await eventually("the provider notices", () => place.simulator.stats().running === 0);
  return told;
}

function finished({ simulator }: ProcessPlace): number {
  return simulator.stats().complete;
}

type Became = "over" | "unknown" | "at work" | "settled";

/** By its record and charges. Throws where what the caller saw does not go together with them. */
function judge({ reply, caller, stream }: Told, row: RequestRow | undefined, entries: readonly LedgerRow[]): Became {
  // The last bytes of HTTP may be lost behind a terminal marker.
  const isOver = stream && reply.status === 200 ? terminalsIn(reply.text, caller) === 1 : reply.complete;
  if (isOver) {
    assert.ok(row !== undefined, "whoever was answered has a record");
    assert.equal(row.status, reply.status);
    if (reply.status === 200) assert.equal(row.ending, "complete");
    return "over";
  }
  if (row === undefined) {
    assert.deepEqual(entries, [], "what has no record costs nothing");
    return "unknown";
  }
  if (row.ending !== "killed") return "settled";
  assert.ok(entries.some(({ basis }) => basis === "worst-case"));
  return "at work";
}

async function judgeAll({ db }: Store, told: readonly Told[]): Promise<ReadonlyMap<Became, number>> {
  const tally = new Map<Became, number>();
  const rows = new Map((await db.selectFrom("requests").selectAll().execute()).map((row) => [row.request_id, row]));
  const entries = Map.groupBy(await db.selectFrom("ledger_entries").selectAll().execute(), (row) => row.request_id);
  const ids = new Map([...rows.values()].map((row) => [row.user_agent, row.request_id]));
  for (const one of told) {
    const id = String(one.reply.headers["x-request-id"] ?? ids.get(one.agent));
    const became = judge(one, rows.get(id), entries.get(id) ?? []);
    tally.set(became, (tally.get(became) ?? 0) + 1);
  }
  return tally;
}

test(besides.killedAnywhere, async (context: TestContext) => {
  const lives = drawLives(new Random(seed));
  const instants = lives.map(({ since, aliveMs }) => `${aliveMs} ms after the first was ${since}`);
  context.diagnostic(`HEADGATE_TEST_SEED=${seed}: killed ${instants.join(", ")}`);
  await using place = await openProcessPlace({ models });
  const told: Told[] = [];
  for (const [round, life] of lives.entries()) told.push(...(await live(place, round, life)));
  await using store = await place.recover();
  const tally = await judgeAll(store, told);
  context.diagnostic([...tally].map(([became, count]) => `${became}: ${count}`).join(", "));
  await assertRecovered(store, place.simulator);
});
