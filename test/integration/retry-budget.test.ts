/** Who calls a failing target again spends one budget, whether that is the gateway or an SDK by itself. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { OpenAI } from "openai";
import { eventually } from "../support/eventually.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { send } from "../support/simulator-client.ts";

/** Calls made again that a target gets within ten seconds, however few requests it had. */
const BUDGET_MIN = 10;
const messages = [{ role: "user" as const, content: "Hi" }];

let place: TestGateway;
before(async () => {
  place = await startTestGateway({
    config: {
      retries: { attemptsMax: 2, backoffMs: 0 },
      health: { failuresInRow: 0, failurePercent: 0 },
    },
  });
});
after(() => place[Symbol.asyncDispose]());

/** A target that always fails and says to come back at once, with a budget of its own. */
function failing(name: string): string {
  return `simulator/sim-chat:status=502,retry-after=0,tag=${name}`;
}

/** Of each request for this model in turn, how many calls it made. */
async function callsOf(model: string, requests: number): Promise<readonly number[]> {
  const rows = place.gateway.store.db.selectFrom("requests").select("attempts").where("model_asked", "=", model);
  const found = await eventually(`${requests} records`, async () => {
    const recorded = await rows.orderBy("request_id").execute();
    return recorded.length >= requests ? recorded : null;
  });
  return found.map(({ attempts }) => attempts);
}

async function askAll(model: string, requests: number, headers: Readonly<Record<string, string>>): Promise<void> {
  for (let request = 0; request < requests; request++) {
    const reply = await send(`${place.url}/v1/chat/completions`, {
      body: { model, messages },
      headers: { authorization: `Bearer ${place.key}`, ...headers },
    });
    assert.equal(reply.status, 502, reply.text);
  }
}

function countAgain(calls: readonly number[]): number {
  return calls.reduce((sum, made) => sum + made - 1, 0);
}

describe("the retry budget of a target", () => {
  for (const [what, headers, again] of [
    ["by the gateway alone", {}, BUDGET_MIN],
    ["for an SDK's first try", { "x-stainless-retry-count": "0" }, BUDGET_MIN],
    ["for an SDK's retry, which is paid for besides", { "x-stainless-retry-count": "1" }, BUDGET_MIN / 2],
  ] as const) {
    test(`is spent ${what}`, async () => {
      const model = failing(what.replaceAll(/[^a-z]+/g, "-"));
      const requests = BUDGET_MIN + 4;
      await askAll(model, requests, headers);
      const calls = await callsOf(model, requests);
      assert.equal(countAgain(calls), again);
      assert.deepEqual(calls.slice(again), Array(requests - again).fill(1), "and then nothing is made again");
    });
  }

  test("is spent by the retries that OpenAI's SDK makes by itself", async () => {
    const client = new OpenAI({ baseURL: `${place.url}/v1`, apiKey: place.key, maxRetries: 1 });
    const model = failing("sdk");
    const creations = 5;
    for (let creation = 0; creation < creations; creation++) {
      await assert.rejects(client.chat.completions.create({ model, messages }), { status: 502 });
    }
    // Each creation but for the last two: one call made again for the first try, and for the second one at twice the price.
    assert.deepEqual(await callsOf(model, 2 * creations), [2, 2, 2, 2, 2, 2, 2, 1, 1, 1]);
  });
});
