import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Reply } from "../../support/simulator-client.ts";
import { models } from "../asker.ts";
import { enduringLines } from "../lines/enduring.ts";
import type { Case } from "../lines/line.ts";
import { testLines, type Strike } from "../test-lines.ts";
import { inOrder } from "./cases.ts";
import { courseOf } from "./expected.ts";
import { openCourses, SIDE_BY_SIDE, type Courses } from "./scene.ts";

/** Longer than any of these tests. */
const OPEN_MS = 60_000;
const ASKED_S = 3_600;
/** More than it takes for a target to be left alone. */
const REQUESTS_BEFORE = 5;

let courses: Courses;
before(async () => {
  courses = await openCourses({ health: { openMs: OPEN_MS } });
});
after(() => courses[Symbol.asyncDispose]());

/** Each case has targets of its own. */
let struck = 0;

function targetOf({ upstream }: Case, script: string): string {
  return `${models[upstream]}:tokens=3,${script}tag=enduring-${++struck}`;
}

/** What the caller sees after so many requests that may come to anything. */
async function askAfter(before: number, model: string, { caller, stream }: Case): Promise<Reply> {
  for (let asked = 0; asked < before; asked++) await courses.ask({ caller, model, stream });
  return courses.ask({ caller, model, stream });
}

/** The line's request after some others: of a model whose targets have these scripts, the last call being the last's. */
function strikeAfter(before: number, name: keyof typeof enduringLines, ...scripts: readonly string[]): Strike {
  return async (one) => {
    const targets = scripts.map((script) => targetOf(one, script));
    const [first = "", last = first] = targets;
    const model = last === first ? first : courses.route(`enduring-${struck}`, { targets: inOrder(first, last) });
    const reply = await askAfter(before, model, one);
    const { calls = one.outcome.attempts === 0 ? [] : [one.outcome] } = enduringLines[name];
    const called = calls.map((call, at) => ({ target: at === calls.length - 1 ? last : first, ...call }));
    const isPassedOver = calls.length === 1 && last !== first;
    const left = isPassedOver ? { passedOver: { target: first, code: "target_unavailable" } } : {};
    await courses.assertCourse(reply, { ...courseOf(one.outcome, called), ...left }, one.stream, one.caller);
    const { caller } = one.outcome;
    if (caller.kind === "error") assert.ok(Number(reply.headers["retry-after"]) > 1);
  };
}

testLines(
  enduringLines,
  {
    "storm with another": strikeAfter(REQUESTS_BEFORE, "storm with another", "status=529,", ""),
    "storm alone": strikeAfter(REQUESTS_BEFORE, "storm alone", "status=529,"),
    "limited alone": strikeAfter(1, "limited alone", `status=429,retry-after=${ASKED_S},`),
    "flapping with another": strikeAfter(1, "flapping with another", "fault=flapping:2,", ""),
    "flapping alone": strikeAfter(1, "flapping alone", "fault=flapping:2,"),
  },
  { sideBySide: SIDE_BY_SIDE },
);

test("targets that go on failing leave the books in order", () => courses.assertBooks());
