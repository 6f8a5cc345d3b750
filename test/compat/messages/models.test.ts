import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Anthropic, { BadRequestError, NotFoundError } from "@anthropic-ai/sdk";
import { createTestKey } from "../keys.ts";
import { openMessagesSuite, upstreams } from "./suite.ts";

const messages = [{ role: "user" as const, content: "How far is the sea?" }];

describe("models and counts through Anthropic's SDK", () => {
  const suite = openMessagesSuite({
    config: { models: { "quick/small": { targets: [{ model: "simulator/sim-mini", weight: 1 }] } } },
  });

  test("models are listed on one page: aliases first, then each provider's", async () => {
    const page = await suite.anthropic.models.list();
    const listed = await Array.fromAsync(page);
    const ids = listed.map(({ id }) => id);
    assert.equal(ids[0], "quick/small");
    for (const { model } of upstreams) assert.ok(ids.includes(model), model);
    for (const { type, display_name: name, created_at: createdAt, id } of listed) {
      assert.deepEqual([type, name, Number.isNaN(Date.parse(createdAt))], ["model", id, false]);
    }
    assert.deepEqual([page.has_more, page.first_id, page.last_id], [false, ids[0], ids.at(-1)]);
  });

  test("a model is found by name, slashes and all, and one that is unknown is not", async () => {
    for (const id of ["quick/small", "simulator/sim-chat"]) {
      assert.equal((await suite.anthropic.models.retrieve(id)).id, id);
    }
    await assert.rejects(
      suite.anthropic.models.retrieve("simulator/sim-caht"),
      (error) => error instanceof NotFoundError && error.type === "not_found_error" && /sim-chat/.test(error.message),
    );
  });

  test("a key sees only the models that it may use", async () => {
    const apiKey = await createTestKey(suite.gateway, { modelAllowList: ["simulator/sim-chat"] });
    const limited = new Anthropic({ baseURL: suite.gateway.url, apiKey, maxRetries: 0 });
    const ids = (await Array.fromAsync(limited.models.list())).map(({ id }) => id);
    assert.deepEqual(ids, ["simulator/sim-chat"]);
  });

  test("OpenAI's SDK still gets the list in its own shape", async () => {
    assert.equal((await suite.client.models.list()).data[0]?.object, "model");
  });

  for (const { title, model } of upstreams) {
    test(`a prompt for ${title} is counted without being sent, and costs nothing`, async () => {
      const { input_tokens: short } = await suite.anthropic.messages.countTokens({ model, messages });
      const { input_tokens: long } = await suite.anthropic.messages.countTokens({
        model,
        system: "You are a guide. ".repeat(100),
        messages,
        tools: [{ name: "measure", input_schema: { type: "object" } }],
      });
      assert.ok(short > 0 && short < 30, String(short));
      assert.ok(long > 400 && long < 600, String(long));
      assert.deepEqual(suite.gateway.simulator.invoice(), []);
      const records = await suite.gateway.gateway.store.db.selectFrom("requests").select("cost_nano_usd").execute();
      assert.ok(records.every(({ cost_nano_usd: cost }) => cost === 0n));
    });
  }

  test("a prompt is counted also where no target could serve it", async () => {
    const tools = [{ type: "web_search_20250305" as const, name: "web_search" as const }];
    const model = upstreams.find(({ native }) => !native)?.model ?? "";
    assert.ok((await suite.anthropic.messages.countTokens({ model, messages, tools })).input_tokens > 0);
    await assert.rejects(
      suite.anthropic.messages.create({ model, max_tokens: 9, messages, tools }),
      (error) => error instanceof BadRequestError && error.errorCode === "unsupported_parameter",
    );
  });

  test("a count is refused as the request would be", async () => {
    await assert.rejects(
      suite.anthropic.messages.countTokens({ model: "nobody/none", messages }),
      (error) => error instanceof NotFoundError && error.errorCode === "model_not_found",
    );
    await assert.rejects(
      suite.anthropic.messages.countTokens({ model: upstreams[0]!.model, messages: [] }),
      (error) => error instanceof BadRequestError && error.errorCode === "invalid_value",
    );
  });
});
