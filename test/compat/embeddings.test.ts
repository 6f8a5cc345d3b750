import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadRequestError } from "openai";
import { openSuite, testBooks } from "./suite.ts";

const model = "simulator/sim-embed";
const DIMENSIONS = 1536;

function lengthOf(vector: readonly number[]): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

// Anthropic has no embeddings, so there is one upstream here, and the refusal of the other.
describe("embeddings through the SDK", () => {
  const suite = openSuite();

  test("of a text are decoded from base64, which the SDK asks for by itself", async () => {
    const { data, usage, object } = await suite.client.embeddings.create({ model, input: "the river" });
    assert.equal(object, "list");
    assert.deepEqual([data.length, data[0]?.index, data[0]?.object], [1, 0, "embedding"]);
    assert.equal(data[0]?.embedding.length, DIMENSIONS);
    assert.ok(Math.abs(lengthOf(data[0].embedding) - 1) < 1e-5);
    assert.ok(usage.prompt_tokens > 0);
    assert.equal(usage.total_tokens, usage.prompt_tokens);
  });

  test("are the same as floats and as base64", async () => {
    const ask = async (encoding?: "float" | "base64"): Promise<unknown> => {
      const request = { model, input: "the weir", dimensions: 16 };
      const { data } = await suite.client.embeddings.create(
        encoding === undefined ? request : { ...request, encoding_format: encoding },
      );
      return data[0]?.embedding;
    };
    const floats = await ask("float");
    const text = (await ask("base64")) as string;
    assert.deepEqual(await ask(), floats);
    const bytes = Buffer.from(text, "base64");
    assert.deepEqual(
      Array.from({ length: 16 }, (_, index) => bytes.readFloatLE(4 * index)),
      floats,
    );
  });

  test("of several texts come in order, with the dimensions asked for", async () => {
    const texts = ["a", "b", "a"];
    const { data } = await suite.client.embeddings.create({ model, input: texts, dimensions: 8, user: "user-7" });
    assert.deepEqual(
      data.map(({ index, embedding }) => [index, embedding.length]),
      [
        [0, 8],
        [1, 8],
        [2, 8],
      ],
    );
    assert.deepEqual(data[0]?.embedding, data[2]?.embedding);
    assert.notDeepEqual(data[0]?.embedding, data[1]?.embedding);
  });

  test("of tokens count each token", async () => {
    const one = await suite.client.embeddings.create({ model, input: [1, 2, 3, 4], dimensions: 4 });
    assert.deepEqual([one.data.length, one.usage.prompt_tokens], [1, 4]);
    const two = await suite.client.embeddings.create({
      model,
      input: [
        [1, 2, 3],
        [4, 5],
      ],
      dimensions: 4,
    });
    assert.deepEqual([two.data.length, two.usage.prompt_tokens], [2, 5]);
  });

  for (const [what, change, param] of [
    ["an empty text", { input: "" }, "input"],
    ["an empty list", { input: [] }, "input"],
    ["a list of mixed kinds", { input: ["a", 1] as never }, "input[1]"],
    ["no dimensions", { dimensions: 0 }, "dimensions"],
    ["an unknown encoding", { encoding_format: "hex" as never }, "encoding_format"],
  ] as const) {
    test(`of ${what} are refused by name`, async () => {
      await assert.rejects(
        suite.client.embeddings.create({ model, input: "a", encoding_format: "float", ...change } as never),
        (error) => error instanceof BadRequestError && error.param === param && error.code === "invalid_value",
      );
    });
  }

  test("of a model that has none are refused before anything is sent", async () => {
    const sent = suite.gateway.simulator.stats();
    for (const chatModel of ["simulator-anthropic/sim-claude", "simulator-anthropic/sim-embed"]) {
      await assert.rejects(
        suite.client.embeddings.create({ model: chatModel, input: "a" }),
        (error) =>
          error instanceof BadRequestError &&
          error.code === "unsupported_capability" &&
          error.param === "model" &&
          error.message.includes(`${chatModel} does not serve embeddings`),
      );
    }
    assert.deepEqual(suite.gateway.simulator.stats(), sent);
  });

  testBooks(suite);
});
