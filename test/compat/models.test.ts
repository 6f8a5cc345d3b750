import assert from "node:assert/strict";
import { describe, test } from "node:test";
import OpenAI, { NotFoundError } from "openai";
import { openSuite } from "./suite.ts";
import { createTestKey } from "./keys.ts";
import { upstreams } from "./upstreams.ts";

describe("models through the SDK", () => {
  const suite = openSuite({
    config: {
      models: {
        mixed: { targets: upstreams.map(({ model }) => ({ model, weight: 1 })) },
        "quick/small": { targets: [{ model: "simulator/sim-mini", weight: 1 }] },
      },
    },
  });

  test("are listed: aliases first, then each provider's", async () => {
    const ids: string[] = [];
    for await (const model of suite.client.models.list()) {
      assert.equal(model.object, "model");
      ids.push(model.id);
    }
    assert.deepEqual(ids.slice(0, 2), ["mixed", "quick/small"]);
    for (const { model } of upstreams) assert.ok(ids.includes(model), model);
    assert.ok(ids.includes("simulator/sim-embed"));
  });

  test("are found by name, slashes and all", async () => {
    for (const id of ["mixed", "quick/small", ...upstreams.map(({ model }) => model)]) {
      const model = await suite.client.models.retrieve(id);
      assert.deepEqual([model.id, model.object], [id, "model"]);
    }
    assert.equal((await suite.client.models.retrieve("mixed")).owned_by, "headgate");
    assert.equal((await suite.client.models.retrieve("simulator/sim-chat")).owned_by, "simulator");
  });

  test("that are unknown are not found, and near names are suggested", async () => {
    const unknown = (error: unknown): boolean =>
      error instanceof NotFoundError && error.code === "model_not_found" && /simulator\/sim-chat/.test(error.message);
    await assert.rejects(suite.client.models.retrieve("simulator/sim-caht"), unknown);
    await assert.rejects(
      suite.client.chat.completions.create({ model: "sim-caht", messages: [{ role: "user", content: "hi" }] }),
      (error) => error instanceof NotFoundError && error.code === "model_not_found" && error.param === "model",
    );
  });

  test("behind one alias answer alike, whichever dialect serves", async () => {
    const served = new Set<string | null>();
    for (let turn = 0; turn < 40 && served.size < 2; turn++) {
      const { data, response } = await suite.client.chat.completions
        .create({ model: "mixed", messages: [{ role: "user", content: "hi" }] })
        .withResponse();
      served.add(response.headers.get("x-headgate-model"));
      assert.match(data.choices[0]?.message.content ?? "", /You said: “hi”/);
    }
    assert.deepEqual(served, new Set(upstreams.map(({ model }) => model)));
  });

  test("are only those that the key may use", async () => {
    const apiKey = await createTestKey(suite.gateway, { modelAllowList: ["simulator/*"] });
    const client = new OpenAI({ baseURL: suite.client.baseURL, apiKey, maxRetries: 0 });
    const ids = (await client.models.list()).data.map(({ id }) => id);
    assert.ok(ids.includes("simulator/sim-chat") && !ids.includes("simulator-anthropic/sim-claude"), ids.join());
    await assert.rejects(client.models.retrieve("simulator-anthropic/sim-claude"), NotFoundError);
  });
});
