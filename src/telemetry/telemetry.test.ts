import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { HeadgateError } from "../kernel/errors.ts";
import { defaultConfig } from "../config/defaults.ts";
import { createLogger } from "./logger.ts";
import { createTelemetry, type RequestSummary, type Telemetry } from "./telemetry.ts";

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

/** What a log for people shows of an event, without its time. */
function prettyLogOf(write: (telemetry: Telemetry) => void, logLevel: "debug" | "info" = "info"): string {
  let text = "";
  const config = { ...defaultConfig().telemetry, logLevel, logFormat: "pretty" } as const;
  write(createTelemetry(createLogger(config, { write: (line: string) => void (text += line) })));
  assert.match(text, /^\d\d:\d\d:\d\d\.\d{3} /);
  return text.slice("00:00:00.000 ".length);
}

test("the log for people is one line an event, each field a name and a value", () => {
  const details = { target: "openai/gpt-5", forMs: 5, tags: ["eu"], none: null, reason: "It is away." };
  assert.equal(
    prettyLogOf((telemetry) => telemetry.warn("a target is left alone", details)),
    'warn  a target is left alone target=openai/gpt-5 forMs=5 tags=["eu"] reason="It is away."\n',
  );
});

test("what callers choose forges no line and no field of the log for people, and moves no cursor", () => {
  const forged = "x\n12:00:00.000 info  all is well\r\u001b[2J\u009b1A\u2028\u202e\u007f status=200";
  const failed = prettyLogOf((telemetry) => telemetry.backgroundFailed("this", new Error(forged)));
  const ended = prettyLogOf((telemetry) => telemetry.requestEnded({ ...record, modelAsked: forged }, null), "debug");
  const escapes = "\\u001b[2J\\u009b1A\\u2028\\u202e\\u007f status=200";
  assert.ok(ended.includes(` model="x\\n12:00:00.000 info  all is well\\r${escapes}" `), ended);
  assert.equal(ended.split("\n").length, 2);
  assert.ok(
    failed.startsWith(`error this failed\n  Error: x\n  12:00:00.000 info  all is well\\u000d${escapes}\n  `),
    failed,
  );
  for (const line of failed.trimEnd().split("\n").slice(1)) assert.match(line, /^  /);
  assert.doesNotMatch(failed + ended, /(?!\n)[\p{Cc}\u2028\u202e]/u);
});

test("names with a space, a quote or an equals sign are quoted", () => {
  for (const subject of ["a b", 'a"b', "a=b", "a\\b", ""]) {
    const log = prettyLogOf((telemetry) => telemetry.warn("told", { subject, next: 1 }));
    assert.equal(log, `warn  told subject=${JSON.stringify(subject)} next=1\n`);
  }
});
