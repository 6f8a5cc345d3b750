/** A target that fails as a line says: asked for as a model's only one, and as the first of two. */
import type { Reply } from "../../support/simulator-client.ts";
import type { Case, Line } from "../lines/line.ts";
import { answered } from "../outcome.ts";
import { models } from "../asker.ts";
import { inOrder } from "./cases.ts";
import { callsOfOne, isRescued, type ExpectedCall } from "./expected.ts";
import type { Courses } from "./scene.ts";

/**
 * Checks both courses; resolves with what the caller saw of the only target. `targets`: the only one and the first one,
 * which may be the same where one request says nothing to the next. `tag`: of this case alone.
 */
export async function assertAloneAndBeside(
  courses: Courses,
  { next = "nothing" }: Line,
  { caller, upstream, stream, outcome }: Case,
  [only, first]: readonly [string, string],
  tag: string,
): Promise<Reply> {
  const { code, charged } = outcome;
  const failed = (target: string): ExpectedCall => ({ target, became: "failed", code, charged });
  const alone = await courses.ask({ caller, model: only, stream });
  const calls = Array<ExpectedCall>(callsOfOne({ next }, outcome)).fill(failed(only));
  await courses.assertCourse(alone, { ...outcome, calls }, stream, caller);

  const second = `${models[upstream]}:tokens=20,tag=after-${tag}`;
  const model = courses.route(tag, { targets: inOrder(first, second) });
  const rescue = { target: second, became: "answered", code: null, charged: "reported" } as const;
  const course = isRescued({ next }, outcome, "first-output")
    ? { ...answered(), calls: [failed(first), rescue] }
    : { ...outcome, calls: [failed(first)] };
  await courses.assertCourse(await courses.ask({ caller, model, stream }), course, stream, caller);
  return alone;
}
