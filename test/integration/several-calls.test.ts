/** Requests that need more than one call, and what they take of allowances. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelConfig } from "../../src/config/config.ts";
import type { DeepPartial } from "../../src/config/defaults.ts";
import { allow, ledgerOf, spentOf } from "../support/allowances.ts";
import { eventually } from "../support/eventually.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { send, type Reply } from "../support/simulator-client.ts";

const answer = "tokens=20,input=7";

/** The first target has the fault, its fallback has none. */
function failingFirst(fault: string): DeepPartial<ModelConfig> {
  const targets = [{ model: `simulator/sim-chat:${answer},${fault}` }];
  return { targets, fallbacks: [{ model: `simulator/sim-chat:${answer}` }] };
}

function start(fault: string): Promise<TestGateway> {
  const retries = { attemptsMax: 2, backoffMs: 0, backoffMaxMs: 0 };
  return startTestGateway({ config: { models: { fast: failingFirst(fault) }, retries, timeouts: { switchMs: 200 } } });
}

function ask({ url, key }: TestGateway, stream: boolean): Promise<Reply> {
  const body = { model: "fast", stream, max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
  return send(`${url}/v1/chat/completions`, { body, headers: { authorization: `Bearer ${key}` } });
}

test("a request that is called twice counts once, and takes what both calls cost", async () => {
  for (const stream of [false, true]) {
    await using gateway = await start("fault=html-instead-of-json");
    await allow(gateway.gateway, { name: "money", meter: "money", limit: 10n ** 12n });
    await allow(gateway.gateway, { name: "tokens", meter: "tokens", limit: 10n ** 9n });
    await allow(gateway.gateway, { name: "requests", meter: "requests", limit: 10n });
    await allow(gateway.gateway, { name: "slots", meter: "slots", limit: 1n });
    const reply = await ask(gateway, stream);
    assert.equal(reply.status, 200, reply.text);
    assert.match(String(reply.headers["x-headgate-attempts"]), /upstream_malformed.*answered/);
    const { money, tokens, requests } = await spentOf(gateway.gateway);
    assert.deepEqual({ money, tokens }, await ledgerOf(gateway.gateway));
    assert.equal(requests, 1n);
    assert.ok(money > 0n);
    assert.equal((await ask(gateway, stream)).status, 200, "the only slot is free again");
  }
});

test("a call that cost nothing leaves its share of a tight budget to the next one", async () => {
  for (const stream of [false, true]) {
    await using gateway = await start("status=401");
    const estimate = await estimateOf(gateway);
    await allow(gateway.gateway, { name: "tight", meter: "money", limit: estimate + 1_000n, policy: "strict" });
    const reply = await ask(gateway, stream);
    assert.equal(reply.status, 200, reply.text);
    assert.match(String(reply.headers["x-headgate-attempts"]), /upstream_credentials.*answered/);
  }
});

test("without the money for a second call beside a silent one the first is waited for", async () => {
  await using gateway = await start("ttft=600");
  const estimate = await estimateOf(gateway);
  await allow(gateway.gateway, { name: "tight", meter: "money", limit: estimate + 1_000n, policy: "strict" });
  const reply = await ask(gateway, true);
  assert.equal(reply.status, 200, reply.text);
  assert.match(String(reply.headers["x-headgate-attempts"]), /=answered, .*=budget_exhausted$/);
  await eventually("nothing runs", () => gateway.simulator.stats().running === 0);
  assert.equal(gateway.simulator.stats().complete, 1);
});

/** What one call of the request is held for at the most. */
async function estimateOf({ url, key }: TestGateway): Promise<bigint> {
  const request = { model: "fast", stream: false, max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
  const body = { path: "/v1/chat/completions", request };
  const reply = await send(`${url}/v1/cost/estimate`, { body, headers: { authorization: `Bearer ${key}` } });
  return BigInt(JSON.parse(reply.text).max.cost_nano_usd);
}
