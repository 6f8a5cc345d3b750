import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createSecret } from "../../../src/config/secret.ts";
import type { Evidence } from "../../support/evidence.ts";
import { kindOf, models } from "../asker.ts";
import { keyLines } from "../lines/keys.ts";
import type { Case, LineCall } from "../lines/line.ts";
import type { Upstream } from "../table.ts";
import { testLines, type Strike } from "../test-lines.ts";
import { courseOf } from "./expected.ts";
import { inCallOrder, openCourses, type Courses } from "./scene.ts";

let courses: Courses;
before(async () => {
  courses = await openCourses({});
});
after(() => courses[Symbol.asyncDispose]());

/** Each case has providers of its own. */
let struck = 0;

/** A model of a provider with these keys. */
function provide(upstream: Upstream, keys: readonly string[], script: string): string {
  const name = `keys-${++struck}`;
  const credentials = keys.map((key) => ({ name: key, key: createSecret(`sk-${key}`, "test") }));
  courses.provide(name, { baseUrl: `${courses.test.simulator.url}/v1`, credentials }, kindOf(upstream));
  const [, served = ""] = models[upstream].split("/");
  return `${name}/${served}:tokens=20,${script},tag=${name}`;
}

async function askFor(
  target: string,
  { caller, stream, outcome }: Case,
  calls: readonly LineCall[],
): Promise<Evidence> {
  const reply = await courses.ask({ caller, model: target, stream });
  const called = calls.map((call) => ({ target, ...call }));
  return await courses.assertCourse(reply, courseOf(outcome, called), stream, caller);
}

function assertUsed(evidence: Evidence, keys: readonly string[]): void {
  assert.deepEqual(
    inCallOrder(evidence).map(({ credential }) => credential),
    keys,
  );
}

/** The line's calls, made with these keys. */
function strikeWith(name: keyof typeof keyLines, keys: readonly string[], script: string): Strike {
  return async (one) => {
    const { calls = [] } = keyLines[name];
    assertUsed(await askFor(provide(one.upstream, keys, script), one, calls), keys);
  };
}

const strikes: Readonly<Record<keyof typeof keyLines, Strike>> = {
  async "one refused"(one) {
    const { calls = [] } = keyLines["one refused"];
    for (const script of ["fault=bad-key:gone", "status=402,first=1", "status=403,first=1"]) {
      const target = provide(one.upstream, ["gone", "good"], script);
      assertUsed(await askFor(target, one, calls), ["gone", "good"]);
      assertUsed(await askFor(target, one, calls.slice(1)), ["good"]);
    }
  },
  "all refused": strikeWith("all refused", ["gone", "also-gone"], "fault=bad-key:gone"),
  "one limited": strikeWith("one limited", ["busy", "idle"], "status=429,retry-after=3600,first=1"),
};

// One after the other: a new provider is a new configuration, with which every key is tried again.
testLines(keyLines, strikes);

test("keys that are refused leave the books in order", () => courses.assertBooks());
