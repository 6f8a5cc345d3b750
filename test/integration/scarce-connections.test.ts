/** Connections to a provider that are all in use are the gateway's own lack of room: nobody blames the provider for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultProvider, withProvider } from "../../src/config/defaults.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { send, type Reply } from "../support/simulator-client.ts";

/** Shorter than an answer takes: who waits for a connection waits for longer. */
const timeouts = { connectMs: 300 };
/** More failures than a target may have. */
const REQUESTS = 12;
const slow = "sim-chat:tokens=2,ttft=500";

function ask({ url, key }: TestGateway, model: string): Promise<Reply> {
  const body = { model, stream: true, messages: [{ role: "user", content: "Hi" }] };
  return send(`${url}/v1/chat/completions`, { body, headers: { authorization: `Bearer ${key}` } });
}

async function askMany(gateway: TestGateway, model: string): Promise<readonly Reply[]> {
  return await Promise.all(Array.from({ length: REQUESTS }, () => ask(gateway, model)));
}

test("requests wait in turn for the connections to their provider", async () => {
  await using gateway = await startTestGateway({ config: { limits: { connectionsPerProvider: 3 }, timeouts } });
  for (const { status, text } of await askMany(gateway, `simulator/${slow}`)) assert.equal(status, 200, text);
});

test("a call that finds none goes to another target, or its caller is told to come back, and the target is none the worse", async () => {
  await using gateway = await startTestGateway({ config: { limits: { connectionsPerProvider: 3 }, timeouts } });
  // Two providers at one address share its connections, and each lets as many calls go as there are.
  const alias = defaultProvider("simulator", { baseUrl: `${gateway.simulator.url}/v1` });
  gateway.gateway.replaceConfig(withProvider(gateway.gateway.config, "alias", alias));
  const [here, there] = await Promise.all([askMany(gateway, `simulator/${slow}`), askMany(gateway, `alias/${slow}`)]);
  const refused = [...here, ...there].filter(({ status }) => status !== 200);
  assert.ok(refused.length > 0, "some find no connection");
  for (const { status, headers, text } of refused) {
    assert.deepEqual([status, headers["x-headgate-error-code"]], [503, "overloaded"], text);
    assert.ok(Number(headers["retry-after"]) >= 1);
    assert.match(text, /limits\.connectionsPerProvider/);
  }
  for (const name of ["simulator", "alias"]) {
    const { status, text } = await ask(gateway, `${name}/${slow}`);
    assert.equal(status, 200, text);
  }
});
