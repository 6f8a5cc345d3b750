import { after, before, describe, test } from "node:test";
import { describeCaller } from "../describe.ts";
import { oneTargetCases } from "./cases.ts";
import { openCourses, SIDE_BY_SIDE, type Courses } from "./scene.ts";

const cases = oneTargetCases();
let courses: Courses;

describe("the only target of a model", () => {
  before(async () => {
    courses = await openCourses({ models: Object.fromEntries(cases.map(({ alias, model }) => [alias, model])) });
  });
  after(() => courses[Symbol.asyncDispose]());

  describe("that", { concurrency: SIDE_BY_SIDE }, () => {
    for (const { row, upstream, stream, alias, expected } of cases) {
      const asked = `asked for ${stream ? "a stream" : "a whole answer"} in ${upstream}`;
      const { length } = expected.calls;
      const calls = length === 1 ? "one call" : `${length} calls`;
      test(`${row.title}, ${asked}, gets ${calls}, and the caller ${describeCaller(expected)}`, async () => {
        await courses.assertCourse(await courses.ask({ model: alias, stream }), expected, stream);
      });
    }
  });

  test("leaves the books in order, whatever it did", () => courses.assertBooks());
});
