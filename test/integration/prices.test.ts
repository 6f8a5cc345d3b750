/** What a running gateway charges: by the tier that served, by a stand-in, by a catalogue that was taken while it ran. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pinnedCatalogueFile, type CatalogueModel } from "../../src/accounting/prices/catalogue.ts";
import { writeRefreshedCatalogue } from "../../src/accounting/prices/refreshed.ts";
import { defaultProvider } from "../../src/config/defaults.ts";
import type { Config } from "../../src/config/config.ts";
import { createSecret } from "../../src/config/secret.ts";
import { evidenceOf } from "../support/evidence.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startLocalServer, type LocalServer } from "../support/local-server.ts";
import { send } from "../support/simulator-client.ts";

let place: TestGateway;
let upstream: LocalServer;
/** What the provider says it served. */
let served: string | null = null;

before(async () => {
  upstream = await startLocalServer((_, response) => {
    const message = { role: "assistant", content: "Hi" };
    const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
    const tier = served === null ? {} : { service_tier: served };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ ...tier, choices: [{ index: 0, finish_reason: "stop", message }], usage }));
  });
  const credentials = [{ name: "test", key: createSecret("sk-test", "test") }];
  const provider = (kind: string) => defaultProvider(kind, { baseUrl: `${upstream.url}/v1`, credentials });
  place = await startTestGateway({
    config: {
      providers: { openai: provider("openai"), own: provider("openai-compatible") },
      prices: { unknownModel: "hold", unknownModelHold: "0.05" },
    },
  });
});
after(async () => {
  await place[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

interface Charged {
  readonly version: string | null;
  readonly cost: bigint;
  readonly header: unknown;
  readonly flags: readonly number[];
}

async function charge(fields: Readonly<Record<string, unknown>>): Promise<Charged> {
  const body = { messages: [{ role: "user", content: "Hi" }], ...fields };
  const reply = await send(`${place.url}/v1/chat/completions`, {
    body,
    headers: { authorization: `Bearer ${place.key}` },
  });
  assert.equal(reply.status, 200, reply.text);
  const { entries } = await evidenceOf(place.gateway, String(reply.headers["x-request-id"]));
  const [entry] = entries;
  assert.ok(entry !== undefined && entries.length === 1);
  return {
    version: entry.price_version,
    cost: entry.cost_nano_usd,
    header: reply.headers["x-headgate-cost-nano-usd"],
    flags: [entry.unpriced, entry.estimated],
  };
}

test("a call is charged by the tier that served it, whatever was asked for", async () => {
  const ask = { model: "openai/gpt-5-mini", service_tier: "priority" };
  served = "default";
  const downgraded = await charge(ask);
  assert.match(downgraded.version ?? "", /\/openai\/gpt-5-mini$/);
  assert.equal(downgraded.cost, 450_000n);
  served = "priority";
  const priority = await charge({ model: "openai/gpt-5-mini" });
  assert.match(priority.version ?? "", /;service-tier=priority\*9\/5$/);
  assert.equal(priority.cost, 810_000n);
  served = null;
  assert.equal((await charge({ ...ask, service_tier: "flex" })).cost, 225_000n);
});

test("a model without a price costs the amount that stands in, flagged, and no cost is told", async () => {
  const held = await charge({ model: "own/anything" });
  assert.deepEqual(held, { version: "hold:0.05", cost: 50_000_000n, header: undefined, flags: [1, 1] });
});

test("a catalogue that was taken while the gateway runs is in force from its next reload on", async () => {
  const pinned = pinnedCatalogueFile();
  const aDollar = (model: CatalogueModel): CatalogueModel => ({ ...model, prices: [{ rates: { input: "1" } }] });
  const openai = pinned.lists["openai"] ?? assert.fail("no list");
  const lists = { ...pinned.lists, openai: { ...openai, models: openai.models.map(aDollar) } };
  writeRefreshedCatalogue(place.dataDir, {
    source: { ...pinned.source, version: "99.0.0", date: "2099-01-01" },
    lists,
  });
  const before99 = await charge({ model: "openai/gpt-5-mini" });
  assert.doesNotMatch(before99.version ?? "", /99\.0\.0/);
  const config: Config = place.gateway.config;
  place.gateway.replaceConfig(config);
  const since = await charge({ model: "openai/gpt-5-mini" });
  assert.deepEqual([since.version, since.cost], ["genai-prices-99.0.0/openai/gpt-5-mini", 1_000_000n]);
});
