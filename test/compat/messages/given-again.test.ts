import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UnprocessableEntityError, type Anthropic } from "@anthropic-ai/sdk";
import { testBooks } from "../suite.ts";
import { openMessagesSuite, upstreams } from "./suite.ts";

const messages = [{ role: "user" as const, content: "Tell me of the river" }];
const max_tokens = 500;

describe("answers that are given again, through Anthropic's SDK", () => {
  const suite = openMessagesSuite({
    config: {
      models: {
        "cached-openai": { targets: [{ model: "simulator/sim-chat" }], cache: { mode: "exact" } },
        "cached-anthropic": { targets: [{ model: "simulator-anthropic/sim-claude" }], cache: { mode: "exact" } },
      },
    },
  });

  function callsSoFar(): number {
    return suite.gateway.simulator.invoice().length;
  }

  async function streamOnce(model: string, key: string): Promise<readonly Anthropic.RawMessageStreamEvent[]> {
    const body = { model, max_tokens, messages, stream: true as const };
    return Array.fromAsync(await suite.anthropic.messages.create(body, { headers: { "Idempotency-Key": key } }));
  }

  for (const { title, model } of upstreams) {
    describe(`from ${title}`, () => {
      test("a stream with an Idempotency-Key comes twice and is made once", async () => {
        const before = callsSoFar();
        const first = await streamOnce(model, `stream of ${model}`);
        assert.equal(first.at(-1)?.type, "message_stop");
        assert.deepEqual(await streamOnce(model, `stream of ${model}`), first);
        assert.equal(callsSoFar(), before + 1);
      });

      test("many at once with one key are made once", async () => {
        const before = callsSoFar();
        const all = await Promise.all(Array.from({ length: 10 }, () => streamOnce(model, `ten of ${model}`)));
        for (const each of all) assert.deepEqual(each, all[0]);
        assert.equal(callsSoFar(), before + 1);
      });
    });
  }

  for (const model of ["cached-openai", "cached-anthropic"]) {
    test(`an equal request to ${model} is answered from the cache, whoever asks for whom`, async () => {
      const before = callsSoFar();
      const ask = (user_id: string) =>
        suite.anthropic.messages.create({ model, max_tokens, messages, metadata: { user_id } }).withResponse();
      const [first, again] = [await ask("ada"), await ask("ben")];
      assert.deepEqual(again.data, first.data);
      assert.equal(again.response.headers.get("x-headgate-cache"), "hit");
      assert.equal(callsSoFar(), before + 1);
    });

    test(`what ${model} answered as a stream is there as a whole, too`, async () => {
      const before = callsSoFar();
      const request = { model, max_tokens, messages: [{ role: "user" as const, content: "And of the sea?" }] };
      const streamed = await suite.anthropic.messages.stream(request).finalMessage();
      const { data, response } = await suite.anthropic.messages.create(request).withResponse();
      assert.deepEqual(data.content, streamed.content);
      assert.equal(response.headers.get("x-headgate-cache"), "hit");
      assert.equal(callsSoFar(), before + 1);
    });
  }

  test("an answer is not shared with a request for other features", async () => {
    const before = callsSoFar();
    const body = { model: "cached-anthropic", max_tokens, messages: [{ role: "user" as const, content: "Betas?" }] };
    for (const beta of ["a-2026-01-01", "b-2026-01-01"]) {
      await suite.anthropic.messages.create(body, { headers: { "anthropic-beta": beta } });
    }
    assert.equal(callsSoFar(), before + 2);
  });

  test("another request with the same key is an error of the caller's", async () => {
    const model = upstreams[0]?.model ?? "";
    await streamOnce(model, "one key");
    const other = suite.anthropic.messages.create(
      { model, max_tokens: 7, messages },
      { headers: { "Idempotency-Key": "one key" } },
    );
    await assert.rejects(other, UnprocessableEntityError);
  });

  testBooks(suite);
});
