/** What a caller of the Messages API sees of allowances: statuses, headers, the estimate, the clamp, and a stream's end. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allow, ledgerOf, spentOf } from "../support/allowances.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { eventData, send, type Reply } from "../support/simulator-client.ts";

const models = ["simulator-anthropic/sim-claude", "simulator/sim-chat"];
/** Nano-dollars a token of output, at the most. */
const OUTPUT_RATE = 15_000n;

interface Ask {
  readonly model: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

function request(model: string, body: object = {}): object {
  return { model, max_tokens: 50, messages: [{ role: "user", content: "Hi" }], ...body };
}

function ask(place: TestGateway, { model, body = {}, headers = {}, path = "/v1/messages" }: Ask): Promise<Reply> {
  return send(`${place.url}${path}`, {
    headers: { "x-api-key": place.key, "anthropic-version": "2023-06-01", ...headers },
    body: path === "/v1/messages" ? request(model, body) : { path: "/v1/messages", request: request(model, body) },
  });
}

function errorOf(text: string): { readonly type: string; readonly code: string } {
  return JSON.parse(text).error;
}

for (const model of models) {
  describe(`of ${model}, a caller of the Messages API`, () => {
    test("is refused by a budget as Anthropic refuses an unpaid bill, and nobody is called", async () => {
      await using place = await startTestGateway();
      await allow(place.gateway, { name: "pocket", meter: "money", limit: 1n, policy: "strict" });
      const refused = await ask(place, { model });
      assert.equal(refused.status, 402);
      const { type, code } = errorOf(refused.text);
      assert.deepEqual([type, code], ["billing_error", "budget_exhausted"]);
      assert.equal(refused.headers["x-headgate-allowance"], "pocket");
      assert.equal(place.simulator.invoice().length, 0);
    });

    test("is told in Anthropic's headers where a rate stands, with a time at which it is full again", async () => {
      await using place = await startTestGateway();
      await allow(place.gateway, { name: "calm", meter: "requests", limit: 60n, window: "hour", burst: 1n });
      const first = await ask(place, { model, body: { stream: true } });
      assert.equal(first.status, 200);
      const refused = await ask(place, { model });
      assert.deepEqual([refused.status, errorOf(refused.text).type], [429, "rate_limit_error"]);
      for (const { headers } of [first, refused]) {
        assert.equal(headers["anthropic-ratelimit-requests-limit"], "1");
        assert.equal(headers["anthropic-ratelimit-requests-remaining"], "0");
        const reset = String(headers["anthropic-ratelimit-requests-reset"]);
        assert.match(reset, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        assert.ok(Math.abs(Date.parse(reset) - Date.now()) <= 120_000, reset);
        assert.equal(headers["x-ratelimit-limit-requests"], undefined);
      }
      assert.ok(Number(refused.headers["retry-after-ms"]) > 0);
    });

    test("sees a stream that outgrows its budget end with an error event, and pays for what had come", async () => {
      await using place = await startTestGateway({ config: { budgets: { outputSliceTokens: 64 } } });
      await allow(place.gateway, { name: "slices", meter: "money", limit: 12_000_000n });
      const reply = await ask(place, {
        model: `${model}:tokens=20000,rate=1000`,
        body: { stream: true, max_tokens: 50_000 },
      });
      assert.equal(reply.status, 200);
      const last = JSON.parse(eventData(reply.text).at(-1) ?? "{}");
      assert.deepEqual([last.type, last.error.code], ["error", "budget_exhausted"]);
      assert.ok(!reply.text.includes("message_stop"));
      const { money } = await spentOf(place.gateway);
      // A slice beyond the limit, and what comes at once from a provider that was held up: of 20,000 tokens the beginning.
      assert.ok(money > 1_000_000n && money <= 12_000_000n + 1_000n * OUTPUT_RATE, String(money));
      assert.equal(money, (await ledgerOf(place.gateway)).money);
    });

    test("has its answer bounded by what the budget can pay for, where it wants that", async () => {
      await using place = await startTestGateway();
      await allow(place.gateway, { name: "pocket", meter: "money", limit: 60_000_000n, policy: "strict" });
      const body = { max_tokens: 100_000 };
      const long = `${model}:tokens=50000`;
      assert.equal((await ask(place, { model: long, body })).status, 402);
      const headers = { "x-headgate-clamp": "output" };
      const clamped = await ask(place, { model: long, body, headers });
      assert.equal(clamped.status, 200, clamped.text);
      const bound = Number(clamped.headers["x-headgate-clamped-output-tokens"]);
      const message = JSON.parse(clamped.text);
      assert.ok(bound > 100 && message.usage.output_tokens <= bound);
      assert.equal(message.stop_reason, "max_tokens");
      const thinking = { type: "enabled", budget_tokens: 90_000 };
      const thoughtful = await ask(place, { model: long, body: { ...body, thinking }, headers });
      assert.equal(thoughtful.status, 402, "a budget of thinking cannot be kept within a lower bound");
    });

    test("can ask beforehand what a request costs and where it goes", async () => {
      await using place = await startTestGateway();
      const estimate = JSON.parse((await ask(place, { model, path: "/v1/cost/estimate" })).text);
      assert.deepEqual([estimate.model, estimate.max.output_tokens, estimate.admitted], [model, 50, true]);
      const explanation = JSON.parse((await ask(place, { model, path: "/v1/route/explain" })).text);
      assert.equal(explanation.dialect, "anthropic-messages");
      assert.deepEqual(
        explanation.targets.map(({ name, place: rank }: { name: string; place: number }) => [name, rank]),
        [[model, 1]],
      );
      assert.equal(place.simulator.invoice().length, 0);
    });
  });
}
