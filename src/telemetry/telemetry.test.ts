import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { HeadgateError } from "../kernel/errors.ts";
import { createTelemetry, type RequestSummary } from "./telemetry.ts";

const record: RequestSummary = {
  requestId: "req_1",
  status: 400,
  ending: "provider-error",
  errorCode: "upstream_failed",
  modelAsked: "a",
  modelServed: null,
  payer: null,
  totalUs: 5,
};

function logOf(level: string, failure: HeadgateError): string {
  let text = "";
  createTelemetry(pino({ level }, { write: (line: string) => void (text += line) })).requestEnded(record, failure);
  return text;
}

test("what a provider said, which may quote the prompt, is logged at debug only; the code always", () => {
  const upstream = { type: "diary", code: "diary" };
  const failure = new HeadgateError("upstream_failed", "Your prompt 'my secret diary' is odd.", { upstream });
  const atInfo = logOf("info", failure);
  assert.doesNotMatch(atInfo, /diary/);
  assert.match(atInfo, /"errorCode":"upstream_failed"/);
  assert.match(logOf("debug", failure), /diary/);
});

test("the gateway's own words about a failure are logged", () => {
  assert.match(logOf("info", new HeadgateError("upstream_unreachable", "No route.")), /"reason":"No route\."/);
});

test("a charge that could not be written is logged with its id, usage and cost", () => {
  let text = "";
  const telemetry = createTelemetry(pino({ level: "info" }, { write: (line: string) => void (text += line) }));
  telemetry.closingLate("kept", record, [{ entryId: "att_1", usage: { inputTokens: 3 }, costNanoUsd: 17n }]);
  const line = JSON.parse(text);
  assert.deepEqual([line.level, line.requestId], [50, "req_1"]);
  assert.deepEqual(line.charges, [{ entryId: "att_1", usage: { inputTokens: 3 }, costNanoUsd: "17" }]);
});
