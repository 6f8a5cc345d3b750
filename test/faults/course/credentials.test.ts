import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createSecret } from "../../../src/config/secret.ts";
import { answered, failed } from "../outcome.ts";
import { openCourses, type Courses } from "./scene.ts";
import { promises } from "./promises.ts";
import { callerFor } from "./ways.ts";

const kinds = { "openai-chat": "simulator", "anthropic-messages": "simulator-anthropic" } as const;
const served = { "openai-chat": "sim-chat", "anthropic-messages": "sim-claude" } as const;

let courses: Courses;
before(async () => {
  courses = await openCourses({});
});
after(() => courses[Symbol.asyncDispose]());

/** A provider with keys of these endings, and its model with this script. */
function provide(name: string, upstream: keyof typeof kinds, keys: readonly string[], script: string): string {
  const credentials = keys.map((key) => ({ name: key, key: createSecret(`sk-${key}`, "test") }));
  courses.provide(name, { baseUrl: `${courses.test.simulator.url}/v1`, credentials }, kinds[upstream]);
  return `${name}/${served[upstream]}:tokens=20,${script},tag=${name}`;
}

async function credentialsUsed(requestId: unknown): Promise<readonly string[]> {
  const { db } = courses.test.gateway.store;
  const entries = db.selectFrom("ledger_entries").select(["credential", "attempt_id"]);
  const rows = await entries.where("request_id", "=", String(requestId)).orderBy("attempt_id").execute();
  return rows.map(({ credential }) => credential);
}

for (const upstream of ["openai-chat", "anthropic-messages"] as const) {
  for (const stream of [false, true]) {
    const tag = `${upstream === "openai-chat" ? "o" : "a"}-${stream ? "stream" : "whole"}`;
    const caller = callerFor(upstream, stream);
    describe(`keys of ${upstream}, asked for ${stream ? "a stream" : "a whole answer"}`, () => {
      test(promises.oneKeyRefused, async () => {
        const target = provide(`mended-${tag}`, upstream, ["gone", "good"], "fault=bad-key:gone");
        const calls = [
          { target, became: "failed", code: "upstream_credentials", charged: "nothing" },
          { target, became: "answered", code: null, charged: "reported" },
        ] as const;
        const reply = await courses.ask({ caller, model: target, stream });
        await courses.assertCourse(reply, { ...answered(), calls }, stream, caller);
        assert.deepEqual(await credentialsUsed(reply.headers["x-request-id"]), ["gone", "good"]);
        const next = await courses.ask({ caller, model: target, stream });
        await courses.assertCourse(next, { ...answered(), calls: [calls[1]] }, stream, caller);
      });

      test(promises.allKeysRefused, async () => {
        const target = provide(`locked-${tag}`, upstream, ["gone", "also-gone"], "fault=bad-key:gone");
        const call = { target, became: "failed", code: "upstream_credentials", charged: "nothing" } as const;
        const expected = { ...failed(502, "upstream_credentials"), calls: [call, call] };
        await courses.assertCourse(await courses.ask({ caller, model: target, stream }), expected, stream, caller);
      });

      test(promises.oneKeyLimited, async () => {
        const target = provide(`limited-${tag}`, upstream, ["busy", "idle"], "status=429,retry-after=3600,first=1");
        const calls = [
          { target, became: "failed", code: "upstream_rate_limited", charged: "nothing" },
          { target, became: "answered", code: null, charged: "reported" },
        ] as const;
        const reply = await courses.ask({ caller, model: target, stream });
        await courses.assertCourse(reply, { ...answered(), calls }, stream, caller);
        assert.deepEqual(await credentialsUsed(reply.headers["x-request-id"]), ["busy", "idle"]);
      });
    });
  }
}

test("keys that are refused leave the books in order", () => courses.assertBooks());
