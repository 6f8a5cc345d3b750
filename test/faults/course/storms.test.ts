import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import type { Reply } from "../../support/simulator-client.ts";
import { models } from "../asker.ts";
import { upstreams } from "../table.ts";
import { inOrder } from "./cases.ts";
import { openCourses, type CourseAsk, type Courses } from "./scene.ts";
import { promises } from "./promises.ts";
import { callerFor } from "./ways.ts";

/** How long a target is left alone, instead of five seconds. */
const OPEN_MS = 400;
/** Long enough for a burst of requests in between. */
const RECOVERING_MS = 2_000;
const FAILURES_IN_ROW = 5;
/** Calls made again that a target always gets within ten seconds. */
const BUDGET_MIN = 10;
const STORM = 40;
/** Requests at a time: each may be under way when the target begins to be left alone. */
const AT_A_TIME = 4;

let courses: Courses;
before(async () => {
  courses = await openCourses({ health: { openMs: OPEN_MS } });
});
after(() => courses[Symbol.asyncDispose]());

/** Many requests, a few at a time. */
async function storm(ask: CourseAsk): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  const askInTurn = async (): Promise<void> => {
    while (replies.length < STORM) {
      const place = replies.push(null as never) - 1;
      replies[place] = await courses.ask(ask);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, askInTurn));
  return replies;
}

async function callsOf(courses: Courses, target: string): Promise<number> {
  const { db } = courses.test.gateway.store;
  const rows = await db.selectFrom("ledger_entries").select("entry_id").where("model_target", "=", target).execute();
  return rows.length;
}

describe("in a storm", { concurrency: true }, () => {
  for (const upstream of upstreams) {
    for (const stream of [false, true]) {
      const tag = `${upstream}-${stream ? "stream" : "whole"}`;
      const caller = callerFor(upstream, stream);
      const asked = `of ${upstream}, asked for ${stream ? "streams" : "whole answers"},`;

      describe(`targets ${asked}`, { concurrency: true }, () => {
        test(promises.storm, async () => {
          const first = `${models[upstream]}:status=529,tag=storm-${tag}`;
          const second = `${models[upstream]}:tokens=3,tag=calm-${tag}`;
          const model = courses.route(`storm-${tag}`, { targets: inOrder(first, second) });
          const startedMs = performance.now();
          for (const { status } of await storm({ caller, model, stream })) assert.equal(status, 200);
          // One probe for each time that it was left alone, which is shorter by up to a quarter.
          const probes = Math.ceil((performance.now() - startedMs) / (OPEN_MS * 0.75));
          const calls = await callsOf(courses, first);
          assert.ok(calls >= FAILURES_IN_ROW && calls < FAILURES_IN_ROW + AT_A_TIME + probes, `${calls} calls`);
          assert.equal(await callsOf(courses, second), STORM);
        });

        test(promises.stormAlone, async () => {
          const target = `${models[upstream]}:status=529,tag=alone-${tag}`;
          const startedMs = performance.now();
          const replies = await storm({ caller, model: target, stream });
          const probes = Math.ceil((performance.now() - startedMs) / (OPEN_MS * 0.75));
          const calls = await callsOf(courses, target);
          assert.ok(calls < FAILURES_IN_ROW + AT_A_TIME + probes + BUDGET_MIN, `${calls} calls for ${STORM} requests`);
          const codes = new Set(replies.map(({ headers }) => headers["x-headgate-error-code"]));
          assert.ok(codes.has("target_unavailable"), "nothing is called while it is left alone");
          for (const { status, headers } of replies) {
            assert.ok(status === 529 || status === 503);
            if (status === 503) assert.ok(Number(headers["retry-after"]) >= 1);
          }
        });

        test(promises.flapping, async () => {
          const first = `${models[upstream]}:tokens=3,fault=flapping:2,tag=flapping-${tag}`;
          const second = `${models[upstream]}:tokens=3,tag=steady-${tag}`;
          const model = courses.route(`flapping-${tag}`, { targets: inOrder(first, second) });
          for (const { status } of await storm({ caller, model, stream })) assert.equal(status, 200);
        });
      });
    }
  }
});

test(promises.recovering, async () => {
  await using courses = await openCourses({ health: { openMs: RECOVERING_MS } });
  const first = `simulator/sim-chat:tokens=3,ttft=1000,status=500,first=${FAILURES_IN_ROW},tag=recovering`;
  const second = "simulator-anthropic/sim-claude:tokens=3,tag=beside-recovering";
  const callsOfFirst = (): Promise<number> => callsOf(courses, first);
  const model = courses.route("recovering", { targets: inOrder(first, second) });
  for (let failures = 0; failures < FAILURES_IN_ROW; failures++) await courses.ask({ model });
  assert.equal(await callsOfFirst(), FAILURES_IN_ROW);
  const burst = async (): Promise<number> => {
    const before = await callsOfFirst();
    const replies = await Promise.all(Array.from({ length: 12 }, () => courses.ask({ model })));
    for (const { status } of replies) assert.equal(status, 200);
    return (await callsOfFirst()) - before;
  };
  const startedMs = performance.now();
  assert.equal(await burst(), 0, "it is left alone");
  await eventually("its time is over", () => performance.now() - startedMs > RECOVERING_MS);
  const bursts = [await burst(), await burst(), await burst(), await burst()];
  assert.deepEqual(bursts, [1, 2, 12, 12]);
});

test("storms leave the books in order", () => courses.assertBooks());
