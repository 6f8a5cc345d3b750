import assert from "node:assert/strict";
import { describe, test } from "node:test";
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError,
} from "openai";
import { createTestKey } from "./keys.ts";
import { openSuite, testBooks } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

const messages = [{ role: "user" as const, content: "hi" }];
const BODY_BYTES_MAX = 100_000;

interface Failure {
  /** What the simulator does. */
  readonly script: string;
  readonly is: new (...args: never[]) => APIError;
  readonly status: number;
  readonly code: string;
  /** The provider may have billed the call: until it has been asked, the input is charged. */
  readonly charged?: true;
}

/**
 * Where the code is the provider's own, OpenAI's API has one and Anthropic's has none: there the gateway's stands.
 */
function failuresOf(native: boolean): readonly Failure[] {
  return [
    { script: "status=400", is: BadRequestError, status: 400, code: "upstream_rejected" },
    { script: "fault=context-length", is: BadRequestError, status: 400, code: "context_length_exceeded" },
    { script: "fault=content-filter", is: BadRequestError, status: 400, code: "content_filter" },
    { script: "status=401", is: InternalServerError, status: 502, code: "upstream_credentials" },
    { script: "status=403", is: InternalServerError, status: 502, code: "upstream_credentials" },
    {
      script: "status=404",
      is: NotFoundError,
      status: 404,
      code: native ? "model_not_found" : "upstream_rejected",
    },
    { script: "status=413", is: APIError, status: 413, code: "upstream_rejected" },
    { script: "status=422", is: UnprocessableEntityError, status: 422, code: "upstream_rejected" },
    {
      script: "status=429",
      is: RateLimitError,
      status: 429,
      code: native ? "rate_limit_exceeded" : "upstream_rate_limited",
    },
    { script: "status=500", is: InternalServerError, status: 502, code: "upstream_failed" },
    { script: "status=502", is: InternalServerError, status: 502, code: "upstream_failed" },
    { script: "status=529", is: InternalServerError, status: 529, code: "upstream_overloaded" },
    {
      script: "fault=html-instead-of-json",
      is: InternalServerError,
      status: 502,
      code: "upstream_malformed",
      charged: true,
    },
    { script: "fault=reset-before-response", is: InternalServerError, status: 502, code: "upstream_unreachable" },
  ];
}

describe("errors through the SDK", () => {
  const suite = openSuite({ config: { limits: { bodyBytes: BODY_BYTES_MAX }, retries: { attemptsMax: 1 } } });

  for (const upstream of upstreams) {
    describe(`of ${upstream.title}`, () => {
      for (const { script, is, status, code, charged = false } of failuresOf(upstream.native)) {
        for (const stream of [false, true]) {
          test(`${script} is a ${is.name} with the code ${code}${stream ? ", streaming" : ""}`, async () => {
            const request = { model: upstream.scripted(script), messages, stream };
            const error = await rejection(suite.client.chat.completions.create(request));
            assert.equal(error.constructor, is);
            assert.deepEqual([error.status, error.code], [status, code]);
            assert.ok(error.message.length > 10 && !error.message.includes("<html"));
            assert.match(error.requestID ?? "", /^req_/);
            assert.equal((error.error as { request_id: string }).request_id, error.requestID);
            const record = await suite.gateway.gateway.store.db
              .selectFrom("requests")
              .select(["status", "cost_nano_usd"])
              .where("request_id", "=", error.requestID ?? "")
              .executeTakeFirstOrThrow();
            assert.deepEqual([record.status, record.cost_nano_usd > 0n], [status, charged]);
          });
        }
      }

      test("say how long to wait", async () => {
        const model = upstream.scripted("status=429,retry-after=7");
        const error = await rejection(suite.client.chat.completions.create({ model, messages }));
        const { headers } = error;
        assert.deepEqual([headers?.get("retry-after"), headers?.get("retry-after-ms")], ["7", "7000"]);
      });

      for (const [param, change, code] of [
        ["messages", { messages: undefined }, "missing_field"],
        ["messages", { messages: [] }, "invalid_value"],
        ["messages[0].role", { messages: [{ role: 5, content: "hi" }] }, "invalid_value"],
        ["messages[0].content", { messages: [{ role: "user" }] }, "missing_field"],
        ["temperature", { temperature: "hot" }, "invalid_value"],
        ["max_completion_tokens", { max_completion_tokens: 0 }, "invalid_value"],
        ["max_tokens", { max_tokens: Number.MAX_SAFE_INTEGER }, "invalid_value"],
        ["user", { user: "u".repeat(513) }, "invalid_value"],
        ["stream", { stream: "yes" }, "invalid_value"],
      ] as const) {
        test(`name the field ${param} (${code})`, async () => {
          const request = { model: upstream.model, messages, ...change } as never;
          const error = await rejection(suite.client.chat.completions.create(request));
          assert.ok(error instanceof BadRequestError);
          assert.deepEqual([error.param, error.code, error.type], [param, code, "invalid_request_error"]);
          assert.equal(error.headers.get("x-should-retry"), "false");
        });
      }

      test("refuse a key that is unknown, or may not use the model", async () => {
        const request = { model: upstream.model, messages };
        const as = (apiKey: string) => new OpenAI({ baseURL: suite.client.baseURL, apiKey, maxRetries: 0 });
        const unknown = await rejection(as("sk-wrong").chat.completions.create(request));
        assert.ok(unknown instanceof AuthenticationError);
        assert.equal(unknown.code, "invalid_api_key");
        const limited = await createTestKey(suite.gateway, { modelAllowList: ["other/*"] });
        const forbidden = await rejection(as(limited).chat.completions.create(request));
        assert.ok(forbidden instanceof PermissionDeniedError);
        assert.deepEqual([forbidden.code, forbidden.param], ["model_not_allowed", "model"]);
      });

      test("refuse a body that is too large before any provider sees it", async () => {
        const content = "x".repeat(BODY_BYTES_MAX);
        const request = { model: upstream.model, messages: [{ role: "user" as const, content }] };
        const error = await rejection(suite.client.chat.completions.create(request));
        assert.deepEqual([error.constructor, error.status, error.code], [APIError, 413, "body_too_large"]);
      });
    });
  }

  test("refuse a path that is not there as not found", async () => {
    const error = await rejection(suite.client.post("/chat/completion", { body: {} }));
    assert.ok(error instanceof NotFoundError);
    assert.match(error.message, /Did you mean \/v1\/chat\/completions\?/);
  });

  test("leave the gateway answering", async () => {
    const completion = await suite.client.chat.completions.create({ model: upstreams[0]!.model, messages });
    assert.equal(completion.choices[0]?.finish_reason, "stop");
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
