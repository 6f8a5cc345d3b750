/** A provider that sends more in one burst than is held for its stream: what has come is counted, and soon no more is read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultProvider } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import { allow, ledgerOf, spentOf } from "../support/allowances.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startLocalServer } from "../support/local-server.ts";
import { eventData, send } from "../support/simulator-client.ts";

const SLICE_TOKENS = 256;
/** Of claude-opus-4-6, in nano-dollars a token. */
const OUTPUT_RATE = 25_000n;
/** What two reads of a connection bring at the most, by our count of four bytes a token. */
const READ_TOKENS = (2 * 65_536) / 4;
/** Pays for the input that is held, and three slices. */
const LIMIT = 11_500_000n + BigInt(SLICE_TOKENS) * OUTPUT_RATE * 3n;

function event(data: { readonly type: string; readonly [name: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A megabyte at once and no end: 50 words an event. */
function burst(): string {
  const usage = { input_tokens: 10, output_tokens: 1 };
  const message = { id: "m", type: "message", role: "assistant", model: "claude-opus-4-6", content: [], usage };
  const text = { type: "text_delta", text: "word ".repeat(50) };
  const start = event({ type: "message_start", message });
  const block = event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
  return start + block + event({ type: "content_block_delta", index: 0, delta: text }).repeat(3_000);
}

for (const path of ["/v1/messages", "/v1/chat/completions"]) {
  test(`${path}: a burst passes a budget by no more than a slice and two reads`, async () => {
    await using provider = await startLocalServer((request, response) => {
      request.resume().on("end", () => {
        response.setHeader("content-type", "text/event-stream");
        response.write(burst());
      });
    });
    const credentials = [{ name: "only", key: createSecret("sk-burst", "test") }];
    const anthropic = defaultProvider("anthropic", { baseUrl: `${provider.url}/v1`, credentials });
    await using place = await startTestGateway({
      config: { budgets: { outputSliceTokens: SLICE_TOKENS }, providers: { anthropic } },
    });
    await allow(place.gateway, { name: "pocket", meter: "money", limit: LIMIT });
    const reply = await send(place.url + path, {
      headers: { authorization: `Bearer ${place.key}` },
      body: {
        model: "anthropic/claude-opus-4-6",
        max_tokens: 100_000,
        stream: true,
        messages: [{ role: "user", content: "Hi" }],
      },
    });
    const last = JSON.parse(eventData(reply.text).at(-1) ?? "{}");
    assert.equal(last.error?.code, "budget_exhausted", reply.text.slice(-500));
    const { money } = await spentOf(place.gateway);
    assert.equal(money, (await ledgerOf(place.gateway)).money);
    assert.ok(money > 0n && money <= LIMIT + BigInt(SLICE_TOKENS + READ_TOKENS) * OUTPUT_RATE, `${money} of ${LIMIT}`);
  });
}
