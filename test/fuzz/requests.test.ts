import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { errorCatalogue, type ErrorCode } from "../../src/kernel/errors.ts";
import { captureLog, evidenceOf, type CapturedLog } from "../support/evidence.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { fc } from "../support/properties.ts";
import { eventData, send, type Reply } from "../support/simulator-client.ts";
import { messagesBodies } from "./anthropic-bodies.ts";
import { damaged, randomBodies } from "./bodies.ts";
import { chatBodies, embeddingBodies } from "./openai-bodies.ts";

/** For each kind of body; together some ten seconds. */
const BODIES = 300;

let gateway: TestGateway;
let log: CapturedLog;
before(async () => {
  log = captureLog();
  gateway = await startTestGateway({ config: { limits: { jsonDepth: 16 } }, overrides: { logger: log.logger } });
});
after(() => gateway[Symbol.asyncDispose]());

async function post(path: string, body: string | Uint8Array): Promise<Reply> {
  const headers = { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" };
  return send(gateway.url + path, { method: "POST", headers, body });
}

/** How a dialect says that an answer is whole, and what its errors are made of. */
interface Shape {
  isEnd(data: string): boolean;
  readonly fields: readonly string[];
  requestIdOf(body: any): unknown;
}

const openai: Shape = {
  isEnd: (data) => data === "[DONE]",
  fields: ["code", "message", "param", "request_id", "type"],
  requestIdOf: ({ error }) => error.request_id,
};
const anthropic: Shape = {
  isEnd: (data) => JSON.parse(data).type === "message_stop",
  fields: ["code", "details", "message", "param", "type"],
  requestIdOf: ({ request_id: requestId }) => requestId,
};

/** What holds for every answer, whatever was asked. */
async function assertSound(reply: Reply, shape: Shape): Promise<void> {
  const requestId = String(reply.headers["x-request-id"]);
  assert.match(requestId, /^req_/, "every response has a request id");
  assert.equal(reply.complete, true);
  const { row } = await evidenceOf(gateway.gateway, requestId);
  assert.equal(row.status, reply.status);
  const streamed = reply.headers["content-type"]?.startsWith("text/event-stream") === true;
  if (streamed) {
    const events = eventData(reply.text);
    assert.ok(shape.isEnd(events.at(-1) ?? ""));
    for (const data of events.slice(0, -1)) assert.equal(JSON.parse(data).error, undefined);
    return;
  }
  const json = JSON.parse(reply.text);
  if (reply.status === 200) return;
  const { error } = json;
  assert.ok(reply.status < 500, `status ${reply.status}: ${reply.text}`);
  assert.deepEqual(Object.keys(error).toSorted(), shape.fields);
  assert.equal(shape.requestIdOf(json), requestId);
  const code = String(reply.headers["x-headgate-error-code"]) as ErrorCode;
  assert.equal(row.error_code, code);
  assert.ok(Object.hasOwn(errorCatalogue, code), `${code} is documented`);
  if (code !== "upstream_rejected") assert.deepEqual([error.code, reply.status], [code, errorCatalogue[code].status]);
}

async function fuzz<Body>(
  bodies: fc.Arbitrary<Body>,
  path: string,
  encode: (body: Body) => string | Buffer,
  expected: readonly number[],
): Promise<void> {
  const seen = new Map<number, number>();
  const property = fc.asyncProperty(bodies, async (body) => {
    const reply = await post(path, encode(body));
    seen.set(reply.status, (seen.get(reply.status) ?? 0) + 1);
    await assertSound(reply, path === "/v1/messages" ? anthropic : openai);
  });
  await fc.assert(property, { numRuns: BODIES });
  for (const status of expected) assert.ok((seen.get(status) ?? 0) > 0, `none of the bodies came to ${status}`);
  assert.equal((await post("/v1/chat/completions", goodBody)).status, 200, "the gateway still serves");
  assert.doesNotMatch(log.text(), /"level":50/, "no error was logged");
}

const messages = [{ role: "user", content: "Hi" }];
const goodBody = JSON.stringify({ model: "simulator/sim-chat:tokens=3", messages });
/** At a provider, so that the name is looked up there and comes back in the headers of the answer. */
const modelNames = fc.string({ unit: "binary", maxLength: 20 }).map((name) => `simulator/sim-chat:tokens=3${name}`);

describe("whatever the body, the answer is one of those documented, with a code and a request id:", () => {
  test("chat completions with fields of every kind", () =>
    fuzz(chatBodies, "/v1/chat/completions", (body) => JSON.stringify(body), [200, 400]));

  test("chat completions for models of any name", () =>
    fuzz(modelNames, "/v1/chat/completions", (model) => JSON.stringify({ model, messages }), [404]));

  test("embeddings with fields of every kind", () =>
    fuzz(embeddingBodies, "/v1/embeddings", (body) => JSON.stringify(body), [200, 400]));

  test("chat completions with damaged bytes", () =>
    fuzz(damaged(chatBodies), "/v1/chat/completions", (bytes) => bytes, [400]));

  test("Messages with fields of every kind", () =>
    fuzz(messagesBodies, "/v1/messages", (body) => JSON.stringify(body), [200, 400]));

  test("Messages with damaged bytes", () => fuzz(damaged(messagesBodies), "/v1/messages", (bytes) => bytes, [400]));

  test("random bytes", () => fuzz(randomBodies, "/v1/embeddings", (bytes) => bytes, [400]));
});
