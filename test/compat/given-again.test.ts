import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { APIError } from "openai";
import { openSuite, testBooks, type Suite } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

const messages = [{ role: "user" as const, content: "Tell me of the river" }];

async function streamOnce(suite: Suite, model: string, key: string): Promise<readonly unknown[]> {
  const body = { model, messages, stream: true as const };
  return Array.fromAsync(await suite.client.chat.completions.create(body, { headers: { "Idempotency-Key": key } }));
}

function callsOf({ gateway }: Suite): number {
  return gateway.simulator.invoice().length;
}

describe("answers that are given again, through the SDK", () => {
  const suite = openSuite({
    config: {
      models: {
        "cached-openai": { targets: [{ model: "simulator/sim-chat" }], cache: { mode: "exact" } },
        "cached-anthropic": { targets: [{ model: "simulator-anthropic/sim-claude" }], cache: { mode: "exact" } },
      },
    },
  });

  for (const { title, model } of upstreams) {
    describe(`from ${title}`, () => {
      test("a stream with an Idempotency-Key comes twice and is made once", async () => {
        const before = callsOf(suite);
        const first = await streamOnce(suite, model, `stream of ${model}`);
        assert.deepEqual(await streamOnce(suite, model, `stream of ${model}`), first);
        assert.equal(callsOf(suite), before + 1);
      });

      test("many at once with one key are made once", async () => {
        const before = callsOf(suite);
        const all = await Promise.all(Array.from({ length: 10 }, () => streamOnce(suite, model, `ten of ${model}`)));
        for (const each of all) assert.deepEqual(each, all[0]);
        assert.equal(callsOf(suite), before + 1);
      });
    });
  }

  for (const alias of ["cached-openai", "cached-anthropic"]) {
    test(`an equal request to ${alias} is answered from the cache`, async () => {
      const before = callsOf(suite);
      const ask = () => suite.client.chat.completions.create({ model: alias, messages }).withResponse();
      const [first, again] = [await ask(), await ask()];
      assert.deepEqual(again.data, first.data);
      assert.equal(again.response.headers.get("x-headgate-cache"), "hit");
      assert.equal(callsOf(suite), before + 1);
    });
  }

  test("another request with the same key is an error of the caller's", async () => {
    const model = upstreams[0]?.model ?? "";
    await streamOnce(suite, model, "one key");
    const other = suite.client.chat.completions.create(
      { model, messages, seed: 1 },
      { headers: { "Idempotency-Key": "one key" }, maxRetries: 2 },
    );
    await assert.rejects(other, (thrown) => thrown instanceof APIError && thrown.status === 422);
  });

  testBooks(suite);
});
