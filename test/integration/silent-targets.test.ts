/** While a target of the plan answers, nobody waits for a silent one for long, however many requests there are. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Config } from "../../src/config/config.ts";
import type { DeepPartial } from "../../src/config/defaults.ts";
import type { TrailStep } from "../../src/storage/records.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { send, type Reply } from "../support/simulator-client.ts";

const SWITCH_MS = 200;
/** On a busy machine, and still far from any timeout. */
const SOON_MS = 10_000;
const silent = "simulator/sim-chat:fault=black-hole";
const healthy = "simulator/sim-chat:tokens=20,input=7";

/** Targets are called in this order. */
function inOrder(...models: readonly string[]): { model: string; weight: number }[] {
  return models.map((model, index) => ({ model, weight: 1e-5 ** index * 1e6 }));
}

function start(targets: readonly string[], more: DeepPartial<Config> = {}): Promise<TestGateway> {
  const timeouts = { switchMs: SWITCH_MS, totalMs: 60_000, ...more.timeouts };
  return startTestGateway({ config: { models: { it: { targets: inOrder(...targets) } }, ...more, timeouts } });
}

interface Ask {
  readonly stream?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask({ url, key }: TestGateway, { stream = true, headers }: Ask = {}): Promise<Reply & { ms: number }> {
  const body = { model: "it", stream, max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
  const startedMs = performance.now();
  const reply = await send(`${url}/v1/chat/completions`, {
    body,
    headers: { authorization: `Bearer ${key}`, ...headers },
  });
  return { ...reply, ms: performance.now() - startedMs };
}

function assertServed(reply: Reply & { ms: number }): void {
  assert.equal(reply.status, 200, reply.text);
  assert.ok(reply.ms < SOON_MS, `after ${Math.round(reply.ms)} ms`);
}

describe("a silent target", () => {
  test("is left by sixty requests at once, whatever the retry budget", async () => {
    for (const budgetPercent of [20, 0]) {
      await using gateway = await start([silent, healthy], { retries: { budgetPercent } });
      for (const reply of await Promise.all(Array.from({ length: 60 }, () => ask(gateway)))) assertServed(reply);
    }
  });

  test("does not hide a healthy third behind a silent second", async () => {
    await using gateway = await start([silent, `${silent},tag=2`, healthy]);
    const reply = await ask(gateway);
    assertServed(reply);
    assert.match(String(reply.headers["x-headgate-attempts"]), /cancelled.*cancelled.*answered/);
  });

  test("is left in time for a caller whose deadline is shorter than the usual patience", async () => {
    await using gateway = await start([silent, healthy], { timeouts: { switchMs: 60_000 } });
    for (const stream of [true, false])
      assertServed(await ask(gateway, { stream, headers: { "x-headgate-deadline-ms": "1500" } }));
    assertServed(await ask(gateway, { stream: false, headers: { "x-stainless-timeout": "2" } }));
  });

  test("is left by its own timer of the first token, also where an SDK says how long it waits", async () => {
    await using gateway = await start([silent, healthy], { timeouts: { switchMs: 0, firstTokenMs: 200 } });
    const reply = await ask(gateway, { headers: { "x-stainless-timeout": "600" } });
    assertServed(reply);
    assert.match(String(reply.headers["x-headgate-attempts"]), /first_token_timeout.*answered/);
  });

  test("is left when its own total time is over, if the request has more", async () => {
    const models = {
      it: {
        targets: [
          { model: silent, weight: 1e6, timeouts: { totalMs: 300 } },
          { model: healthy, weight: 1e-6 },
        ],
      },
    };
    await using gateway = await start([], { models, timeouts: { switchMs: 0 } });
    const reply = await ask(gateway, { stream: false });
    assertServed(reply);
    assert.match(String(reply.headers["x-headgate-attempts"]), /total_timeout.*answered/);
  });

  test("that is left again and again is left alone, and the other answers at once", async () => {
    await using gateway = await start([silent, healthy]);
    for (let turn = 0; turn < 6; turn++) assertServed(await ask(gateway));
    const reply = await ask(gateway);
    assertServed(reply);
    assert.ok(reply.ms < SWITCH_MS, `after ${Math.round(reply.ms)} ms`);
    const told = `${silent}=target_unavailable, ${healthy}=answered`;
    assert.equal(reply.headers["x-headgate-attempts"], told, "one call, and why it was not of the first");
    assert.deepEqual(await lastTrailOf(gateway), [
      { target: silent, credential: false, outcome: "passed-over", code: "target_unavailable" },
      { target: healthy, credential: true, outcome: "answered", code: null },
    ]);
  });
});

test("a slow but healthy target does not bring its standby into disrepute", async () => {
  await using gateway = await start(["simulator/sim-chat:tokens=5,ttft=500", "simulator/sim-chat:tokens=5,ttft=600"]);
  for (let turn = 0; turn < 6; turn++) {
    const reply = await ask(gateway);
    assertServed(reply);
    assert.match(reply.text, /\[DONE\]/);
  }
  assert.deepEqual(await statesOf(gateway), ["closed", "closed"]);
});

test("who finds a target saturated is served by another that has room", async () => {
  await using gateway = await start([healthy], { timeouts: { switchMs: 0 } });
  const { config } = gateway.gateway;
  const narrow = { ...config.providers["simulator"]!, concurrency: 1 };
  const targets = inOrder("narrow/sim-chat:tokens=5,ttft=400", healthy);
  const it = {
    ...config.models["it"]!,
    targets: targets.map((target) => ({ ...target, tags: [], timeouts: {}, queue: {} })),
  };
  gateway.gateway.replaceConfig({ ...config, providers: { ...config.providers, narrow }, models: { it } });
  const replies = await Promise.all(Array.from({ length: 8 }, () => ask(gateway)));
  for (const reply of replies) assertServed(reply);
  const byNarrow = replies.filter(({ headers }) => String(headers["x-headgate-model"]).startsWith("narrow/"));
  assert.equal(byNarrow.length, 1);
  const told = replies.map(({ headers }) => headers["x-headgate-attempts"]).filter((said) => said !== undefined);
  assert.deepEqual(new Set(told), new Set([`narrow/sim-chat:tokens=5,ttft=400=overloaded, ${healthy}=answered`]));
  assert.equal(told.length, 7);
});

/** Of the request that was recorded last; `credential`: whether one is named. */
async function lastTrailOf({ gateway }: TestGateway): Promise<readonly unknown[]> {
  const rows = gateway.store.db.selectFrom("requests").select("trail").orderBy("started_at_ms", "desc");
  const { trail } = await rows.limit(1).executeTakeFirstOrThrow();
  const steps = JSON.parse(String(trail)) as TrailStep[];
  return steps.map(({ target, credential, outcome, code }) => ({
    target,
    credential: credential !== null,
    outcome,
    code,
  }));
}

/** Of each target that the gateway has called, whether it is called as usual. */
async function statesOf({ url, key }: TestGateway): Promise<readonly string[]> {
  const request = { model: "it", messages: [{ role: "user", content: "Hi" }] };
  const reply = await send(`${url}/v1/route/explain`, {
    body: { path: "/v1/chat/completions", request },
    headers: { authorization: `Bearer ${key}` },
  });
  const { targets } = JSON.parse(reply.text) as { targets: { health: { state: string } | null }[] };
  return targets.map(({ health }) => health?.state ?? "not called");
}
