import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultConfig } from "../config/defaults.ts";
import { deadlinePassed, overallDueMs, readDeadline } from "./deadline.ts";

test("the deadline of a request that has passed is told by the header that gave it", () => {
  const own = readDeadline({ "x-headgate-deadline-ms": "5000", "x-stainless-timeout": "1" }, 0, true);
  const { code, message } = deadlinePassed(own, "p/m", 5_000);
  assert.equal(code, "deadline_exceeded");
  assert.match(message, /^The request's own deadline \(x-headgate-deadline-ms: 5000 ms\) was over before p\/m /);
  const sdk = readDeadline({ "x-stainless-timeout": "30" }, 0, true);
  assert.match(
    deadlinePassed(sdk, null, 30_000).message,
    /\(x-stainless-timeout: 30000 ms\) was over before a provider /,
  );
});

test("a request whose own deadline has not passed is told of the gateway's", () => {
  const own = readDeadline({ "x-headgate-deadline-ms": "5000" }, 0, false);
  for (const deadline of [own, readDeadline({}, 0, false)])
    assert.match(deadlinePassed(deadline, "p/m", 1_000).message, /\(timeouts\.totalMs\)/);
});

test("an SDK's timeout bounds a whole answer, and of a stream the beginning", () => {
  const headers = { "x-stainless-timeout": "10" };
  const { totalDueMs, firstOutputDueMs } = readDeadline(headers, 0, true);
  assert.deepEqual([totalDueMs, firstOutputDueMs], [Infinity, 9_950]);
  assert.equal(readDeadline(headers, 0, false).totalDueMs, 9_950);
});

test("the SDKs for Python say the same in another header", () => {
  const headers = { "x-stainless-read-timeout": "0.5" };
  assert.equal(readDeadline(headers, 0, false).totalDueMs, 475);
  assert.equal(readDeadline(headers, 0, true).firstOutputDueMs, 475);
  const both = readDeadline({ ...headers, "x-stainless-timeout": "10" }, 0, false);
  assert.deepEqual([both.askedMs, both.header], [10_000, "x-stainless-timeout"]);
});

test("all calls of a request are over when the most patient of its targets is, or its caller", () => {
  const targets = [4_000, 9_000].map((totalMs) => ({ timeouts: { ...defaultConfig({}).timeouts, totalMs } }));
  assert.equal(overallDueMs(100, targets, { totalDueMs: Infinity }), 9_100);
  assert.equal(overallDueMs(100, targets, { totalDueMs: 5_000 }), 5_000);
});
