/** A provider that refuses and never finishes saying why: the status has said enough. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultProvider } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import { evidenceOf } from "../support/evidence.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startLocalServer } from "../support/local-server.ts";
import { send } from "../support/simulator-client.ts";

const TOTAL_MS = 30_000;
const ENDING_MS = 200;
const refusals = [
  { status: 429, retryAfter: "60", told: 429, code: "upstream_rate_limited" },
  { status: 503, retryAfter: "60", told: 529, code: "upstream_overloaded" },
  { status: 400, retryAfter: null, told: 400, code: "upstream_rejected" },
];

for (const { status, retryAfter, told, code } of refusals) {
  for (const stream of [false, true]) {
    test(`a ${status} whose body does not end is told as that soon: ${stream ? "stream" : "whole"}`, async () => {
      await using provider = await startLocalServer((request, response) => {
        request.resume();
        const headers = retryAfter === null ? {} : { "retry-after": retryAfter };
        response.writeHead(status, { "content-type": "application/json", ...headers });
        response.write('{"error": {"message": "No');
      });
      const credentials = [{ name: "only", key: createSecret("sk-stalled", "test") }];
      const stalled = defaultProvider("openai-compatible", { baseUrl: `${provider.url}/v1`, credentials });
      const timeouts = { totalMs: TOTAL_MS, endingMs: ENDING_MS };
      await using place = await startTestGateway({ config: { timeouts, providers: { stalled } } });
      const startedMs = performance.now();
      const reply = await send(`${place.url}/v1/chat/completions`, {
        headers: { authorization: `Bearer ${place.key}` },
        body: { model: "stalled/m", stream, messages: [{ role: "user", content: "Hi" }] },
      });
      assert.ok(performance.now() - startedMs < TOTAL_MS / 2);
      assert.deepEqual([reply.status, reply.headers["retry-after"] ?? null], [told, retryAfter], reply.text);
      const { row } = await evidenceOf(place.gateway, String(reply.headers["x-request-id"]));
      assert.deepEqual([row.ending, row.error_code], ["provider-error", code]);
    });
  }
}
