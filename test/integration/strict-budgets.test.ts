/** A `strict` budget where a request does not show what it may use: documents by reference, and a provider's own tools. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultProvider } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import type { EstimatePolicy } from "../../src/limits/allowance.ts";
import { allow, spentOf } from "../support/allowances.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startLocalServer } from "../support/local-server.ts";
import { send, type Reply } from "../support/simulator-client.ts";

const INPUT_TOKENS = 234_700;
const credentials = [{ name: "only", key: createSecret("sk-test", "test") }];

/** What the provider counts is far more than the request's bytes. */
const answer = JSON.stringify({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-opus-4-6",
  content: [{ type: "text", text: "Read." }],
  stop_reason: "end_turn",
  usage: { input_tokens: INPUT_TOKENS, output_tokens: 50, server_tool_use: { web_search_requests: 3 } },
});

interface Scene {
  readonly place: TestGateway;
  /** What each call's hold was in nano-dollars, as the provider got it. */
  readonly held: readonly bigint[];
}

async function withBudget(
  policy: EstimatePolicy | null,
  limit: bigint,
  act: (scene: Scene) => Promise<void>,
): Promise<void> {
  const held: bigint[] = [];
  let place: TestGateway | null = null;
  const readHolds = async (): Promise<void> => {
    const holds = await place?.gateway.store.journalDb.selectFrom("holds").select("cost_nano_usd").execute();
    held.push(...(holds ?? []).map(({ cost_nano_usd: cost }) => cost));
  };
  await using upstream = await startLocalServer((request, response) => {
    const reply = (): void => void response.setHeader("content-type", "application/json").end(answer);
    request.resume().on("end", () => void readHolds().then(reply, () => response.destroy()));
  });
  const anthropic = defaultProvider("anthropic", { baseUrl: `${upstream.url}/v1`, credentials });
  await using started = await startTestGateway({ config: { providers: { anthropic } } });
  place = started;
  if (policy !== null) await allow(started.gateway, { name: "pocket", meter: "money", limit, policy });
  await act({ place: started, held });
}

function ask({ url, key }: TestGateway, body: object): Promise<Reply> {
  return send(`${url}/v1/messages`, {
    headers: { "x-api-key": key, "content-type": "application/json" },
    body: {
      model: "anthropic/claude-opus-4-6",
      max_tokens: 50,
      messages: [{ role: "user", content: "Hi" }],
      ...body,
    },
  });
}

const requests = {
  "a document by reference": {
    messages: [
      { role: "user", content: [{ type: "document", source: { type: "url", url: "https://example.com/a.pdf" } }] },
    ],
  },
  "a provider's own search": { tools: [{ type: "web_search_20250305", name: "web_search" }] },
};

for (const [what, body] of Object.entries(requests)) {
  describe(`a request with ${what}`, () => {
    test("is refused by a strict budget that cannot pay for all that it may bring in", async () => {
      await withBudget("strict", 800_000_000n, async ({ place, held }) => {
        const refused = await ask(place, body);
        assert.deepEqual([refused.status, held.length], [402, 0]);
        assert.equal((await spentOf(place.gateway)).money, 0n);
      });
    });

    test("is never charged more than a strict budget held for it", async () => {
      await withBudget("strict", 1_000_000_000_000n, async ({ place, held }) => {
        assert.equal((await ask(place, body)).status, 200);
        const { money } = await spentOf(place.gateway);
        assert.ok(money > 1_000_000_000n && money <= (held[0] ?? 0n), `${money} of ${held[0]}`);
      });
    });

    test("is admitted by an expected budget, which holds what is usual", async () => {
      await withBudget("expected", 800_000_000n, async ({ place, held }) => {
        assert.equal((await ask(place, body)).status, 200);
        assert.ok((held[0] ?? 0n) < 800_000_000n, String(held[0]));
      });
    });

    test("is charged what is usual, too, if its process dies and nothing strict limits it", async () => {
      await withBudget(null, 0n, async ({ place, held }) => {
        assert.equal((await ask(place, body)).status, 200);
        assert.ok((held[0] ?? 0n) > 0n && (held[0] ?? 0n) < 800_000_000n, String(held[0]));
      });
    });
  });
}
