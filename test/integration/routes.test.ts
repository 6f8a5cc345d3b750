/** Routes over real sockets: what a request asks for decides where it goes, and the explanation says so beforehand. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill as randomFill } from "../../src/kernel/ids.ts";
import { createKey } from "../../src/tenancy/keys.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { send, type Reply } from "../support/simulator-client.ts";

const clock = createSystemClock();
const ids = createIdSource(randomFill, clock.wallMs);

const models = {
  mixed: {
    targets: [
      { model: "simulator-anthropic/sim-claude", tags: ["eu"], weight: 5 },
      { model: "simulator/sim-chat", tags: ["eu", "no-retention"] },
    ],
    fallbacks: [{ model: "simulator/sim-mini" }],
  },
  lively: {
    targets: [{ model: "simulator/sim-chat:ttft=400" }, { model: "simulator/sim-mini:ttft=5" }],
    balance: "least-loaded" as const,
  },
  thrifty: {
    targets: [{ model: "simulator/sim-chat" }, { model: "simulator/sim-mini" }],
    priceCeiling: { output: "1" },
  },
};

describe("routes", () => {
  let place: TestGateway;
  before(async () => {
    place = await startTestGateway({ config: { models } });
  });
  after(() => place[Symbol.asyncDispose]());

  function ask(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return send(`${place.url}${path}`, {
      headers: { authorization: `Bearer ${place.key}`, "content-type": "application/json", ...headers },
      body,
    });
  }

  function chat(model: string, fields: object = {}): object {
    return { model, messages: [{ role: "user", content: "Hi" }], max_tokens: 20, ...fields };
  }

  async function servedBy(body: object, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const reply = await ask("/v1/chat/completions", body, headers);
    assert.equal(reply.status, 200, reply.text);
    return reply.headers["x-headgate-model"];
  }

  async function explain(request: object, headers: Readonly<Record<string, string>> = {}) {
    const reply = await ask("/v1/route/explain", { request }, headers);
    assert.equal(reply.status, 200, reply.text);
    const explanation = JSON.parse(reply.text);
    const places = explanation.targets.map((target: { name: string; place: number | null }) => [
      target.name,
      target.place,
    ]);
    return { explanation, places: Object.fromEntries(places) };
  }

  test("a request that a dialect cannot carry goes to a target that speaks its own", async () => {
    const request = chat("mixed", { seed: 1, logit_bias: { 50: 1 } });
    assert.equal(await servedBy(request), "simulator/sim-chat");
    const { explanation, places } = await explain(request);
    assert.deepEqual(places, {
      "simulator/sim-chat": 1,
      "simulator/sim-mini": 2,
      "simulator-anthropic/sim-claude": null,
    });
    assert.equal(explanation.object, "route.explanation");
    assert.equal(explanation.targets[2].reasons[0].kind, "dialect");
    assert.equal(explanation.policy.retries.attempts_max, 4);
    assert.equal(explanation.targets[0].timeouts.idle_ms, place.gateway.config.timeouts.idleMs);
  });

  test("tags that the request requires leave out who lacks them", async () => {
    const headers = { "x-headgate-require-tags": "no-retention, eu" };
    assert.equal(await servedBy(chat("mixed"), headers), "simulator/sim-chat");
    const { explanation, places } = await explain(chat("mixed"), headers);
    assert.deepEqual(explanation.requires, ["no-retention", "eu"]);
    assert.equal(places["simulator/sim-mini"], null);
    const refused = await ask("/v1/chat/completions", chat("simulator/sim-chat"), headers);
    assert.equal(refused.status, 400);
    assert.match(refused.text, /simulator\/sim-chat lacks the tags no-retention and eu/);
    const wrong = await ask("/v1/chat/completions", chat("mixed"), { "x-headgate-require-tags": "EU only" });
    assert.equal(JSON.parse(wrong.text).error.code, "invalid_header");
  });

  test("a price ceiling leaves out the dearer model", async () => {
    assert.equal(await servedBy(chat("thrifty")), "simulator/sim-mini");
    const { explanation } = await explain(chat("thrifty"));
    assert.match(explanation.targets[1].reasons[0].text, /costs \$4\.00 per million output tokens/);
  });

  test("the target that answers sooner is the less loaded one, once both are known", async () => {
    await servedBy(chat("simulator/sim-chat:ttft=400"));
    await servedBy(chat("simulator/sim-mini:ttft=5"));
    assert.equal(await servedBy(chat("lively")), "simulator/sim-mini:ttft=5");
    const { explanation } = await explain(chat("lively"));
    assert.equal(explanation.balance.by, "least-loaded");
    assert.ok(explanation.targets[0].load < explanation.targets[1].load);
  });

  test("the explanation shows how targets fare once they were called", async () => {
    assert.equal(await servedBy(chat("simulator/sim-mini")), "simulator/sim-mini");
    const { explanation } = await explain(chat("simulator/sim-mini"));
    assert.deepEqual(explanation.targets[0].health.state, "closed");
    assert.equal((await explain(chat("simulator/never-called"))).explanation.targets[0].health, null);
  });

  test("an embeddings request is explained by its path, and what nobody serves by its refusal", async () => {
    const request = { model: "mixed", input: "text" };
    const reply = await ask("/v1/route/explain", { path: "/v1/embeddings", request });
    const explanation = JSON.parse(reply.text);
    assert.equal(explanation.operation, "embeddings");
    assert.equal(explanation.targets.at(-1).name, "simulator-anthropic/sim-claude");
    const alone = await ask("/v1/route/explain", {
      path: "/v1/embeddings",
      request: { ...request, model: "simulator-anthropic/sim-claude" },
    });
    assert.equal(JSON.parse(alone.text).refusal.code, "unsupported_capability");
  });

  test("only what the key may use is explained, and only what can be understood", async () => {
    const project = { tenant: "default", project: "default" };
    const limited = { name: "limited", modelAllowList: ["simulator/sim-mini"] };
    const { plainKey } = await createKey({ db: place.gateway.store.db, clock, ids, randomFill }, project, limited);
    const asOther = { authorization: `Bearer ${plainKey}` };
    const forbidden = await ask("/v1/route/explain", { request: chat("mixed") }, asOther);
    assert.deepEqual([forbidden.status, JSON.parse(forbidden.text).error.code], [403, "model_not_allowed"]);
    const unknown = await ask("/v1/route/explain", { request: chat("nobody") });
    assert.deepEqual([unknown.status, JSON.parse(unknown.text).error.code], [404, "model_not_found"]);
    const missing = await ask("/v1/route/explain", {});
    assert.deepEqual([missing.status, JSON.parse(missing.text).error.param], [400, "request"]);
    const stranger = await ask("/v1/route/explain", { request: chat("mixed") }, { authorization: "Bearer nobody" });
    assert.equal(stranger.status, 401);
  });
});
