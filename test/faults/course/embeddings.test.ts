import { after, before, describe, test } from "node:test";
import type { ModelConfig } from "../../../src/config/config.ts";
import type { DeepPartial } from "../../../src/config/defaults.ts";
import { describeCaller } from "../describe.ts";
import type { Outcome } from "../outcome.ts";
import { upstreamFaults, type FaultCase } from "../table.ts";
import { hurry, inOrder } from "./cases.ts";
import { expectOne, expectTwo, type ExpectedCourse } from "./expected.ts";
import { openCourses, SIDE_BY_SIDE, type Courses } from "./scene.ts";

const MODEL = "simulator/sim-embed:input=7";

let courses: Courses;
before(async () => {
  courses = await openCourses({});
});
after(() => courses[Symbol.asyncDispose]());

/** As for a whole answer in words, but that there is no output to count. */
function outcomeOf({ whole }: FaultCase): Outcome {
  return whole.charged === "estimate" ? { ...whole, charged: "input estimate" } : whole;
}

async function assertEmbedding(
  alias: string,
  model: DeepPartial<ModelConfig>,
  expected: ExpectedCourse,
): Promise<void> {
  courses.route(alias, model);
  await courses.assertCourse(await courses.ask({ model: alias, embedding: true }), expected, false);
}

describe("a provider of embeddings that", { concurrency: SIDE_BY_SIDE }, () => {
  for (const [index, row] of upstreamFaults.entries()) {
    // Embeddings have no end of which a provider could say why.
    if (row.upstream === "anthropic-messages" || row.fault === "no-finish") continue;
    const outcome = outcomeOf(row);

    const only = `${MODEL},${row.script},tag=one-${index}`;
    const one = expectOne(row, outcome, only);
    test(`${row.title}, and is the only one: the caller gets ${describeCaller(one)}`, () =>
      assertEmbedding(`one-${index}`, { targets: [{ model: only }], ...hurry(row, outcome, false) }, one));

    const pair = [`${MODEL},${row.script},tag=two-${index}`, `${MODEL},tag=beside-${index}`] as const;
    const two = expectTwo(row, outcome, "first-output", pair);
    test(`${row.title}, and is the first of two: the caller gets ${describeCaller(two)}`, () =>
      assertEmbedding(`two-${index}`, { targets: inOrder(...pair), ...hurry(row, outcome, true) }, two));
  }
});

test("embeddings leave the books in order", () => courses.assertBooks());
