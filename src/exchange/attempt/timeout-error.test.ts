import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultConfig } from "../../config/defaults.ts";
import { readDeadline, type CallerDeadline } from "../deadline.ts";
import type { AttemptCall } from "./call.ts";
import { timeoutError } from "./timeout-error.ts";

function aCall(deadline: CallerDeadline, totalDueMs: number): AttemptCall {
  const { timeouts } = defaultConfig({ timeouts: { firstTokenMs: 3_000 } });
  const call: Pick<AttemptCall, "timeouts" | "providerName" | "deadline" | "totalDueMs"> = {
    timeouts,
    providerName: "p",
    deadline,
    totalDueMs,
  };
  return { ...call, target: { name: "p/m" } } as AttemptCall;
}

const noDeadline = readDeadline({}, 0, true);

test("whatever runs out is told with its option, how long it is, and whom it is about", () => {
  const call = aCall(noDeadline, 600_000);
  const told = (["connect", "first-token", "idle", "body", "ending", "reader", "total"] as const).map((name) => {
    const { code, message } = timeoutError(name, call);
    assert.match(message, /\bp(\/m)?\b/);
    return [code, /(\d+) ms/.exec(message)?.[1], /timeouts\.\w+/.exec(message)?.[0]];
  });
  assert.deepEqual(told, [
    ["connect_timeout", "5000", "timeouts.connectMs"],
    ["first_token_timeout", "3000", "timeouts.firstTokenMs"],
    ["idle_timeout", "60000", "timeouts.idleMs"],
    ["idle_timeout", "60000", "timeouts.idleMs"],
    ["idle_timeout", "2000", "timeouts.endingMs"],
    ["client_closed", "60000", "timeouts.idleMs"],
    ["total_timeout", "600000", "timeouts.totalMs"],
  ]);
});

test("a caller's deadline is told as such, with its header, where it is what ran out", () => {
  const own = readDeadline({ "x-headgate-deadline-ms": "5000" }, 0, true);
  const passed = timeoutError("total", aCall(own, own.totalDueMs));
  assert.equal(passed.code, "deadline_exceeded");
  assert.match(passed.message, /x-headgate-deadline-ms: 5000 ms.* p\/m /);
  assert.equal(timeoutError("total", aCall(own, 1_000)).code, "total_timeout");
  const sdk = readDeadline({ "x-stainless-timeout": "20" }, 0, true);
  assert.match(timeoutError("beginning", aCall(sdk, Infinity)).message, /x-stainless-timeout: 20000 ms.* p\/m /);
});
