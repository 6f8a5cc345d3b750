import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { evidenceOf } from "../../support/evidence.ts";
import type { Reply } from "../../support/simulator-client.ts";
import { answered, callerGone, failed, type Outcome } from "../outcome.ts";
import { models } from "../asker.ts";
import { upstreams } from "../table.ts";
import { inOrder } from "./cases.ts";
import { openCourses, trailOf, type CourseAsk, type Courses } from "./scene.ts";
import { promises } from "./promises.ts";
import { callerFor } from "./ways.ts";

/** Most that may pass between a caller's leaving and the providers' noticing; they would be at work for much longer. */
const CANCELLED_WITHIN_MS = 2_000;
const SWITCH_MS = 100;

let courses: Courses;
before(async () => {
  courses = await openCourses({ retries: { backoffMs: 20 }, timeouts: { switchMs: SWITCH_MS } });
});
after(() => courses[Symbol.asyncDispose]());

/** Asks and leaves as soon as so many calls are under way; the reply is what had come by then. */
async function leaveAt(ask: CourseAsk, running: number): Promise<{ reply: Reply; noticedMs: number }> {
  const { simulator } = courses.test;
  let hangUp = (): void => {};
  const reply = courses.ask({ ...ask, onStart: (act) => (hangUp = act) });
  await eventually(`${running} calls`, () => simulator.stats().running === running);
  const leftAtMs = performance.now();
  hangUp();
  await eventually("the providers notice", () => simulator.stats().running === 0);
  return { reply: await reply, noticedMs: performance.now() - leftAtMs };
}

async function newestId(model: string): Promise<string> {
  const { db } = courses.test.gateway.store;
  const rows = db.selectFrom("requests").select("request_id").where("model_asked", "=", model);
  return (await eventually(`a record of ${model}`, () => rows.executeTakeFirst())).request_id;
}

function assertEnded(row: Record<string, unknown>, { ending, code, status }: Outcome, attempts: number): void {
  assert.deepEqual(
    [row["ending"], row["error_code"], row["status"], row["attempts"]],
    [ending, code, status, attempts],
  );
}

for (const upstream of upstreams) {
  for (const stream of [false, true]) {
    const tag = `${upstream}-${stream ? "stream" : "whole"}`;
    const caller = callerFor(upstream, stream);
    describe(`a caller of ${upstream} who asked for ${stream ? "a stream" : "a whole answer"}`, () => {
      test(promises.leftTwoCalls, async () => {
        const targets = ["one", "two"].map((name) => `${models[upstream]}:ttft=20000,tag=${name}-${tag}`);
        const [first = "", second = ""] = targets;
        const timeouts = { switchMs: stream ? SWITCH_MS : Math.ceil(SWITCH_MS / 3) };
        const model = courses.route(`both-${tag}`, { targets: inOrder(first, second), timeouts });
        const { noticedMs } = await leaveAt({ caller, model, stream }, 2);
        assert.ok(noticedMs < CANCELLED_WITHIN_MS, `noticed after ${noticedMs} ms`);
        const evidence = await evidenceOf(courses.test.gateway, await newestId(model));
        assertEnded(evidence.row, callerGone(499, "input estimate"), 2);
        const called = trailOf(evidence).map(({ target, became }) => [target, became]);
        assert.deepEqual(called, [
          [first, "cancelled"],
          [second, "cancelled"],
        ]);
        assert.equal(evidence.entries.length, 2);
        for (const entry of evidence.entries) assert.ok(entry.cost_nano_usd > 0n && entry.estimated === 1);
      });

      test(promises.leftPause, async () => {
        const model = `${models[upstream]}:status=429,retry-after=5,tag=pausing-${tag}`;
        const { simulator } = courses.test;
        const refusedBefore = simulator.stats().refused;
        let hangUp = (): void => {};
        const reply = courses.ask({ caller, model, stream, onStart: (act) => (hangUp = act) });
        await eventually("the first call is refused", () => simulator.stats().refused > refusedBefore);
        hangUp();
        await reply;
        const { row } = await evidenceOf(courses.test.gateway, await newestId(model));
        assert.ok(row.total_us < 4_000_000, `the gateway waited on for ${row.total_us} µs`);
        assert.deepEqual([row.ending, row.attempts, row.cost_nano_usd], ["caller-gone", 1, 0n]);
        assert.equal(simulator.stats().refused, refusedBefore + 1);
      });

      test(promises.shortDeadline, async () => {
        const model = `${models[upstream]}:status=429,retry-after=20,tag=short-${tag}`;
        const startedMs = performance.now();
        const reply = await courses.ask({ caller, model, stream, headers: { "x-headgate-deadline-ms": "10000" } });
        assert.ok(performance.now() - startedMs < 5_000);
        assert.deepEqual([reply.status, reply.headers["retry-after"]], [429, "20"]);
        const { row } = await evidenceOf(courses.test.gateway, String(reply.headers["x-request-id"]));
        assertEnded(row, failed(429, "upstream_rate_limited"), 1);
      });

      test(promises.lateFailure, async () => {
        const first = `${models[upstream]}:fault=slow-headers:200,fault=reset-after-headers,tag=late-${tag}`;
        const second = `${models[upstream]}:tokens=5,tag=after-late-${tag}`;
        const timeouts = { switchMs: 0 };
        const model = courses.route(`late-${tag}`, { targets: inOrder(first, second), timeouts });
        const reply = await courses.ask({ caller, model, stream, headers: { "x-headgate-deadline-ms": "20000" } });
        const { row } = await evidenceOf(courses.test.gateway, String(reply.headers["x-request-id"]));
        assertEnded(row, answered(), 2);
      });
    });
  }
}

describe("two targets of which the second wins", () => {
  for (const stream of [false, true]) {
    test(`${stream ? "Streams" : "Whole answers"}: ${promises.deafLoser}`, async () => {
      const first = `simulator/sim-chat:tokens=50,ttft=5000,fault=ignore-cancellation,tag=deaf-${stream}`;
      const second = `simulator-anthropic/sim-claude:tokens=20,tag=after-deaf-${stream}`;
      const timeouts = { switchMs: stream ? SWITCH_MS : Math.ceil(SWITCH_MS / 3) };
      const model = courses.route(`deaf-${stream}`, { targets: inOrder(first, second), timeouts });
      const startedMs = performance.now();
      const reply = await courses.ask({ model, stream });
      assert.ok(performance.now() - startedMs < 4_000, "it would have begun to answer after 5 s");
      const calls = [
        { target: first, became: "cancelled", code: null, charged: "input estimate" },
        { target: second, became: "answered", code: null, charged: "reported" },
      ] as const;
      await courses.assertCourse(reply, { ...answered(), calls }, stream);
    });
  }
});

test("callers who leave or are in a hurry leave the books in order", () => courses.assertBooks());
