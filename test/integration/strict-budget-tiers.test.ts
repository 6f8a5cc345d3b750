/** A `strict` budget where the tier that serves is not the one that was asked for. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultProvider } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import { allow, spentOf } from "../support/allowances.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startLocalServer } from "../support/local-server.ts";
import { send } from "../support/simulator-client.ts";

const MODEL = "gpt-5";
const OUTPUT_TOKENS = 1_000_000;
const LIMIT = 57_000_000_000n;
/** Of `OUTPUT_TOKENS`, at $10 per million: half of it at flex, twice as much at priority. */
const cost = { flex: 5_000_000_000n, default: 10_000_000_000n, priority: 20_000_000_000n } as const;

type Tier = keyof typeof cost;

const documented: readonly (readonly [asked: string | undefined, served: readonly Tier[]])[] = [
  [undefined, ["default", "priority"]],
  ["auto", ["default", "priority"]],
  ["default", ["default"]],
  ["flex", ["flex", "default"]],
  ["priority", ["priority", "default"]],
];

function answer(tier: Tier): string {
  const choices = [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }];
  const usage = { prompt_tokens: 0, completion_tokens: OUTPUT_TOKENS, total_tokens: OUTPUT_TOKENS };
  const head = { id: "c", object: "chat.completion", created: 1, model: MODEL };
  return JSON.stringify({ ...head, choices, usage, service_tier: tier });
}

async function spendAll(asked: string | undefined, served: Tier): Promise<{ calls: number; spent: bigint }> {
  await using upstream = await startLocalServer((request, response) => {
    request.resume().on("end", () => void response.setHeader("content-type", "application/json").end(answer(served)));
  });
  const credentials = [{ name: "only", key: createSecret("sk-test", "test") }];
  const openai = defaultProvider("openai", { baseUrl: `${upstream.url}/v1`, credentials });
  await using place = await startTestGateway({ config: { providers: { openai } } });
  await allow(place.gateway, { name: "pocket", meter: "money", limit: LIMIT, policy: "strict" });
  let calls = 0;
  for (;;) {
    const reply = await send(`${place.url}/v1/chat/completions`, {
      headers: { authorization: `Bearer ${place.key}`, "content-type": "application/json" },
      body: {
        model: `openai/${MODEL}`,
        max_completion_tokens: OUTPUT_TOKENS,
        messages: [{ role: "user", content: "?" }],
        service_tier: asked,
      },
    });
    if (reply.status === 402) break;
    assert.equal(reply.status, 200);
    calls++;
  }
  return { calls, spent: (await spentOf(place.gateway)).money };
}

for (const [asked, tiers] of documented) {
  for (const served of tiers) {
    describe(`a strict budget of calls that ask for ${asked ?? "no tier"} and are served at ${served}`, () => {
      test("is charged what was served, and never passed", async () => {
        const { calls, spent } = await spendAll(asked, served);
        assert.ok(calls > 0);
        assert.equal(spent, BigInt(calls) * cost[served]);
        assert.ok(spent <= LIMIT, `${spent}`);
      });
    });
  }
}
