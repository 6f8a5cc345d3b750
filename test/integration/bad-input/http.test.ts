import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { countRecords, evidenceOf } from "../../support/evidence.ts";
import { connectRaw, type RawConnection, type RawResponse } from "../../support/raw-http.ts";
import { goodBody, Scene, type Expected } from "./scene.ts";

let scene: Scene;
before(async () => {
  const server = { headerTimeoutMs: 200, bodyTimeoutMs: 200 };
  scene = await Scene.open({ server, limits: { headerBytes: 4096, headerCount: 20, bodyBytes: 20_000 } });
});
after(async () => {
  await scene.assertNoSecrets();
  await scene[Symbol.asyncDispose]();
});

const MALFORMED: Expected = { status: 400, code: "malformed_http" };
const authorization = (): string => `authorization: Bearer ${scene.test.key}\r\n`;
const get = (path: string, head = ""): string => `GET ${path} HTTP/1.1\r\nhost: test\r\n${authorization()}${head}\r\n`;
const chunked = (): string =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\n${authorization()}transfer-encoding: chunked\r\n\r\n`;

async function nextOf(connection: RawConnection): Promise<RawResponse> {
  const response = await connection.read();
  assert.ok(response, "the connection closed without a response");
  return scene.seen(response);
}

function assertAnswered(response: RawResponse): void {
  assert.equal(response.status, 200);
  assert.equal(JSON.parse(response.body.toString("utf8")).usage.completion_tokens, 3);
}

describe("what is not HTTP/1.1 is refused with 400, an id and a record:", () => {
  const garbage: Readonly<Record<string, string | Uint8Array>> = {
    "a TLS handshake": Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
    "a line of text": "hello there\r\n\r\n",
    "an unknown method": "BREW /pot HTTP/1.1\r\nhost: test\r\n\r\n",
    "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a header without a colon": "GET /v1/models HTTP/1.1\r\nhost test\r\n\r\n",
    "a header name with a space": "GET /v1/models HTTP/1.1\r\nhost: test\r\nx y: 1\r\n\r\n",
    "a folded header": "GET /v1/models HTTP/1.1\r\nhost: test\r\nx: a\r\n b\r\n\r\n",
    "a length that is no number": "POST /v1/models HTTP/1.1\r\nhost: test\r\ncontent-length: ten\r\n\r\n",
    "two lengths": "POST /v1/models HTTP/1.1\r\nhost: test\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
    "a length beside chunks":
      "POST /v1/models HTTP/1.1\r\nhost: test\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
  };
  for (const [what, bytes] of Object.entries(garbage)) test(what, () => scene.refuses(bytes, MALFORMED));

  test("a request of HTTP/1.1 without a host", () =>
    scene.refuses(`GET /v1/models HTTP/1.1\r\n${authorization()}\r\n`, { ...MALFORMED, message: /Host header/ }));

  test("a chunk whose size is no number, in the one record of its request", async () => {
    const before = await countRecords(scene.test.gateway);
    const response = await scene.send(`${chunked()}5\r\n{"mod\r\nZZ\r\nmore`);
    await scene.assertRefused(response, MALFORMED);
    assert.equal(response.headers["connection"], "close");
    await scene.assertServes();
    assert.equal(await countRecords(scene.test.gateway), before + 2);
  });
});

describe("a flood of headers is refused with 431:", () => {
  const expected = (message: RegExp): Expected => ({ status: 431, code: "headers_too_large", message });

  test("too many of them", () => {
    const flood = Array.from({ length: 18 }, (_, index) => `x-${index}: 1\r\n`).join("");
    return scene.refuses(scene.post(goodBody, flood), expected(/more than 20 headers/));
  });

  test("one that is too large", () =>
    scene.refuses(scene.post(goodBody, `x: ${"y".repeat(5_000)}\r\n`), expected(/larger than 4096 bytes/)));

  test("a head that never ends", () =>
    scene.refuses(`GET /v1/models HTTP/1.1\r\nhost: test\r\n${"x: y\r\n".repeat(5_000)}`, expected(/4096 bytes/)));

  test("a request line that never ends", () => scene.refuses(`GET /${"a".repeat(100_000)}`, expected(/4096 bytes/)));

  test("but not exactly as many as allowed", async () => {
    const flood = Array.from({ length: 17 }, (_, index) => `x-${index}: 1\r\n`).join("");
    assertAnswered(await scene.send(scene.post(goodBody, flood)));
    scene.test.simulator.reset();
  });
});

describe("a slow sender is refused with 408:", () => {
  test("a head that does not come to its end", () =>
    scene.refuses("GET /v1/models HTTP/1.1\r\nhost: te", {
      status: 408,
      code: "header_timeout",
      message: /within 200 ms/,
    }));

  test("a body that does not come to its end", async () => {
    const bytes = scene.post(goodBody);
    const response = await scene.send(bytes.subarray(0, bytes.length - 1));
    const expected = {
      status: 408,
      code: "body_timeout",
      message: new RegExp(`${goodBody.length - 1} bytes of it came`),
    };
    await scene.assertRefused(response, expected);
    assert.equal(response.headers["connection"], "close");
    await scene.assertServes();
  });

  test("a body that drips, although each piece comes in time", async () => {
    using connection = await connectRaw(scene.test.url);
    connection.write(chunked());
    const dripping = setInterval(() => connection.write("1\r\n \r\n"), 20);
    const response = await nextOf(connection);
    clearInterval(dripping);
    await scene.assertRefused(response, { status: 408, code: "body_timeout" });
  });
});

describe("paths and methods that there are not:", () => {
  const cases: readonly (readonly [string, string, Expected])[] = [
    ["GET", "/", { status: 404, code: "route_not_found" }],
    [
      "POST",
      "/v1/chat/completion",
      { status: 404, code: "route_not_found", message: /mean \/v1\/chat\/completions\?/ },
    ],
    ["POST", "/v1/chat/completions/", { status: 404, code: "route_not_found", message: /Did you mean/ }],
    ["POST", "/V1/CHAT/COMPLETIONS", { status: 404, code: "route_not_found" }],
    ["GET", "/v1/models/", { status: 404, code: "route_not_found" }],
    ["GET", "/v1/../etc/passwd", { status: 404, code: "route_not_found" }],
    ["GET", "/%00%ff", { status: 404, code: "route_not_found" }],
    ["OPTIONS", "*", { status: 404, code: "route_not_found" }],
    ["GET", "/v1/chat/completions", { status: 405, code: "method_not_allowed", message: /takes POST, not GET/ }],
    ["PUT", "/v1/chat/completions", { status: 405, code: "method_not_allowed" }],
    ["DELETE", "/v1/models", { status: 405, code: "method_not_allowed" }],
    ["OPTIONS", "/v1/chat/completions", { status: 405, code: "method_not_allowed" }],
    ["TRACE", "/v1/models", { status: 405, code: "method_not_allowed" }],
    ["CONNECT", "example.com:443", { status: 405, code: "method_not_allowed", message: /not a proxy/ }],
  ];
  for (const [method, path, expected] of cases) {
    test(`${method} ${path}`, async () => {
      const response = await scene.send(`${method} ${path} HTTP/1.1\r\nhost: test\r\n${authorization()}\r\n`);
      await scene.assertRefused(response, expected);
      assert.equal(response.headers["allow"] !== undefined, expected.status === 405);
      const { row } = await evidenceOf(scene.test.gateway, response.headers["x-request-id"] ?? "");
      assert.deepEqual([row.method, row.path], [method, path]);
      await scene.assertServes();
    });
  }
});

describe("less usual HTTP is served:", () => {
  test("HTTP/1.0, whole and as a stream that ends with the connection", async () => {
    const asOld = (bytes: Buffer): Buffer =>
      Buffer.from(bytes.toString().replace("HTTP/1.1\r\nhost: test", "HTTP/1.0"));
    assertAnswered(await scene.send(asOld(scene.post(goodBody))));
    const streamed = await scene.send(asOld(scene.post(goodBody.replace("{", `{"stream":true,`))));
    assert.equal(streamed.headers["transfer-encoding"], undefined);
    assert.match(streamed.body.toString("utf8"), /data: \[DONE\]\n\n$/);
    scene.test.simulator.reset();
  });

  test("a target in absolute form, with a query", async () => {
    const response = await scene.send(get("http://headgate.example/v1/models?limit=5"));
    assert.equal(response.status, 200);
  });

  test("HEAD, without a body", async () => {
    const response = await scene.send(
      get("/v1/models").replace("GET", "HEAD").replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"),
    );
    assert.equal(response.status, 200);
    assert.equal(response.body.length, 0);
  });

  test("an expectation that nobody knows, by ignoring it", async () => {
    assertAnswered(await scene.send(scene.post(goodBody, "expect: coffee\r\n")));
    scene.test.simulator.reset();
  });

  test("a request to upgrade to another protocol, by not upgrading", async () => {
    const response = await scene.send(get("/v1/models", "connection: upgrade\r\nupgrade: websocket\r\n"));
    assert.equal(response.status, 200);
  });

  test("health, with a request id and without a record", async () => {
    const before = await countRecords(scene.test.gateway);
    const response = await scene.send("GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n");
    assert.equal(response.status, 200);
    assert.match(response.headers["x-request-id"] ?? "", /^req_/);
    assert.equal(await countRecords(scene.test.gateway), before);
  });
});

describe("a caller that waits for `100 Continue`", () => {
  const split = (bytes: Buffer): [Buffer, Buffer] => {
    const end = bytes.indexOf("\r\n\r\n") + 4;
    return [bytes.subarray(0, end), bytes.subarray(end)];
  };

  test("is told to go on, and is answered", async () => {
    const [head, body] = split(scene.post(goodBody, "expect: 100-continue\r\n"));
    using connection = await connectRaw(scene.test.url);
    connection.write(head);
    const answer = nextOf(connection);
    await eventually("100 Continue", () => connection.interim.includes(100));
    connection.write(body);
    assertAnswered(await answer);
    scene.test.simulator.reset();
  });

  for (const [what, change, code] of [
    ["no key", (head: string) => head.replace(/authorization.*\r\n/, ""), "missing_api_key"],
    [
      "too long a body",
      (head: string) => head.replace(/content-length: \d+/, "content-length: 20001"),
      "body_too_large",
    ],
    [
      "another kind of body",
      (head: string) => head.replace("expect", "content-type: text/plain\r\nexpect"),
      "unsupported_media_type",
    ],
  ] as const) {
    test(`is spared sending it for a request with ${what}`, async () => {
      const [head] = split(scene.post(goodBody, "expect: 100-continue\r\n"));
      using connection = await connectRaw(scene.test.url);
      connection.write(change(head.toString("latin1")));
      const response = await nextOf(connection);
      assert.equal(response.headers["x-headgate-error-code"], code);
      assert.deepEqual(connection.interim, []);
      assert.equal(response.headers["connection"], "close");
    });
  }
});

describe("on one connection", () => {
  test("pipelined requests are answered in their order, each with its own record", async () => {
    using connection = await connectRaw(scene.test.url);
    connection.write(
      Buffer.concat([
        scene.post(goodBody.replace("tokens=3", "tokens=3,ttft=30")),
        Buffer.from(get("/v1/models/x")),
        scene.post(goodBody),
      ]),
    );
    const [first, second, third] = [await nextOf(connection), await nextOf(connection), await nextOf(connection)];
    assertAnswered(first);
    assert.equal(second.status, 404);
    assertAnswered(third);
    const ids = [first, second, third].map(({ headers }) => headers["x-request-id"] ?? "");
    assert.equal(new Set(ids).size, 3);
    for (const id of ids) await evidenceOf(scene.test.gateway, id);
    scene.test.simulator.reset();
  });

  for (const [what, bytes, expected] of [
    ["garbage", "garbage\r\n\r\n", MALFORMED],
    [
      "a flood of headers",
      `GET / HTTP/1.1\r\nx: ${"y".repeat(5_000)}\r\n\r\n`,
      { status: 431, code: "headers_too_large" },
    ],
    ["half a head", "GET /v1/mod", { status: 408, code: "header_timeout" }],
  ] as const) {
    test(`${what} behind a good request is refused after the good one was answered`, async () => {
      using connection = await connectRaw(scene.test.url);
      connection.write(
        Buffer.concat([scene.post(goodBody.replace("tokens=3", "tokens=3,ttft=30")), Buffer.from(bytes)]),
      );
      assertAnswered(await nextOf(connection));
      scene.test.simulator.reset();
      await scene.assertRefused(await nextOf(connection), expected);
      await connection.closed;
    });

    test(`${what} on a connection kept alive is refused as on a new one`, async () => {
      using connection = await connectRaw(scene.test.url);
      connection.write(scene.post(goodBody));
      assertAnswered(await nextOf(connection));
      scene.test.simulator.reset();
      connection.write(bytes);
      await scene.assertRefused(await nextOf(connection), expected);
      await connection.closed;
    });
  }

  test("a refused request whose body was read leaves the connection in use", async () => {
    using connection = await connectRaw(scene.test.url);
    connection.write(scene.post("not json"));
    assert.equal((await nextOf(connection)).status, 400);
    connection.write(scene.post(goodBody));
    assertAnswered(await nextOf(connection));
    scene.test.simulator.reset();
  });
});
