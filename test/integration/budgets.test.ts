/** What a caller sees of allowances, over real sockets: statuses, headers, the estimate, the clamp, and a stream's end. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setAllowance } from "../../src/limits/operations/change.ts";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import { allow, ledgerOf, spentOf } from "../support/allowances.ts";
import { eventually } from "../support/eventually.ts";
import { evidenceOf } from "../support/evidence.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { eventData, send, type Reply } from "../support/simulator-client.ts";

const clock = createSystemClock();
const ids = createIdSource(systemRandomFill, () => clock.wallMs());
/** Of `sim-chat`, nano-dollars a token. */
const OUTPUT_RATE = 4000n;

interface Ask {
  readonly script?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

function ask(place: TestGateway, { script = "tokens=20", body = {}, headers = {}, path }: Ask = {}): Promise<Reply> {
  return send(`${place.url}${path ?? "/v1/chat/completions"}`, {
    headers: { authorization: `Bearer ${place.key}`, "content-type": "application/json", ...headers },
    body: {
      model: `simulator/sim-chat:${script}`,
      messages: [{ role: "user", content: "Hi" }],
      max_completion_tokens: 50,
      ...body,
    },
  });
}

function errorOf(reply: Reply): { readonly code: string; readonly message: string } {
  return JSON.parse(reply.text).error;
}

describe("a budget of money", () => {
  let place: TestGateway;
  before(async () => {
    place = await startTestGateway();
    // Pays for the worst case of one request of 50 tokens, and not for two.
    await allow(place.gateway, { name: "pocket", meter: "money", limit: 3_000_000n, policy: "strict" });
  });
  after(() => place[Symbol.asyncDispose]());

  test("admits what it can pay for, then refuses with 402, naming itself, and nobody is called", async () => {
    assert.equal((await ask(place)).status, 200);
    const calls = place.simulator.stats().complete;
    const replies: Reply[] = [];
    await eventually("the budget is used up", async () => {
      replies.push(await ask(place));
      return replies.at(-1)?.status === 402;
    });
    const refused = replies.at(-1) as Reply;
    assert.equal(errorOf(refused).code, "budget_exhausted");
    assert.match(errorOf(refused).message, /pocket/);
    assert.equal(refused.headers["x-headgate-allowance"], "pocket");
    assert.equal(refused.headers["x-headgate-error-code"], "budget_exhausted");
    assert.equal(refused.headers["retry-after"], undefined, "nothing in flight will be given back");
    assert.equal(refused.headers["x-should-retry"], "false");
    assert.equal(place.simulator.stats().complete, calls + replies.length - 1);
    const { row, entries } = await evidenceOf(place.gateway, String(refused.headers["x-request-id"]));
    assert.deepEqual([row.status, row.ending, row.attempts, entries.length], [402, "refused", 0, 0]);
    assert.equal((await spentOf(place.gateway)).money, (await ledgerOf(place.gateway)).money);
  });

  test("the estimate says what a request would hold, what it can cost, and that it would be refused", async () => {
    const request = { model: "simulator/sim-chat", messages: [{ role: "user", content: "Hi" }], max_tokens: 50 };
    const reply = await ask(place, { path: "/v1/cost/estimate", body: { request } });
    assert.equal(reply.status, 200, reply.text);
    const estimate = JSON.parse(reply.text);
    assert.equal(estimate.model, "simulator/sim-chat");
    assert.equal(estimate.max.output_tokens, 50);
    assert.equal(
      BigInt(estimate.max.cost_nano_usd),
      BigInt(estimate.max.input_tokens) * 1000n * 2n + 50n * OUTPUT_RATE,
    );
    assert.deepEqual([estimate.admitted, estimate.refused_by], [false, "pocket"]);
    assert.equal(estimate.allowances[0].hold, estimate.max.cost_nano_usd);
    assert.ok(BigInt(estimate.allowances[0].available) < BigInt(estimate.allowances[0].hold));
  });

  test("the estimate refuses what it cannot estimate", async () => {
    const asked = [
      [{ request: undefined }, 400, "missing_field"],
      [{ request: {}, path: "/v1/nowhere" }, 400, "invalid_value"],
      [{ request: { model: "nobody", messages: [{ role: "user", content: "Hi" }] } }, 404, "model_not_found"],
      [{ request: [] }, 400, "invalid_value"],
    ] as const;
    for (const [body, status, code] of asked) {
      const reply = await ask(place, { path: "/v1/cost/estimate", body });
      assert.deepEqual([reply.status, errorOf(reply).code], [status, code], reply.text);
    }
  });

  test("raised, it admits again", async () => {
    const { id } = await place.gateway.store.db.selectFrom("tenants").select("id").executeTakeFirstOrThrow();
    const deps = { db: place.gateway.store.db, clock, ids };
    await setAllowance(deps, { tenantId: id, allowance: "pocket" }, { limit: 12_000_000n });
    await eventually("the new limit is in force", async () => (await ask(place)).status === 200);
  });

  test("with `x-headgate-clamp: output` the answer is bounded by what the budget can pay for", async () => {
    const body = { max_completion_tokens: 100_000 };
    const script = "tokens=50000";
    const refused = await ask(place, { script, body });
    assert.equal(refused.status, 402);
    const clamped = await ask(place, { script, body, headers: { "x-headgate-clamp": "output" } });
    assert.equal(clamped.status, 200, clamped.text);
    const bound = Number(clamped.headers["x-headgate-clamped-output-tokens"]);
    const { usage, choices } = JSON.parse(clamped.text);
    assert.ok(bound > 100 && usage.completion_tokens <= bound, `${usage.completion_tokens} of ${bound}`);
    assert.equal(choices[0].finish_reason, "length");
    assert.equal((await spentOf(place.gateway)).money, (await ledgerOf(place.gateway)).money);
    const wrong = await ask(place, { headers: { "x-headgate-clamp": "please" } });
    assert.deepEqual([wrong.status, errorOf(wrong).code], [400, "invalid_header"]);
  });
});

test("a stream grows slice by slice, and one that outgrows its budget ends with an error event and is charged", async () => {
  await using place = await startTestGateway({ config: { budgets: { outputSliceTokens: 64 } } });
  await allow(place.gateway, { name: "slices", meter: "money", limit: 6_000_000n });
  const reply = await ask(place, {
    script: "tokens=20000,rate=3000",
    body: { stream: true, max_completion_tokens: 50_000 },
  });
  assert.equal(reply.status, 200);
  const events = eventData(reply.text);
  assert.ok(!events.includes("[DONE]"));
  assert.equal(JSON.parse(events.at(-1) ?? "{}").error.code, "budget_exhausted");
  const { row, entries } = await evidenceOf(place.gateway, String(reply.headers["x-request-id"]));
  assert.deepEqual([row.ending, row.error_code, row.status], ["truncated", "budget_exhausted", 200]);
  assert.equal(entries[0]?.basis, "metered");
  assert.ok(row.cost_nano_usd > 2_000_000n, "what had come is charged");
  assert.ok(row.cost_nano_usd <= 6_000_000n + 64n * OUTPUT_RATE, "at the most a slice beyond the limit");
  assert.equal((await spentOf(place.gateway)).money, row.cost_nano_usd);
});

test("a rate of requests refuses with 429, says when to come again, and where it stands on every answer", async () => {
  await using place = await startTestGateway();
  await allow(place.gateway, { name: "calm", meter: "requests", limit: 60n, window: "hour", burst: 3n });
  const first = await ask(place);
  assert.equal(first.status, 200);
  assert.equal(first.headers["x-ratelimit-limit-requests"], "3");
  assert.equal(first.headers["x-ratelimit-remaining-requests"], "2");
  assert.match(String(first.headers["x-ratelimit-reset-requests"]), /^(\d+ms|[\d.]+s|\d+m\d+s)$/);
  assert.equal(first.headers["x-ratelimit-limit-tokens"], undefined, "no rate of tokens applies");
  const replies = await Promise.all(Array.from({ length: 5 }, () => ask(place)));
  const refused = replies.filter(({ status }) => status === 429);
  assert.equal(replies.filter(({ status }) => status === 200).length, 2);
  assert.equal(refused.length, 3);
  for (const reply of refused) {
    assert.equal(errorOf(reply).code, "rate_limited");
    assert.equal(reply.headers["x-headgate-allowance"], "calm");
    assert.equal(reply.headers["x-should-retry"], "true");
    assert.equal(reply.headers["x-ratelimit-limit-requests"], "3");
    assert.equal(reply.headers["x-ratelimit-remaining-requests"], "0");
    const retryAfterMs = Number(reply.headers["retry-after-ms"]);
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 60_000, `${retryAfterMs} ms`);
    assert.equal(reply.headers["retry-after"], String(Math.ceil(retryAfterMs / 1000)));
  }
});

test("slots refuse with 429 while they are taken, and are free again when a request ends, however it ends", async () => {
  await using place = await startTestGateway();
  await allow(place.gateway, { name: "one-at-a-time", meter: "slots", limit: 1n });
  const running = ask(place, { script: "tokens=5,ttft=300" });
  await eventually("the provider is called", () => place.simulator.stats().running === 1);
  const refused = await ask(place);
  assert.deepEqual([refused.status, errorOf(refused).code], [429, "slots_exhausted"]);
  assert.ok(refused.headers["retry-after"] !== undefined);
  assert.equal((await running).status, 200);
  assert.equal((await ask(place, { script: "status=500" })).status, 502);
  assert.equal((await ask(place, { body: { max_completion_tokens: -1 } })).status, 400);
  assert.equal((await ask(place)).status, 200);
});

test("each end user has an allowance of their own; soft and shadow limits refuse nobody", async () => {
  await using place = await startTestGateway();
  const { id } = await place.gateway.store.db.selectFrom("tenants").select("id").executeTakeFirstOrThrow();
  const scope = { kind: "end-user", tenantId: id, projectId: null, keyId: null, endUser: null } as const;
  await allow(place.gateway, { name: "each-once", meter: "requests", limit: 1n, window: "day", scope });
  await allow(place.gateway, { name: "warns", meter: "requests", limit: 0n, window: "day", mode: "soft" });
  await allow(place.gateway, { name: "watches", meter: "money", limit: 0n, mode: "shadow" });
  const as = async (user: string): Promise<number> => (await ask(place, { body: { user } })).status;
  assert.deepEqual([await as("ann"), await as("ann"), await as("ben"), await as("ben")], [200, 402, 200, 402]);
  assert.equal((await ask(place)).status, 200, "a request without an end user is not counted by it");
});

test("the estimate of an alias is of the target that would be called, and at the most of the dearest", async () => {
  const targets = [
    { model: "simulator/sim-chat", weight: 1_000_000 },
    { model: "simulator-anthropic/sim-claude", weight: 1 },
  ];
  await using place = await startTestGateway({ config: { models: { either: { targets } } } });
  const used = { name: "first-only", meter: "money", limit: 0n, models: ["simulator/sim-chat"] } as const;
  await allow(place.gateway, used);
  const request = { model: "either", messages: [{ role: "user", content: "Hi" }], max_tokens: 50 };
  const estimateOf = async (model: string): Promise<{ [name: string]: unknown; max: { cost_nano_usd: string } }> =>
    JSON.parse((await ask(place, { path: "/v1/cost/estimate", body: { request: { ...request, model } } })).text);
  const either = await estimateOf("either");
  assert.deepEqual([either["model"], either["admitted"], either["refused_by"]], [targets[1]?.model, true, null]);
  assert.equal((await ask(place, { body: request })).headers["x-headgate-model"], targets[1]?.model);
  const [cheap, dear] = await Promise.all(targets.map(({ model }) => estimateOf(model)));
  const [most, least, bound] = [either, cheap, dear].map((estimate) => Number(estimate?.max.cost_nano_usd));
  // The longer name of the model counts as input.
  assert.ok(least! < most! && most! <= bound!, `${least} < ${most} <= ${bound}`);
});

test("the estimate tells of allowances that warn, and of none that only watch", async () => {
  await using place = await startTestGateway();
  for (const mode of ["shadow", "soft", "enforce"] as const) {
    await allow(place.gateway, { name: mode, meter: "requests", limit: 0n, window: "day", mode });
  }
  const body = { request: { model: "simulator/sim-chat", messages: [{ role: "user", content: "Hi" }] } };
  const reply = await ask(place, { path: "/v1/cost/estimate", body });
  const { allowances, refused_by } = JSON.parse(reply.text);
  assert.deepEqual(new Set(allowances.map(({ name }: { name: string }) => name)), new Set(["soft", "enforce"]));
  assert.equal(refused_by, "enforce");
  assert.doesNotMatch(reply.text, /shadow/);
});
