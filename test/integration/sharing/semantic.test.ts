import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Logger, pino } from "pino";
import type { Config, ModelConfig } from "../../../src/config/config.ts";
import type { DeepPartial } from "../../../src/config/defaults.ts";
import { startGateway } from "../../../src/gateway.ts";
import { purgeCache } from "../../../src/storage/answers/cache-purges.ts";
import { createSystemClock } from "../../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../../src/kernel/ids.ts";
import { createKey } from "../../../src/tenancy/keys.ts";
import { createTenant } from "../../../src/tenancy/tenants.ts";
import { createProject } from "../../../src/tenancy/projects.ts";
import { allow } from "../../support/allowances.ts";
import { captureLog, evidenceOf } from "../../support/evidence.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestGateway, type TestGateway } from "../../support/gateway.ts";
import { type Reply, send, type SendOptions } from "../../support/simulator-client.ts";

const ASKED = "How do I reset my password?";
const ALIKE = "how do I RESET my old password";
const OTHER = "Tell me about the moon";

interface Given {
  readonly embeddings?: string;
  readonly alias?: DeepPartial<ModelConfig>;
  readonly logger?: Logger;
}

function openPlace({ embeddings = "simulator/sim-embed", alias = {}, logger }: Given = {}): Promise<TestGateway> {
  const cache = { mode: "semantic", threshold: 0.8, ttlMs: 60_000, ...alias.cache } as const;
  const config: DeepPartial<Config> = {
    retries: { attemptsMax: 1 },
    cache: { embeddings },
    models: { faq: { targets: [{ model: "simulator/sim-chat" }], ...alias, cache } },
  };
  return startTestGateway({ config, ...(logger === undefined ? {} : { overrides: { logger } }) });
}

interface Asking extends Omit<SendOptions, "body"> {
  readonly url?: string;
  readonly key?: string;
  readonly fields?: object;
}

function ask(place: TestGateway, words: string, { url, key, fields, ...options }: Asking = {}): Promise<Reply> {
  return send(`${url ?? place.url}/v1/chat/completions`, {
    ...options,
    headers: { authorization: `Bearer ${key ?? place.key}`, ...options.headers },
    body: { model: "faq", messages: [{ role: "user", content: words }], ...fields },
  });
}

function cacheOf({ headers }: Reply): unknown {
  return headers["x-headgate-cache"];
}

function idOf({ headers }: Reply): string {
  return String(headers["x-request-id"]);
}

/** Of requests for vectors, in order. */
async function embeddingIds({ gateway }: TestGateway): Promise<readonly string[]> {
  const rows = await gateway.store.db
    .selectFrom("requests")
    .select("request_id")
    .where("operation", "=", "embeddings")
    .orderBy("request_id")
    .execute();
  return rows.map((row) => row.request_id);
}

function tenancyDeps({ gateway }: TestGateway): Parameters<typeof createKey>[0] {
  const clock = createSystemClock();
  const ids = createIdSource(systemRandomFill, () => clock.wallMs());
  return { db: gateway.store.db, clock, ids, randomFill: systemRandomFill };
}

describe("a route that compares meanings", () => {
  test("answers other words with the answer to those that mean the same, and accounts for what that cost", async () => {
    await using place = await openPlace();
    const first = await ask(place, ASKED);
    const again = await ask(place, ALIKE);
    assert.deepEqual([cacheOf(first), cacheOf(again)], ["miss", "semantic"]);
    assert.equal(again.text, first.text);
    assert.match(String(again.headers["x-headgate-cache-similarity"]), /^0\.[89]\d\d$/);
    assert.deepEqual([again.headers["x-headgate-answer-of"], again.headers["age"]], [idOf(first), "0"]);
    const made = await evidenceOf(place.gateway, idOf(first));
    const found = await evidenceOf(place.gateway, idOf(again));
    const [before, after] = [
      await evidenceOf(place.gateway, `${idOf(first)}_embedding`),
      await evidenceOf(place.gateway, `${idOf(again)}_embedding`),
    ];
    assert.deepEqual(
      [found.row.reuse, found.row.cost_nano_usd, found.row.attempts, found.entries.length],
      ["semantic", 0n, 0, 0],
    );
    assert.ok(after.row.cost_nano_usd > 0n);
    const toldOf = ({ headers }: Reply): bigint => BigInt(String(headers["x-headgate-cost-nano-usd"]));
    assert.equal(toldOf(again), after.row.cost_nano_usd);
    assert.equal(toldOf(first), made.row.cost_nano_usd + before.row.cost_nano_usd);
    assert.equal(found.row.saved_nano_usd, made.row.cost_nano_usd - after.row.cost_nano_usd);
    assert.equal(made.row.saved_nano_usd, -before.row.cost_nano_usd);
    assert.deepEqual(
      [after.row.operation, after.row.model_served, after.row.tenant_id, after.entries.length],
      ["embeddings", "simulator/sim-embed", found.row.tenant_id, 1],
    );
    assert.equal((await place.gateway.store.journalDb.selectFrom("holds").selectAll().execute()).length, 0);
  });

  test("looks for an equal request first, which costs nothing", async () => {
    await using place = await openPlace();
    await ask(place, ASKED);
    assert.equal(cacheOf(await ask(place, ASKED)), "hit");
    assert.equal((await embeddingIds(place)).length, 1);
  });

  test("makes a call for what is not near enough, and keeps that too", async () => {
    await using place = await openPlace();
    await ask(place, ASKED);
    assert.equal(cacheOf(await ask(place, OTHER)), "miss");
    assert.equal(cacheOf(await ask(place, `${OTHER}!`)), "semantic");
    assert.equal(cacheOf(await ask(place, ALIKE)), "semantic");
  });

  test("gives the nearest of those that are near enough", async () => {
    await using place = await openPlace({ alias: { cache: { threshold: 0.5 } } });
    const far = await ask(place, "reset the password of my neighbour");
    const near = await ask(place, ASKED, { headers: { "x-headgate-cache": "refresh" } });
    assert.notEqual(far.text, near.text);
    assert.equal((await ask(place, ALIKE)).headers["x-headgate-answer-of"], idOf(near));
  });

  test("answers in the form that is asked for", async () => {
    await using place = await openPlace();
    const first = await ask(place, ASKED, { fields: { stream: true } });
    const again = await ask(place, ALIKE, { fields: { stream: true } });
    assert.deepEqual([cacheOf(again), again.text], ["semantic", first.text]);
    assert.match(String(again.headers["content-type"]), /^text\/event-stream/);
    const whole = await ask(place, ALIKE);
    assert.equal(cacheOf(whole), "semantic");
    const { choices } = JSON.parse(whole.text) as { choices: { message: { content: string } }[] };
    assert.ok((choices[0]?.message.content ?? "").length > 0);
    assert.equal(whole.headers["x-headgate-answer-of"], idOf(first));
  });

  const turn = (role: string, content: unknown): object => ({ role, content });
  const image = [
    { type: "text", text: ALIKE },
    { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
  ];
  for (const [what, fields] of [
    ["tools", { tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }] }],
    ["images", { messages: [turn("user", image)] }],
    ["several choices", { n: 2 }],
    ["more than ten messages", { messages: Array.from({ length: 11 }, () => turn("user", ALIKE)) }],
    ["a message of more than 8,000 characters", { messages: [turn("user", `${ALIKE} `.repeat(300))] }],
  ] as const) {
    test(`does not compare requests with ${what}`, async () => {
      await using place = await openPlace();
      const reply = await ask(place, ALIKE, { fields });
      assert.deepEqual([reply.status, cacheOf(reply)], [200, "miss"]);
      assert.deepEqual(await embeddingIds(place), []);
    });
  }

  test("tells apart instructions, earlier turns, parameters and numbers", async () => {
    await using place = await openPlace();
    await ask(place, ASKED);
    for (const [what, fields] of [
      ["instructions", { messages: [turn("system", "Be brief."), turn("user", ALIKE)] }],
      ["earlier turns", { messages: [turn("user", "Hi"), turn("assistant", "Hello"), turn("user", ALIKE)] }],
      ["temperature", { temperature: 0.1 }],
      ["numbers", { messages: [turn("user", `${ALIKE} 2`)] }],
    ] as const)
      assert.equal(cacheOf(await ask(place, ALIKE, { fields })), "miss", what);
  });

  test("shares nothing between tenants", async () => {
    await using place = await openPlace();
    await ask(place, ASKED);
    const deps = tenancyDeps(place);
    const tenant = (await createTenant(deps, "other")).id;
    await createProject(deps, tenant, "other");
    const key = (await createKey(deps, { tenant, project: "other" }, { name: "k", modelAllowList: ["faq"] })).plainKey;
    assert.equal(cacheOf(await ask(place, ALIKE, { key })), "miss");
    assert.equal(cacheOf(await ask(place, ASKED, { key })), "semantic", "its key need not allow the embeddings model");
  });

  test("compares identical requests at the same time once, and goes on when the first of their callers leaves", async () => {
    await using place = await openPlace({ embeddings: "simulator/sim-embed:ttft=400" });
    const kept = await ask(place, ASKED);
    const left = Promise.withResolvers<() => void>();
    const leaving = ask(place, ALIKE, { onStart: left.resolve });
    const { journalDb } = place.gateway.store;
    await eventually("the call to be held", () => journalDb.selectFrom("holds").selectAll().executeTakeFirst());
    const staying = ask(place, ALIKE);
    await send(`${place.url}/v1/models`, { headers: { authorization: `Bearer ${place.key}` } });
    (await left.promise)();
    await leaving;
    const reply = await staying;
    assert.deepEqual([cacheOf(reply), reply.text], ["joined", kept.text]);
    assert.equal((await embeddingIds(place)).length, 2);
    const gone = journalDb.selectFrom("requests").selectAll().where("ending", "=", "caller-gone");
    const { status, bytes_out: bytesOut, reuse } = await gone.executeTakeFirstOrThrow();
    assert.deepEqual([status, bytesOut, reuse], [499, 0, "semantic"]);
  });

  test("repeats what it gave under an Idempotency-Key", async () => {
    await using place = await openPlace();
    const kept = await ask(place, ASKED);
    const headers = { "idempotency-key": "k1" };
    assert.equal(cacheOf(await ask(place, ALIKE, { headers })), "semantic");
    const again = await ask(place, ALIKE, { headers });
    assert.deepEqual([again.headers["idempotent-replayed"], again.text], ["true", kept.text]);
    assert.equal((await embeddingIds(place)).length, 2);
  });

  test("gives what an earlier process has kept", async () => {
    await using place = await openPlace();
    const first = await ask(place, ASKED);
    await place.gateway.stop();
    const overrides = { logger: pino({ level: "silent" }) };
    await using next = await startGateway(place.gateway.config, { version: "0.0.0-test", overrides });
    const again = await ask(place, ALIKE, { url: next.url });
    assert.deepEqual([cacheOf(again), again.text], ["semantic", first.text]);
  });

  test("gives nothing whose time is over", async () => {
    await using place = await openPlace({ alias: { cache: { ttlMs: 1_000 } } });
    await ask(place, ASKED);
    assert.equal(cacheOf(await ask(place, ALIKE)), "semantic");
    await eventually("a new answer", async () => cacheOf(await ask(place, ALIKE)) === "miss");
  });

  test("gives nothing that was purged", async () => {
    await using place = await openPlace();
    await ask(place, ASKED);
    const { db, answers } = place.gateway.store;
    const { clock, ids } = tenancyDeps(place);
    await purgeCache({ db, answers, clock, ids }, { tenantId: null, model: "faq" });
    assert.equal(cacheOf(await ask(place, ALIKE)), "miss");
  });

  test("heeds how old an answer may be, and keeps a refreshed one", async () => {
    await using place = await openPlace();
    await ask(place, ASKED);
    const fresh = await ask(place, ALIKE, { headers: { "cache-control": "no-cache" } });
    assert.equal(cacheOf(fresh), "miss");
    const again = await ask(place, `${ALIKE}!`);
    assert.equal(again.headers["x-headgate-answer-of"], idOf(fresh));
  });
});

describe("when words cannot be turned into vectors", () => {
  for (const [what, embeddings, code] of [
    ["the provider fails", "simulator/sim-embed:status=500", "upstream_failed"],
    ["the provider is silent", "simulator/sim-embed:ttft=60000", "deadline_exceeded"],
  ] as const) {
    test(`because ${what}, the request is made all the same, and the next one does not wait for it`, async () => {
      await using place = await openPlace({ embeddings });
      const reply = await ask(place, ASKED);
      assert.deepEqual([reply.status, cacheOf(reply)], [200, "miss"]);
      const { row } = await evidenceOf(place.gateway, `${idOf(reply)}_embedding`);
      assert.equal(row.error_code, code);
      assert.equal(cacheOf(await ask(place, ALIKE)), "miss");
      assert.equal(cacheOf(await ask(place, ALIKE)), "hit");
      assert.equal((await embeddingIds(place)).length, 1);
    });
  }

  test("because the provider refuses them, the request is made all the same, and the operator is told once", async () => {
    const log = captureLog();
    await using place = await openPlace({ embeddings: "simulator/sim-chat", logger: log.logger });
    const reply = await ask(place, ASKED);
    assert.deepEqual([reply.status, cacheOf(reply)], [200, "miss"]);
    await ask(place, OTHER);
    const told = log.text().match(/requests are not compared by what they mean/g);
    assert.equal(told?.length, 1);
    const { row } = await evidenceOf(place.gateway, `${idOf(reply)}_embedding`);
    assert.equal(row.error_code, "upstream_rejected");
  });

  test("because no budget allows it, the request is made all the same", async () => {
    await using place = await openPlace();
    const terms = { meter: "requests", limit: 0n, window: "lifetime", operation: "embeddings" } as const;
    await allow(place.gateway, { name: "no-vectors", ...terms });
    const reply = await ask(place, ASKED);
    assert.deepEqual([reply.status, cacheOf(reply)], [200, "miss"]);
    const { row } = await evidenceOf(place.gateway, `${idOf(reply)}_embedding`);
    assert.deepEqual([row.status, row.attempts], [402, 0]);
  });

  test("because the route's tags do not allow that provider, nothing is sent there", async () => {
    const tags = { targets: [{ model: "simulator/sim-chat", tags: ["eu"] }], requires: ["eu"] };
    await using place = await openPlace({ alias: tags });
    const reply = await ask(place, ASKED);
    assert.equal(reply.status, 200);
    const { row } = await evidenceOf(place.gateway, `${idOf(reply)}_embedding`);
    assert.equal(row.attempts, 0);
  });

  test("because the caller leaves, the call is cancelled and the request not made", async () => {
    await using place = await openPlace({ embeddings: "simulator/sim-embed:ttft=60000" });
    const left = Promise.withResolvers<() => void>();
    const asked = ask(place, ASKED, { onStart: left.resolve });
    const { db, journalDb } = place.gateway.store;
    await eventually("the call to be held", () => journalDb.selectFrom("holds").selectAll().executeTakeFirst());
    (await left.promise)();
    await asked;
    const rows = await eventually("both records", async () => {
      const found = await db.selectFrom("requests").select(["ending", "operation", "attempts"]).execute();
      return found.length === 2 ? found : null;
    });
    const ends = rows.map(({ ending, operation, attempts }) => `${operation}: ${ending}, ${attempts}`);
    assert.deepEqual(new Set(ends), new Set(["chat: caller-gone, 0", "embeddings: caller-gone, 1"]));
  });
});
