import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Anthropic, {
  APIError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  PermissionDeniedError,
} from "@anthropic-ai/sdk";
import { createTestKey } from "../keys.ts";
import { testBooks } from "../suite.ts";
import { openMessagesSuite, upstreams } from "./suite.ts";

const messages = [{ role: "user" as const, content: "hi" }];
const max_tokens = 20;
const BODY_BYTES_MAX = 100_000;

interface Failure {
  /** What the simulator does. */
  readonly script: string;
  readonly is: string;
  readonly status: number;
  readonly type: string;
  readonly code: string;
}

/** Where the code is the provider's own, OpenAI's API has one and Anthropic's has none: there the gateway's stands. */
function failuresOf(native: boolean): readonly Failure[] {
  const rejected = { type: "invalid_request_error", code: "upstream_rejected" };
  const failed = { is: "InternalServerError", status: 502, type: "api_error" };
  return [
    { script: "status=400", is: "BadRequestError", status: 400, ...rejected },
    {
      script: "fault=context-length",
      is: "BadRequestError",
      status: 400,
      ...rejected,
      code: "context_length_exceeded",
    },
    { script: "fault=content-filter", is: "BadRequestError", status: 400, ...rejected, code: "content_filter" },
    { script: "status=401", ...failed, code: "upstream_credentials" },
    {
      script: "status=404",
      is: "NotFoundError",
      status: 404,
      type: "not_found_error",
      code: native ? "upstream_rejected" : "model_not_found",
    },
    { script: "status=413", is: "ContentTooLargeError", status: 413, ...rejected, type: "request_too_large" },
    { script: "status=422", is: "UnprocessableEntityError", status: 422, ...rejected },
    {
      script: "status=429",
      is: "RateLimitError",
      status: 429,
      type: "rate_limit_error",
      code: native ? "upstream_rate_limited" : "rate_limit_exceeded",
    },
    { script: "status=500", ...failed, code: "upstream_failed" },
    { script: "status=529", is: "OverloadedError", status: 529, type: "overloaded_error", code: "upstream_overloaded" },
    { script: "fault=html-instead-of-json", ...failed, code: "upstream_malformed" },
    { script: "fault=reset-before-response", ...failed, code: "upstream_unreachable" },
  ];
}

describe("errors through Anthropic's SDK", () => {
  const suite = openMessagesSuite({ config: { limits: { bodyBytes: BODY_BYTES_MAX }, retries: { attemptsMax: 1 } } });

  for (const upstream of upstreams) {
    describe(`of ${upstream.title}`, () => {
      for (const { script, is, status, type, code } of failuresOf(upstream.native)) {
        for (const stream of [false, true]) {
          test(`${script} is a ${is} with the code ${code}${stream ? ", streaming" : ""}`, async () => {
            const request = { model: upstream.scripted(script), max_tokens, messages, stream };
            const error = await rejection(suite.anthropic.messages.create(request));
            assert.deepEqual([error.constructor.name, error.status, error.type], [is, status, type]);
            assert.equal(error.errorCode, code);
            assert.ok((error.apiMessage ?? "").length >= 10 && !error.message.includes("<html"));
            assert.match(error.requestID ?? "", /^req_/);
            assert.equal((error.error as { request_id: string }).request_id, error.requestID);
          });
        }
      }

      test("say how long to wait", async () => {
        const model = upstream.scripted("status=429,retry-after=7");
        const { headers } = await rejection(suite.anthropic.messages.create({ model, max_tokens, messages }));
        assert.deepEqual([headers?.get("retry-after"), headers?.get("retry-after-ms")], ["7", "7000"]);
      });

      for (const [param, change, code] of [
        ["max_tokens", { max_tokens: undefined }, "missing_field"],
        ["max_tokens", { max_tokens: "20" }, "invalid_value"],
        ["messages", { messages: undefined }, "missing_field"],
        ["messages[0].role", { messages: [{ role: 5, content: "hi" }] }, "invalid_value"],
        ["messages[0].content[0]", { messages: [{ role: "user", content: ["hi"] }] }, "invalid_value"],
        ["system", { system: 5 }, "invalid_value"],
        ["metadata.user_id", { metadata: { user_id: "u".repeat(513) } }, "invalid_value"],
        ["stream", { stream: "yes" }, "invalid_value"],
      ] as const) {
        test(`name the field ${param} (${code})`, async () => {
          const request = { model: upstream.model, max_tokens, messages, ...change } as never;
          const error = await rejection(suite.anthropic.messages.create(request));
          assert.ok(error instanceof BadRequestError);
          const { error: body } = error.error as { error: { param: string } };
          assert.deepEqual([body.param, error.errorCode, error.type], [param, code, "invalid_request_error"]);
          assert.equal(error.headers.get("x-should-retry"), "false");
        });
      }

      test("refuse a key that is unknown, or may not use the model", async () => {
        const request = { model: upstream.model, max_tokens, messages };
        const as = (apiKey: string) => new Anthropic({ baseURL: suite.gateway.url, apiKey, maxRetries: 0 });
        const unknown = await rejection(as("sk-wrong").messages.create(request));
        assert.ok(unknown instanceof AuthenticationError);
        assert.deepEqual([unknown.type, unknown.errorCode], ["authentication_error", "invalid_api_key"]);
        const limited = await createTestKey(suite.gateway, { modelAllowList: ["other/*"] });
        const forbidden = await rejection(as(limited).messages.create(request));
        assert.ok(forbidden instanceof PermissionDeniedError);
        assert.deepEqual([forbidden.type, forbidden.errorCode], ["permission_error", "model_not_allowed"]);
      });

      test("refuse a body that is too large before any provider sees it", async () => {
        const content = "x".repeat(BODY_BYTES_MAX);
        const request = { model: upstream.model, max_tokens, messages: [{ role: "user" as const, content }] };
        const error = await rejection(suite.anthropic.messages.create(request));
        assert.deepEqual([error.status, error.type, error.errorCode], [413, "request_too_large", "body_too_large"]);
      });
    });
  }

  test("refuse a path that is not there as not found, in the shape that the SDK reads", async () => {
    const error = await rejection(suite.anthropic.post("/v1/messages/batch", { body: {} }));
    assert.ok(error instanceof NotFoundError);
    assert.deepEqual([error.type, error.errorCode], ["not_found_error", "route_not_found"]);
  });

  test("leave the gateway answering", async () => {
    const request = { model: upstreams[1]!.model, max_tokens: 500, messages };
    assert.equal((await suite.anthropic.messages.create(request)).stop_reason, "end_turn");
  });

  testBooks(suite);
});

async function rejection(promise: PromiseLike<unknown>): Promise<APIError> {
  try {
    await promise;
  } catch (thrown) {
    assert.ok(thrown instanceof APIError, String(thrown));
    return thrown;
  }
  assert.fail("the request was answered");
}
