import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startUpstream, type Upstream } from "../faults/upstream-server.ts";
import { evidenceOf } from "../support/evidence.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { send, type Reply } from "../support/simulator-client.ts";

let place: TestGateway;
let upstream: Upstream;
before(async () => {
  place = await startTestGateway();
  upstream = await startUpstream((_, response) => {
    const message = { role: "assistant", content: "Hi" };
    const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ choices: [{ index: 0, finish_reason: "stop", message }], usage }));
  });
  upstream.serveAs(place.gateway, "own", "sk-own");
});
after(async () => {
  await place[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

function ask(fields: Readonly<Record<string, unknown>>): Promise<Reply> {
  const body = { messages: [{ role: "user", content: "Hi" }], ...fields };
  return send(`${place.url}/v1/chat/completions`, { body, headers: { authorization: `Bearer ${place.key}` } });
}

test("the cost is said where the model has a price, and not where it has none", async () => {
  const priced = await ask({ model: "simulator/sim-chat:tokens=3,input=5" });
  assert.equal(priced.headers["x-headgate-cost-nano-usd"], "17000");
  const unpriced = await ask({ model: "own/anything" });
  assert.equal(unpriced.status, 200);
  assert.equal(unpriced.headers["x-headgate-cost-nano-usd"], undefined);
});

describe("a model's name that no header can carry", () => {
  for (const name of ["any\u2028thing", "any\r\nthing", "any\u0000thing", "\ud800"]) {
    test(`is refused if it is no name: ${JSON.stringify(name)}`, async () => {
      const reply = await ask({ model: `own/${name}` });
      assert.deepEqual([reply.status, reply.headers["x-headgate-error-code"]], [404, "model_not_found"]);
    });
  }

  test("is served if it is one, and shown as far as can be", async () => {
    const reply = await ask({ model: "own/modèle-水" });
    assert.deepEqual([reply.status, reply.headers["x-headgate-model"]], [200, "own/mod?le-?"]);
  });
});

test("fields that were left out are named briefly, in the header and in the record", async () => {
  const tools = Array.from({ length: 2_000 }, (_, index) => {
    const cached = { cache_control: { type: "ephemeral" } };
    return { type: "function", function: { name: `tool_${index}`, parameters: { type: "object" } }, ...cached };
  });
  const reply = await ask({ model: "simulator-anthropic/sim-claude:tokens=1", max_tokens: 5, seed: 1, tools });
  assert.equal(reply.status, 200, reply.text);
  const named = ["seed", "tools[].cache_control"];
  assert.deepEqual(String(reply.headers["x-headgate-dropped"]).split(", ").toSorted(), named);
  const { row } = await evidenceOf(place.gateway, String(reply.headers["x-request-id"]));
  assert.deepEqual(JSON.parse(String(row.losses)).toSorted(), named);
});

describe("the record counts every byte of the body that the caller got:", () => {
  const cases = {
    "a whole answer": { model: "simulator/sim-chat:tokens=3" },
    "a stream with its terminal marker": { model: "simulator/sim-chat:tokens=3", stream: true },
    "an error": { model: "nobody/has-it" },
  };
  for (const [what, fields] of Object.entries(cases)) {
    test(what, async () => {
      const reply = await ask(fields);
      const { row } = await evidenceOf(place.gateway, String(reply.headers["x-request-id"]));
      assert.equal(row.bytes_out, Buffer.byteLength(reply.text));
    });
  }
});
