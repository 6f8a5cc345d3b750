import { after, before, describe, test } from "node:test";
import { answered, brokenOff } from "../outcome.ts";
import { models } from "../asker.ts";
import { callers, type Caller } from "../speech.ts";
import { upstreams, type Upstream } from "../table.ts";
import { inOrder } from "./cases.ts";
import { openCourses, type Courses } from "./scene.ts";
import { promises } from "./promises.ts";

/** Of output, held back at the beginning of each stream. */
const WINDOW_TOKENS = 10;

let courses: Courses;
before(async () => {
  courses = await openCourses({});
});
after(() => courses[Symbol.asyncDispose]());

/** A model whose first target breaks off after so many tokens, and the names of its targets. */
function route(caller: Caller, upstream: Upstream, tokens: number): { model: string; first: string; second: string } {
  const first = `${models[upstream]}:tokens=40,fault=cut-between-events@${tokens},tag=window-${caller}`;
  const second = `${models[upstream]}:tokens=20,tag=after-window-${caller}-${tokens}`;
  const commit = { at: "window", windowTokens: WINDOW_TOKENS, windowMs: 5_000, whenBroken: "error" } as const;
  const model = courses.route(`window-${caller}-${upstream}-${tokens}`, { targets: inOrder(first, second), commit });
  return { model, first, second };
}

for (const [caller, upstream] of callers.flatMap((one) => upstreams.map((other) => [one, other] as const))) {
  describe(`streams of ${upstream}, asked in ${caller}`, () => {
    test(promises.earlyCut, async () => {
      const { model, first, second } = route(caller, upstream, WINDOW_TOKENS - 4);
      const calls = [
        { target: first, became: "failed", code: "stream_truncated", charged: "estimate" },
        { target: second, became: "answered", code: null, charged: "reported" },
      ] as const;
      await courses.assertCourse(
        await courses.ask({ caller, model, stream: true }),
        { ...answered(), calls },
        true,
        caller,
      );
    });

    test(promises.lateCut, async () => {
      const { model, first } = route(caller, upstream, WINDOW_TOKENS + 10);
      const broken = brokenOff("stream_truncated", "truncated");
      const calls = [{ target: first, became: "failed", code: "stream_truncated", charged: "estimate" }] as const;
      await courses.assertCourse(
        await courses.ask({ caller, model, stream: true }),
        { ...broken, calls },
        true,
        caller,
      );
    });
  });
}

test("windows leave the books in order", () => courses.assertBooks());
