import { after, before, describe, test } from "node:test";
import { goodBody, Scene, type Expected } from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await Scene.open({ limits: { bodyBytes: 20_000, jsonDepth: 16 } });
});
after(async () => {
  await scene.assertNoSecrets();
  await scene[Symbol.asyncDispose]();
});

const JSON_REFUSED = { status: 400, code: "invalid_json" };
const nested = (levels: number): string => `{"x":${"[".repeat(levels)}${"]".repeat(levels)}}`;

interface BadBody extends Expected {
  readonly what: string;
  readonly body: string | Uint8Array;
}

const unreadable: readonly BadBody[] = [
  { what: "an empty body", body: "", ...JSON_REFUSED, message: /line 1, column 1/ },
  { what: "white space only", body: " \n", ...JSON_REFUSED, message: /line 2/ },
  { what: "text that is no JSON", body: "model=gpt-4o&stream=1", ...JSON_REFUSED, message: /line 1, column 1/ },
  { what: "JSON that breaks off", body: goodBody.slice(0, -2), ...JSON_REFUSED },
  { what: "a comma too many", body: `{"model":"m",}`, ...JSON_REFUSED, message: /column 14/ },
  { what: "something after the object", body: `${goodBody}{}`, ...JSON_REFUSED },
  { what: "single quotes", body: `{'model':'m'}`, ...JSON_REFUSED, message: /column 2/ },
  { what: "NaN", body: `{"model":NaN}`, ...JSON_REFUSED },
  { what: "a control character in a string", body: `{"model":"a\u0000b"}`, ...JSON_REFUSED },
  { what: "an array", body: "[]", status: 400, code: "invalid_value", message: /must be a JSON object, not an array/ },
  { what: "null", body: "null", status: 400, code: "invalid_value", message: /not null/ },
  { what: "a number", body: "42", status: 400, code: "invalid_value", message: /not a number/ },
  { what: "a string", body: `"model"`, status: 400, code: "invalid_value", message: /not a string/ },
  { what: "a byte order mark", body: `\ufeff${goodBody}`, status: 400, code: "invalid_encoding", message: /byte 0/ },
  {
    what: "bytes that are not UTF-8",
    body: Buffer.from(`{"model":"caf\u00e9"}`, "latin1"),
    status: 400,
    code: "invalid_encoding",
    message: /byte 13/,
  },
  {
    what: "UTF-16",
    body: Buffer.from(goodBody, "utf16le"),
    ...JSON_REFUSED,
  },
  {
    what: "an overlong encoding",
    body: Buffer.concat([Buffer.from(`{"model":"`), Buffer.from([0xc0, 0xaf]), Buffer.from(`"}`)]),
    status: 400,
    code: "invalid_encoding",
    message: /byte 10/,
  },
  {
    what: "a field named twice",
    body: `{"model":"a","messages":[],"model":"b"}`,
    status: 400,
    code: "duplicate_field",
    param: "model",
  },
  {
    what: "a field named twice, once with an escape",
    body: String.raw`{"model":"a","mod\u0065l":"b"}`,
    status: 400,
    code: "duplicate_field",
    param: "model",
  },
  {
    what: "a field named twice in a message",
    body: `{"model":"a","messages":[{"role":"user","content":"x","role":"system"}]}`,
    status: 400,
    code: "duplicate_field",
    param: "messages[0].role",
  },
  {
    what: "one level of nesting too many",
    body: nested(16),
    status: 400,
    code: "nesting_too_deep",
    message: /deeper than 16 levels at byte 20/,
  },
  {
    what: "thousands of levels that never close",
    body: "[".repeat(19_000),
    status: 400,
    code: "nesting_too_deep",
  },
];

describe("a body that cannot be read is refused:", () => {
  for (const { what, body, ...expected } of unreadable) {
    test(what, () => scene.refuses(scene.post(body), expected));
  }

  test("no body at all", async () => {
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${scene.test.key}\r\n\r\n`;
    await scene.refuses(head, JSON_REFUSED);
  });
});

describe("the limit of nesting", () => {
  test("lets the deepest allowed body through to the check of its fields", () =>
    scene.refuses(scene.post(nested(15)), { status: 400, code: "missing_field", param: "model" }));
});

describe("a body that is too large is refused with 413:", () => {
  const expected: Expected = { status: 413, code: "body_too_large", message: /larger than 20000 bytes/ };
  const chunked = (): string =>
    `POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${scene.test.key}\r\ntransfer-encoding: chunked\r\n\r\n`;

  test("by its content-length, before any of it was sent", () => {
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${scene.test.key}\r\ncontent-length: 20001\r\n\r\n`;
    return scene.refuses(head, expected);
  });

  test("by its content-length, although all of it is sent", () =>
    scene.refuses(scene.post("x".repeat(5_000_000)), expected));

  test("while its chunks arrive, without waiting for the last", () =>
    scene.refuses(`${chunked()}4e20\r\n${"x".repeat(20_000)}\r\n1\r\nx\r\n`, expected));

  test("but not if it is exactly as large as allowed", () =>
    scene.refuses(scene.post("x".repeat(20_000)), JSON_REFUSED));

  test("also in chunks of exactly the allowed size", () =>
    scene.refuses(`${chunked()}4e20\r\n${"x".repeat(20_000)}\r\n0\r\n\r\n`, JSON_REFUSED));

  test("when its length is more than a number holds", () => {
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${scene.test.key}\r\n`;
    return scene.refuses(`${head}content-length: 99999999999999999999\r\n\r\n`, {
      status: 400,
      code: "malformed_http",
    });
  });
});

describe("a body of another kind is refused with 415:", () => {
  const of = (name: string): Expected => ({ status: 415, code: "unsupported_media_type", param: name });
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonl",
    "application/json-seq",
    "text/json",
    "json",
  ]) {
    test(`content-type ${type}`, () =>
      scene.refuses(scene.post(goodBody, `content-type: ${type}\r\n`), of("content-type")));
  }
  for (const encoding of ["gzip", "br", "deflate", "zstd", "gzip, identity"]) {
    test(`content-encoding ${encoding}`, () =>
      scene.refuses(scene.post(goodBody, `content-encoding: ${encoding}\r\n`), of("content-encoding")));
  }
});

describe("a JSON body is taken", () => {
  for (const head of [
    "",
    "content-type: application/json; charset=utf-8\r\n",
    "content-type: APPLICATION/JSON\r\n",
    "content-type: application/vnd.api+json ; v=1\r\n",
    "content-encoding: identity\r\n",
  ]) {
    test(head === "" ? "without any header about it" : `with ${head.trim()}`, async () => {
      const response = await scene.send(scene.post(goodBody, head));
      if (response.status !== 200) throw new Error(response.body.toString("utf8"));
      scene.test.simulator.reset();
    });
  }
});
