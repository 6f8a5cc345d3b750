import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { readRateLimitReset } from "./rate-limit-reset.ts";

const NOW_MS = Date.parse("2026-11-21T12:00:00Z");

function wait(headers: Record<string, string>): number | null {
  return readRateLimitReset(headers, NOW_MS);
}

describe("when a provider's rate is reset", () => {
  const requests = (reset: string): number | null =>
    wait({ "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": reset });

  test("is read as a duration, in seconds, or as a time since 1970", () => {
    assert.deepEqual(
      ["1s", "6m0s", "12ms", "1h0m2.5s", "1d", "250.4µs"].map(requests),
      [1_000, 360_000, 12, 3_602_500, 86_400_000, 1],
    );
    assert.deepEqual(["0", "7", "59.7"].map(requests), [0, 7_000, 59_700]);
    const [inSeconds, inMs] = [String(NOW_MS / 1000 + 30), String(NOW_MS + 30_000)];
    assert.deepEqual([inSeconds, inMs].map(requests), [30_000, 30_000]);
  });

  test("is read as Anthropic writes it", () => {
    const reset = "2026-11-21T12:00:20Z";
    for (const rate of ["requests", "tokens", "input-tokens", "output-tokens"]) {
      const headers = { [`anthropic-ratelimit-${rate}-remaining`]: "0", [`anthropic-ratelimit-${rate}-reset`]: reset };
      assert.equal(wait(headers), 20_000, rate);
    }
  });

  test("is now if its time has passed", () => {
    assert.equal(
      wait({ "anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2026-11-21T11:59:00Z" }),
      0,
    );
    assert.equal(requests(String(NOW_MS / 1000 - 5)), 0);
  });

  test("counts only where nothing remains of the rate", () => {
    const headers = { "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s" };
    const remaining = (ofRequests: string, ofTokens: string): Record<string, string> => ({
      ...headers,
      "x-ratelimit-remaining-requests": ofRequests,
      "x-ratelimit-remaining-tokens": ofTokens,
    });
    assert.equal(wait(remaining("0", "1500")), 1_000);
    assert.equal(wait(remaining("59", "0")), 360_000);
    assert.equal(wait(remaining("0", "-12")), 360_000, "the last of both");
    assert.equal(wait(remaining("59", "1500")), null);
    assert.equal(wait(headers), null, "nobody says that it is used up");
  });

  test("is ignored where it cannot be read", () => {
    const unusable = [
      "",
      "soon",
      "1",
      "6m0",
      "-1s",
      "1s1",
      "1.s",
      "s",
      "2026-13-45T99:00:00Z",
      "tomorrow",
      "1e3",
      "NaN",
    ];
    const [known] = unusable.splice(2, 1);
    assert.equal(requests(known ?? ""), 1_000);
    for (const text of unusable) assert.equal(requests(text), null, text);
    assert.equal(wait({ "x-ratelimit-remaining-requests": "none", "x-ratelimit-reset-requests": "1s" }), null);
    assert.equal(wait({}), null);
  });

  test("is a time that can be waited for, whatever was sent", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[\d.]{0,20}(?:ms|[dhms])?[\d.]{0,9}(?:s|m)?$/));
    fc.assert(
      fc.property(text, (reset) => {
        const ms = requests(reset);
        assert.ok(ms === null || (Number.isInteger(ms) && ms >= 0));
      }),
    );
  });
});
