import assert from "node:assert/strict";
import { test } from "node:test";
import { isAccountTrouble } from "./account-trouble.ts";
import { readError as readAnthropic } from "./anthropic-messages/errors.ts";
import { readError as readOpenAi } from "./openai-errors/read-error.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 12);

function bytes(json: unknown): Buffer {
  return Buffer.from(JSON.stringify(json));
}

test("an account without credit, or over its own limit, is told of as the gateway's own by each API", () => {
  for (const message of [
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
    "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
    "You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
  ]) {
    const error = { type: "invalid_request_error", message };
    const anthropic = readAnthropic(400, {}, bytes({ type: "error", error, request_id: "req_011" }), NOW_MS);
    assert.deepEqual([anthropic.code, anthropic.status], ["upstream_credentials", 502]);
    assert.equal(readOpenAi(400, {}, bytes({ error }), NOW_MS).code, "upstream_credentials");
    assert.ok(!anthropic.message.includes("balance is too low"), "the caller is told in our words");
  }
});

test("keys that are refused as a bad request, and accounts that are not paid for, are the operator's trouble", () => {
  const google = {
    code: 400,
    message: "API key not valid. Please pass a valid API key.",
    status: "INVALID_ARGUMENT",
    details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }],
  };
  const said: readonly (readonly [number, unknown])[] = [
    [400, [{ error: google }]],
    [400, { error: { ...google, message: "API key expired. Please renew the API key." } }],
    [400, { code: "Client specified an invalid argument", error: "Incorrect API key provided: na***ys." }],
    [
      400,
      { error: { message: "Access denied, please make sure your account is in good standing.", code: "Arrearage" } },
    ],
    [400, { error: { message: "Insufficient Balance", type: "unknown_error", code: "invalid_request_error" } }],
    [400, { error: { message: "Billing hard limit has been reached", code: "billing_hard_limit_reached" } }],
    [412, { error: { message: "Account acme-1 is suspended, possibly due to reaching the monthly spending limit" } }],
    [429, { error: { message: "You exceeded your current quota", code: "insufficient_quota" } }],
    [
      429,
      {
        error: { message: "Your billing account has exceeded its monthly spending cap.", status: "RESOURCE_EXHAUSTED" },
      },
    ],
  ];
  for (const [status, body] of said) {
    assert.equal(readOpenAi(status, {}, bytes(body), NOW_MS).code, "upstream_credentials", JSON.stringify(body));
  }
});

test("what a caller wrote is no word about the account, nor are a caller's own mistakes and rates", () => {
  const quoted = 'Invalid value "your credit balance is too low": Incorrect API key provided';
  const told = (status: number, message: string): boolean =>
    isAccountTrouble(status, { type: "invalid_request_error", code: null, message });
  assert.equal(told(400, quoted), false);
  assert.equal(told(400, "max_tokens must be positive"), false);
  assert.equal(told(429, "Your project has exceeded its rate of requests a minute."), false);
  assert.equal(told(404, "API key not valid"), false);
});
