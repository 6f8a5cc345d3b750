import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { faultCatalogue } from "../../../src/simulator/faults.ts";
import { models } from "../asker.ts";
import { describeCaller, describeCharge } from "../describe.ts";
import { answerText } from "../speech.ts";
import { upstreamFaults } from "../table.ts";
import { oneTargetCases, type CourseCase } from "./cases.ts";
import { openCourses, SIDE_BY_SIDE, type Courses } from "./scene.ts";

const cases = oneTargetCases();
let courses: Courses;

/** A fault that a caller does not notice changes no word. */
async function strike({ row, caller, upstream, stream, alias, expected }: CourseCase): Promise<void> {
  const reply = await courses.ask({ model: alias, caller, stream });
  await courses.assertCourse(reply, expected, stream, caller);
  if (expected.caller.kind !== "answer") return;
  const text = answerText(reply, stream, caller);
  assert.ok(text.length > 0);
  if (row.otherText === true) return;
  const plain = await courses.ask({ model: `${models[upstream]}:tokens=20,input=7`, caller, stream });
  assert.equal(text, answerText(plain, stream, caller));
}

function nameOf({ row, caller, upstream, stream, expected }: CourseCase): string {
  const asked = `of ${upstream}, asked in ${caller} for ${stream ? "a stream" : "a whole answer"}`;
  const { length } = expected.calls;
  const calls = length === 1 ? "one call" : `${length} calls`;
  const charge = describeCharge(expected.calls[0] ?? { charged: "nothing" });
  return `${row.title}, ${asked}, gets ${calls}, each charged ${charge}, and the caller ${describeCaller(expected)}`;
}

describe("the only target of a model", () => {
  before(async () => {
    courses = await openCourses({ models: Object.fromEntries(cases.map(({ alias, model }) => [alias, model])) });
  });
  after(() => courses[Symbol.asyncDispose]());

  describe("that", { concurrency: SIDE_BY_SIDE }, () => {
    for (const one of cases) test(nameOf(one), () => strike(one));
  });

  test("leaves the books in order, whatever it did", () => courses.assertBooks());
});

test("every fault of the simulator has its rows here, or its own test", () => {
  const elsewhere = ["refuse", "ignore-cancellation"];
  const missing = Object.keys(faultCatalogue).filter(
    (name) => !elsewhere.includes(name) && !upstreamFaults.some(({ fault }) => fault === name),
  );
  assert.deepEqual(missing, []);
});
