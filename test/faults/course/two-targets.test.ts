import { after, before, describe, test } from "node:test";
import { describeCaller } from "../describe.ts";
import { twoTargetCases, type CourseCase } from "./cases.ts";
import { openCourses, SIDE_BY_SIDE, type Courses } from "./scene.ts";

const committing = {
  "first-output": "the first of two targets that",
  complete: "the first of two targets of a model that holds its streams back until they are complete, and that",
} as const;

for (const commit of ["first-output", "complete"] as const) {
  const cases = twoTargetCases(commit);
  let courses: Courses;

  describe(committing[commit], () => {
    before(async () => {
      courses = await openCourses({ models: Object.fromEntries(cases.map(({ alias, model }) => [alias, model])) });
    });
    after(() => courses[Symbol.asyncDispose]());

    describe("is", { concurrency: SIDE_BY_SIDE }, () => {
      for (const one of cases) {
        test(nameOf(one), async () => {
          const { alias, caller, stream, expected } = one;
          await courses.assertCourse(await courses.ask({ model: alias, caller, stream }), expected, stream, caller);
        });
      }
    });

    test("leaves the books in order, whatever it did", () => courses.assertBooks());
  });
}

function nameOf({ row, caller, upstream, stream, expected }: CourseCase): string {
  const asked = `of ${upstream}, asked in ${caller} for ${stream ? "a stream" : "a whole answer"}`;
  const next = expected.calls.length > 1 ? "the other one answers" : "nobody else is called";
  return `${row.title}, ${asked}: ${next}, and the caller gets ${describeCaller(expected)}`;
}
