/** In which API's shape a refusal is told, whether node:http has made a request of what came or not. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { evidenceOf } from "../../support/evidence.ts";
import { connectRaw, exchangeRaw, type RawResponse } from "../../support/raw-http.ts";
import { startTestGateway, type TestGateway } from "../../support/gateway.ts";

let gateway: TestGateway;
before(async () => {
  const server = { headerTimeoutMs: 200, bodyTimeoutMs: 200 };
  gateway = await startTestGateway({ config: { server, limits: { headerBytes: 4096, bodyBytes: 20_000 } } });
});
after(() => gateway[Symbol.asyncDispose]());

type Api = "openai" | "anthropic";

interface Refusal {
  readonly api: Api;
  readonly status: number;
  readonly code: string;
  /** As the record has it. */
  readonly path: string;
}

async function readRefusal(response: RawResponse | null): Promise<Refusal> {
  assert.ok(response, "the connection closed without a response");
  const { status, headers } = response;
  const body = JSON.parse(response.body.toString("utf8"));
  const requestId = headers["x-request-id"] ?? "";
  const isAnthropics = body.type === "error";
  assert.equal(body.error.code, headers["x-headgate-error-code"]);
  assert.equal(isAnthropics ? body.request_id : body.error.request_id, requestId);
  assert.equal(headers["request-id"], isAnthropics ? requestId : undefined);
  const { row } = await evidenceOf(gateway.gateway, requestId);
  return { api: isAnthropics ? "anthropic" : "openai", status, code: body.error.code, path: row.path };
}

async function refusalOf(bytes: string): Promise<Refusal> {
  return readRefusal(await exchangeRaw(gateway.url, bytes));
}

/** Every way to be refused before the body is read, at any path. */
const refused: readonly (readonly [string, number, string, (path: string) => string])[] = [
  ["a header without a colon", 400, "malformed_http", (path) => `POST ${path} HTTP/1.1\r\nhost test\r\n\r\n`],
  ["a version of HTTP that there is not", 400, "malformed_http", (path) => `POST ${path} HTTP/3.1\r\nhost: x\r\n\r\n`],
  ["no host", 400, "malformed_http", (path) => `POST ${path} HTTP/1.1\r\n\r\n`],
  [
    "a header that is too large",
    431,
    "headers_too_large",
    (path) => `POST ${path} HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(5_000)}\r\n\r\n`,
  ],
  ["a method that is not taken", 405, "method_not_allowed", (path) => `PUT ${path} HTTP/1.1\r\nhost: x\r\n\r\n`],
  [
    "a path below that is not there",
    404,
    "route_not_found",
    (path) => `POST ${path}/batches?beta=true HTTP/1.1\r\nhost: x\r\n\r\n`,
  ],
];

describe("a request is refused in the shape of the API whose path it has, for", () => {
  for (const [what, status, code, bytes] of refused) {
    test(what, async () => {
      for (const [at, api] of [
        ["/v1/messages", "anthropic"],
        ["/v1/chat/completions", "openai"],
      ] as const) {
        const path = code === "route_not_found" ? `${at}/batches` : at;
        assert.deepEqual(await refusalOf(bytes(at)), { api, status, code, path });
      }
    });
  }

  for (const [what, status, code, body] of [
    ["a body that is too large", 413, "body_too_large", "content-length: 20001\r\n\r\n"],
    ["a body that does not come", 408, "body_timeout", "content-length: 10\r\n\r\n{"],
    ["a chunk that has no size", 400, "malformed_http", "transfer-encoding: chunked\r\n\r\nzz\r\n"],
  ] as const) {
    test(what, async () => {
      const head = `POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: ${gateway.key}\r\n`;
      assert.deepEqual(await refusalOf(head + body), { api: "anthropic", status, code, path: "/v1/messages" });
    });
  }
});

describe("what cannot be parsed is refused", () => {
  const bad = "POST /v1/messages?beta=true HTTP/1.1\r\nbad header\r\n\r\n";
  const good = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

  test("in the shape of its path on a connection that was kept alive, too", async () => {
    using connection = await connectRaw(gateway.url);
    connection.write(good);
    assert.equal((await connection.read())?.status, 200);
    connection.write(bad);
    const { api, path } = await readRefusal(await connection.read());
    assert.deepEqual([api, path], ["anthropic", "/v1/messages"]);
  });

  for (const [what, bytes] of [
    ["behind another request in one packet", good.replace("/healthz", "/v1/messages") + bad],
    ["without a line that names a path", "hello there\r\n\r\n"],
    ["without a line that ends", `POST /v1/messages?${"x".repeat(5_000)}`],
  ] as const) {
    test(`in OpenAI's shape ${what}`, async () => {
      using connection = await connectRaw(gateway.url);
      connection.write(bytes);
      const responses = [await connection.read(), await connection.read()];
      const { api, path } = await readRefusal(responses.findLast((response) => response !== null) ?? null);
      assert.deepEqual([api, path], ["openai", ""]);
    });
  }

  test("in OpenAI's shape when its head does not come to an end", async () => {
    const { api, code } = await refusalOf("POST /v1/messages HTTP/1.1\r\nhost: x\r\n");
    assert.deepEqual([api, code], ["openai", "header_timeout"]);
  });
});
