import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { APIError, InternalServerError, type OpenAI } from "openai";
import { openSuite, testBooks, type Suite } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

const messages = [{ role: "user" as const, content: "hi" }];
const MAX_RETRIES = 2;
/** Calls made again that a target always gets within ten seconds. */
const BUDGET_MIN = 10;

describe("the SDK's own retries, where the gateway makes none", () => {
  const suite = openSuite({ config: { retries: { attemptsMax: 1 } } });
  const retrying = (): OpenAI => suite.client.withOptions({ maxRetries: MAX_RETRIES });

  const attemptsOf = (model: string): Promise<number> => countAttempts(suite, model);

  for (const upstream of upstreams) {
    describe(`against ${upstream.title}`, { concurrency: true }, () => {
      test("get an answer after two refusals, each of which says to come back at once", async () => {
        const model = upstream.scripted("tokens=2,status=429,retry-after=0,first=2");
        const completion = await retrying().chat.completions.create({ model, messages });
        assert.equal(completion.choices[0]?.finish_reason, "stop");
        assert.equal(await attemptsOf(model), 3);
      });

      test("wait as long as the provider says, not as long as the SDK would", async () => {
        const model = upstream.scripted("tokens=2,status=429,retry-after=1,first=1");
        const startedMs = performance.now();
        await retrying().chat.completions.create({ model, messages });
        // By itself the SDK waits half a second at most before its first retry.
        assert.ok(performance.now() - startedMs >= 999);
        assert.equal(await attemptsOf(model), 2);
      });

      test("hide one server error before a stream begins", async () => {
        const model = upstream.scripted("tokens=2,status=503,retry-after=0,first=1");
        const stream = await retrying().chat.completions.create({ model, messages, stream: true });
        const chunks = await Array.fromAsync(stream);
        assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, "stop");
        assert.equal(await attemptsOf(model), 2);
      });

      test("give up after two, with the provider's refusal", async () => {
        const model = upstream.scripted("status=429,retry-after=0");
        await assert.rejects(retrying().chat.completions.create({ model, messages }), { status: 429 });
        assert.equal(await attemptsOf(model), 1 + MAX_RETRIES);
      });

      test("do not repeat what would be refused again", async () => {
        for (const status of [400, 404, 413, 422]) {
          const model = upstream.scripted(`status=${status}`);
          await assert.rejects(retrying().chat.completions.create({ model, messages }), { status });
          assert.equal(await attemptsOf(model), 1);
        }
      });

      test("do not repeat a request whose own deadline has passed", async () => {
        const model = upstream.scripted("fault=black-hole");
        const request = retrying().chat.completions.create(
          { model, messages },
          { headers: { "x-headgate-deadline-ms": "120" } },
        );
        await assert.rejects(
          request,
          (error) =>
            error instanceof InternalServerError &&
            error.status === 504 &&
            error.code === "deadline_exceeded" &&
            error.headers.get("x-should-retry") === "false",
        );
        assert.equal(await attemptsOf(model), 1);
      });

      test("never repeat a stream that has begun", async () => {
        const model = upstream.scripted("tokens=9,fault=cut-between-events@4");
        const stream = await retrying().chat.completions.create({ model, messages, stream: true });
        await assert.rejects(Array.fromAsync(stream), APIError);
        assert.equal(await attemptsOf(model), 1);
      });
    });
  }

  testBooks(suite);
});

describe("the SDK's retries beside the gateway's", () => {
  const suite = openSuite({ config: { retries: { backoffMs: 20 } } });
  const retrying = (): OpenAI => suite.client.withOptions({ maxRetries: MAX_RETRIES });

  for (const upstream of upstreams) {
    test(`are not needed for failures that pass (${upstream.title})`, async () => {
      const model = upstream.scripted("tokens=2,status=500,first=3");
      const completion = await retrying().chat.completions.create({ model, messages });
      assert.equal(completion.choices[0]?.finish_reason, "stop");
      assert.equal(await countAttempts(suite, model), 4);
      assert.equal(await countRequests(suite, model), 1);
    });

    test(`come out of the same budget, so that they do not multiply (${upstream.title})`, async () => {
      const model = upstream.scripted("status=502,retry-after=0");
      await assert.rejects(retrying().chat.completions.create({ model, messages }), InternalServerError);
      assert.equal(await countRequests(suite, model), 1 + MAX_RETRIES);
      assert.ok((await countAttempts(suite, model)) <= 1 + BUDGET_MIN);
    });
  }

  testBooks(suite);
});

/** Calls that the simulator saw: a model with a script of its own is asked by one test only. */
async function countAttempts(suite: Suite, model: string): Promise<number> {
  const { db } = suite.gateway.gateway.store;
  const entries = await db.selectFrom("ledger_entries").select("attempt_id").where("model_asked", "=", model).execute();
  return entries.length;
}

async function countRequests(suite: Suite, model: string): Promise<number> {
  const { db } = suite.gateway.gateway.store;
  const rows = await db.selectFrom("requests").select("request_id").where("model_asked", "=", model).execute();
  return rows.length;
}
