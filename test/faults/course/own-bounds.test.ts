import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openCourses, type Courses } from "./scene.ts";
import { promises } from "./promises.ts";

/** After so many failures in a row a target would be left alone, and be down. */
const FAILURES_IN_ROW = 5;

let courses: Courses;
before(async () => {
  courses = await openCourses({ limits: { responseBytes: 4_000 } });
});
after(() => courses[Symbol.asyncDispose]());

test(promises.ownBounds, async () => {
  const long = courses.route("long", {
    targets: [{ model: "simulator/sim-chat:tokens=100000,rate=20,tag=long" }],
    timeouts: { totalMs: 1_500 },
  });
  const large = courses.route("large", { targets: [{ model: "simulator/sim-chat:tokens=3000,tag=large" }] });
  for (const [model, stream, code] of [
    [long, true, "total_timeout"],
    [large, false, "upstream_too_large"],
  ] as const) {
    await Promise.all(Array.from({ length: FAILURES_IN_ROW }, () => courses.ask({ model, stream })));
    const { text } = await courses.ask({ model, stream });
    assert.ok(text.includes(code), text.slice(-500));
  }
});

test("answers that are ended by the gateway's bounds leave the books in order", () => courses.assertBooks());
