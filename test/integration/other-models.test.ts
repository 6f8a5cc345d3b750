/** A request that lets its provider take another model than the one it asks for: who may, what is held, what is charged. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Config } from "../../src/config/config.ts";
import { defaultProvider, type DeepPartial } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import { createKey } from "../../src/tenancy/keys.ts";
import { allow, spentOf } from "../support/allowances.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startLocalServer } from "../support/local-server.ts";
import { send, type Reply } from "../support/simulator-client.ts";

const CHEAP = "openai/gpt-4o-mini";
const DEAR = "openai/o1-pro";
const UNPRICED = "acme/one-1";
/** Of an answer of a thousand tokens to a prompt of none. */
const cost = { [CHEAP]: 600_000n, [DEAR]: 600_000_000n } as const;
const credentials = [{ name: "only", key: createSecret("sk-test", "test") }];
const DOLLAR = 1_000_000_000n;

interface Scene {
  readonly place: TestGateway;
  /** How many calls came to the provider. */
  calls(): number;
  ask(body: object, key?: string): Promise<Reply>;
}

/** OpenRouter, by hand: answers as `served`. */
async function withRouter(
  served: string,
  act: (scene: Scene) => Promise<void>,
  config: DeepPartial<Config> = {},
): Promise<void> {
  let calls = 0;
  const usage = { prompt_tokens: 0, completion_tokens: 1000, total_tokens: 1000 };
  const id = { id: "gen-1", created: 1, model: served };
  const whole = {
    ...id,
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
    usage,
  };
  const chunk = { ...id, object: "chat.completion.chunk" };
  const stream = [
    { ...chunk, choices: [{ index: 0, delta: { role: "assistant", content: "Hi" }, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
    { ...chunk, choices: [], usage },
  ];
  await using upstream = await startLocalServer((request, response) => {
    calls++;
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const streams = Buffer.concat(parts).includes('"stream":true');
      response.setHeader("content-type", streams ? "text/event-stream" : "application/json");
      const events = stream.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
      response.end(streams ? `${events}data: [DONE]\n\n` : JSON.stringify(whole));
    });
  });
  const openrouter = defaultProvider("openrouter", { baseUrl: `${upstream.url}/v1`, credentials });
  await using place = await startTestGateway({ config: { ...config, providers: { openrouter } } });
  const ask = (body: object, key = place.key): Promise<Reply> =>
    send(`${place.url}/v1/chat/completions`, {
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: { model: `openrouter/${CHEAP}`, max_tokens: 1000, messages: [{ role: "user", content: "?" }], ...body },
    });
  await act({ place, calls: () => calls, ask });
}

function codeOf({ text }: Reply): { readonly code: string; readonly param: string | null; readonly message: string } {
  return (JSON.parse(text) as { error: ReturnType<typeof codeOf> }).error;
}

async function limitedKey({ gateway }: TestGateway, models: readonly string[]): Promise<string> {
  const { db } = gateway.store;
  const clock = createSystemClock();
  const ids = createIdSource(systemRandomFill, () => clock.wallMs());
  const deps = { db, clock, ids, randomFill: systemRandomFill };
  const project = { tenant: "default", project: "default" };
  const { plainKey } = await createKey(deps, project, { name: "few", modelAllowList: models });
  return plainKey;
}

describe("a key that may use some models only", () => {
  const others: readonly (readonly [field: string, body: object])[] = [
    ["models[0]", { models: [DEAR] }],
    ["models[1]", { models: [CHEAP, DEAR] }],
    ["fallbacks[0].model", { fallbacks: [{ model: DEAR }] }],
    ["providerOptions.gateway.models[0]", { providerOptions: { gateway: { models: [DEAR] } } }],
    ["tools[0].parameters.model", { tools: [{ type: "openrouter:advisor", parameters: { model: DEAR } }] }],
    ["preset", { preset: "mine" }],
    ["plugins[0]", { plugins: [{ id: "fusion" }] }],
    ["models", { models: DEAR }],
  ];

  test("may name no other in any field, and nothing is called", async () => {
    await withRouter(DEAR, async ({ place, ask, calls }) => {
      for (const allowed of [`openrouter/${CHEAP}`, "openrouter/*mini"]) {
        const key = await limitedKey(place, [allowed]);
        for (const [field, body] of others) {
          const reply = await ask(body, key);
          assert.equal(reply.status, 403, field);
          assert.deepEqual([codeOf(reply).code, codeOf(reply).param], ["model_not_allowed", field]);
        }
      }
      assert.equal(calls(), 0);
    });
  });

  test("may name those that it may use, and its own", async () => {
    await withRouter(CHEAP, async ({ place, ask }) => {
      const narrow = await limitedKey(place, [`openrouter/${CHEAP}`]);
      assert.equal((await ask({ models: [CHEAP] }, narrow)).status, 200);
      const wide = await limitedKey(place, ["openrouter/*"]);
      assert.equal((await ask({ models: [DEAR], preset: "mine" }, wide)).status, 200);
    });
  });
});

describe("a call that another model serves", () => {
  for (const stream of [false, true]) {
    test(`is charged at that one's price, and the record names it${stream ? ", streamed too" : ""}`, async () => {
      await withRouter(`${DEAR}-2025-03-19`, async ({ place, ask }) => {
        const reply = await ask({ models: [CHEAP, DEAR], stream });
        assert.equal(reply.status, 200);
        assert.equal(reply.headers["x-headgate-model"], `openrouter/${DEAR}-2025-03-19`);
        const { db } = place.gateway.store;
        const entry = await db.selectFrom("ledger_entries").selectAll().executeTakeFirstOrThrow();
        assert.equal(entry.cost_nano_usd, cost[DEAR]);
        assert.match(entry.price_version ?? "", /openrouter\/openai\/o1-pro;as-served$/);
        assert.equal(entry.model_target, `openrouter/${CHEAP}`);
        const record = await db.selectFrom("requests").selectAll().executeTakeFirstOrThrow();
        assert.equal(record.model_served, `openrouter/${DEAR}-2025-03-19`);
      });
    });
  }

  test("is charged at its own price where the one that was asked for serves", async () => {
    await withRouter(`${CHEAP}-2024-07-18`, async ({ place, ask }) => {
      assert.equal((await ask({ models: [DEAR] })).status, 200);
      const entry = await place.gateway.store.db.selectFrom("ledger_entries").selectAll().executeTakeFirstOrThrow();
      assert.equal(entry.cost_nano_usd, cost[CHEAP]);
      assert.doesNotMatch(entry.price_version ?? "", /as-served/);
    });
  });

  test("is charged as the dearest where its name says nothing to us", async () => {
    await withRouter("o1 professional", async ({ place, ask }) => {
      await ask({ models: [DEAR] });
      const entry = await place.gateway.store.db.selectFrom("ledger_entries").selectAll().executeTakeFirstOrThrow();
      assert.equal(entry.cost_nano_usd, cost[DEAR]);
    });
  });
});

describe("a budget of money", () => {
  for (const policy of ["strict", "expected"] as const) {
    test(`of policy ${policy} holds the dearest of the models, and is never passed`, async () => {
      await withRouter(DEAR, async ({ place, ask, calls }) => {
        const limit = 4n * cost[DEAR];
        await allow(place.gateway, { name: "pocket", meter: "money", limit, policy });
        let refused: Reply | null = null;
        for (let asked = 0; asked < 10 && refused === null; asked++) {
          const reply = await ask({ models: [DEAR] });
          if (reply.status !== 200) refused = reply;
        }
        assert.equal(refused?.status, 402);
        assert.ok(calls() > 0);
        assert.equal((await spentOf(place.gateway)).money, BigInt(calls()) * cost[DEAR]);
        assert.ok((await spentOf(place.gateway)).money <= limit);
      });
    });
  }

  test("is told of by the estimate as it is held: the dearest, or a refusal", async () => {
    await withRouter(CHEAP, async ({ place }) => {
      await allow(place.gateway, { name: "pocket", meter: "money", limit: 1000n * DOLLAR });
      const estimate = (models: readonly string[]): Promise<Reply> =>
        send(`${place.url}/v1/cost/estimate`, {
          headers: { authorization: `Bearer ${place.key}`, "content-type": "application/json" },
          body: {
            request: {
              model: `openrouter/${CHEAP}`,
              models,
              max_tokens: 1000,
              messages: [{ role: "user", content: "?" }],
            },
          },
        });
      const { hold } = JSON.parse((await estimate([DEAR])).text) as { hold: { cost_nano_usd: string } };
      assert.ok(BigInt(hold.cost_nano_usd) >= cost[DEAR]);
      assert.deepEqual(codeOf(await estimate([UNPRICED])).code, "unpriced_model");
    });
  });

  test("of some models counts a request that names one of them", async () => {
    await withRouter(CHEAP, async ({ place, ask }) => {
      await allow(place.gateway, {
        name: "dear",
        meter: "requests",
        limit: 0n,
        window: "day",
        models: ["openrouter/*o1*"],
      });
      assert.equal((await ask({})).status, 200);
      assert.equal((await ask({ models: [DEAR] })).status, 402);
    });
  });

  const refused: readonly (readonly [body: object, param: string])[] = [
    [{ model: `openrouter/${UNPRICED}` }, "model"],
    [{ models: [UNPRICED] }, "models[0]"],
  ];

  test("admits no model without a price, whichever field names it, unless the operator says so", async () => {
    const act = async ({ place, ask }: Scene): Promise<readonly Reply[]> => {
      await allow(place.gateway, { name: "pocket", meter: "money", limit: 1000n * DOLLAR });
      return Promise.all(refused.map(([body]) => ask(body)));
    };
    await withRouter(CHEAP, async (scene) => {
      for (const [at, reply] of (await act(scene)).entries()) {
        assert.equal(reply.status, 400);
        const { code, param, message } = codeOf(reply);
        assert.deepEqual([code, param], ["unpriced_model", refused[at]?.[1]]);
        assert.match(
          message,
          /the budget "pocket" cannot limit .* prices\.overrides, or decides by prices\.unknownModel/,
        );
      }
      assert.equal(scene.calls(), 0);
    });
    for (const unknownModel of ["allow", "hold"] as const) {
      const check = async (scene: Scene): Promise<void> => {
        for (const { status } of await act(scene)) assert.equal(status, 200, unknownModel);
      };
      await withRouter(CHEAP, check, { prices: { unknownModel } });
    }
  });

  test("that only warns, or is of something else, lets models without a price through", async () => {
    await withRouter(CHEAP, async ({ place, ask }) => {
      await allow(place.gateway, { name: "soft", meter: "money", limit: DOLLAR, mode: "soft" });
      await allow(place.gateway, { name: "tokens", meter: "tokens", limit: 1_000_000_000n });
      for (const [body] of refused) assert.equal((await ask(body)).status, 200);
    });
  });

  test("that is strict admits no call whose model the provider chooses", async () => {
    await withRouter(DEAR, async ({ place, ask }) => {
      assert.equal((await ask({ preset: "mine" })).status, 200);
      await allow(place.gateway, { name: "loose", meter: "money", limit: 1000n * DOLLAR });
      assert.equal((await ask({ preset: "mine" })).status, 200);
      assert.equal((await spentOf(place.gateway)).money, cost[DEAR]);
      await allow(place.gateway, { name: "pocket", meter: "money", limit: 1000n * DOLLAR, policy: "strict" });
      const reply = await ask({ preset: "mine" });
      assert.equal(reply.status, 400);
      assert.deepEqual([codeOf(reply).code, codeOf(reply).param], ["unpriced_model", "preset"]);
    });
  });
});
