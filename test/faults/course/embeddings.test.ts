import { after, before, describe, test } from "node:test";
import { describeCaller } from "../describe.ts";
import { answered, type Outcome } from "../outcome.ts";
import { upstreamFaults, type FaultCase } from "../table.ts";
import { callOf, callsOfOne, hurry, inOrder, isRescued, isSilent, type ExpectedCourse } from "./cases.ts";
import { openCourses, SIDE_BY_SIDE, type Courses } from "./scene.ts";

const MODEL = "simulator/sim-embed:input=7";

let courses: Courses;
before(async () => {
  courses = await openCourses({});
});
after(() => courses[Symbol.asyncDispose]());

const rows = upstreamFaults.filter(({ upstream }) => upstream !== "anthropic-messages");

/** As for a whole answer in words, but that there is no output to count. */
function outcomeOf({ whole }: FaultCase): Outcome {
  return whole.charged === "estimate" ? { ...whole, charged: "input estimate" } : whole;
}

async function assertEmbedding(alias: string, row: FaultCase, targets: readonly string[]): Promise<void> {
  const [first = "", second] = targets;
  const outcome = outcomeOf(row);
  const model = courses.route(alias, {
    targets: second === undefined ? [{ model: first }] : inOrder(first, second),
    ...hurry(row),
  });
  await courses.assertCourse(
    await courses.ask({ model, embedding: true }),
    expectedOf(row, outcome, first, second),
    false,
  );
}

function expectedOf(row: FaultCase, outcome: Outcome, first: string, second: string | undefined): ExpectedCourse {
  const call = callOf(first, outcome);
  if (second === undefined || !isRescued(row, outcome, "first-output")) {
    const count = second === undefined ? callsOfOne(row, outcome) : 1;
    return { ...outcome, calls: Array.from({ length: count }, () => call) };
  }
  const left = isSilent(row) ? ({ became: "cancelled", code: null } as const) : {};
  const rescue = { target: second, became: "answered", code: null, charged: "reported" } as const;
  return { ...answered(), calls: [{ ...call, ...left }, rescue] };
}

describe("a provider of embeddings that", { concurrency: SIDE_BY_SIDE }, () => {
  for (const [index, row] of rows.entries()) {
    const outcome = outcomeOf(row);
    test(`${row.title}, and is the only one: the caller gets ${describeCaller(outcome)}`, () =>
      assertEmbedding(`one-${index}`, row, [`${MODEL},${row.script},tag=one-${index}`]));

    const two = isRescued(row, outcome, "first-output") ? answered() : outcome;
    test(`${row.title}, and is the first of two: the caller gets ${describeCaller(two)}`, () =>
      assertEmbedding(`two-${index}`, row, [
        `${MODEL},${row.script},tag=two-${index}`,
        `${MODEL},tag=beside-${index}`,
      ]));
  }
});

test("embeddings leave the books in order", () => courses.assertBooks());
