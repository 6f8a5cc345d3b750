import { after, before, describe, test } from "node:test";
import { answered, brokenOff } from "../outcome.ts";
import { models } from "../asker.ts";
import { upstreams } from "../table.ts";
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
function route(upstream: keyof typeof models, tokens: number): { model: string; first: string; second: string } {
  const first = `${models[upstream]}:tokens=40,fault=cut-between-events@${tokens},tag=window`;
  const second = `${models[upstream]}:tokens=20,tag=after-window-${tokens}`;
  const commit = { at: "window", windowTokens: WINDOW_TOKENS, windowMs: 5_000, whenBroken: "error" } as const;
  const model = courses.route(`window-${upstream}-${tokens}`, { targets: inOrder(first, second), commit });
  return { model, first, second };
}

for (const upstream of upstreams) {
  describe(`streams of ${upstream}`, () => {
    test(promises.earlyCut, async () => {
      const { model, first, second } = route(upstream, WINDOW_TOKENS - 4);
      const calls = [
        { target: first, became: "failed", code: "stream_truncated", charged: "estimate" },
        { target: second, became: "answered", code: null, charged: "reported" },
      ] as const;
      await courses.assertCourse(await courses.ask({ model, stream: true }), { ...answered(), calls }, true);
    });

    test(promises.lateCut, async () => {
      const { model, first } = route(upstream, WINDOW_TOKENS + 10);
      const broken = brokenOff("stream_truncated", "truncated");
      const calls = [{ target: first, became: "failed", code: "stream_truncated", charged: "estimate" }] as const;
      await courses.assertCourse(await courses.ask({ model, stream: true }), { ...broken, calls }, true);
    });
  });
}

test("windows leave the books in order", () => courses.assertBooks());
