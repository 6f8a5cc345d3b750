/** `hedge.mode: on`: when a second call begins, which of the two answers, and what the other comes to. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ModelConfig } from "../../src/config/config.ts";
import type { DeepPartial } from "../../src/config/defaults.ts";
import type { TrailStep } from "../../src/storage/records.ts";
import { inOrder } from "../faults/course/cases.ts";
import type { ExpectedCall } from "../faults/course/expected.ts";
import { openCourses, type CourseAsk, type Courses } from "../faults/course/scene.ts";
import { answered } from "../faults/outcome.ts";
import { eventually } from "../support/eventually.ts";
import type { Evidence } from "../support/evidence.ts";
import type { Reply } from "../support/simulator-client.ts";

/** Most that may pass between one call's winning and the other's provider seeing its connection close: it has 20 s to go. */
const CANCELLED_WITHIN_MS = 5_000;
/** Calls after which it is known how long a target takes. */
const CALLS_TO_KNOW = 5;
const USUAL_MS = 30;
/** Longer than any test. */
const NEVER_MS = 60_000;
const AFTER_MS = 50;
/** Hedges that a target gets within ten seconds, however few requests it had. */
const BUDGET_MIN = 10;
const timeouts = { switchMs: NEVER_MS };

/** What an answer may be that comes first and is none. */
const errors: readonly (Pick<ExpectedCall, "code" | "charged"> & { readonly fault: string })[] = [
  { fault: "status=400", code: "upstream_rejected", charged: "nothing" },
  { fault: "status=500", code: "upstream_failed", charged: "nothing yet" },
  { fault: "fault=reset-before-response", code: "upstream_unreachable", charged: "nothing yet" },
  { fault: "fault=html-instead-of-json", code: "upstream_malformed", charged: "input estimate" },
];

let courses: Courses;
before(async () => {
  courses = await openCourses({ timeouts });
});
after(() => courses[Symbol.asyncDispose]());

/** A model of two targets that speak different dialects; where they are called from and what they are is told, too. */
interface Pair {
  readonly model: string;
  readonly first: string;
  readonly second: string;
}

function pair(name: string, scripts: readonly [string, string], more: DeepPartial<ModelConfig> = {}): Pair {
  const first = `simulator/sim-chat:${scripts[0]},tag=first-${name}`;
  const second = `simulator-anthropic/sim-claude:${scripts[1]},tag=second-${name}`;
  const hedge = { mode: "on", afterMs: AFTER_MS } as const;
  return { model: courses.route(name, { targets: inOrder(first, second), hedge, ...more }), first, second };
}

function won(target: string): ExpectedCall {
  return { target, became: "answered", code: null, charged: "reported" };
}

function lost(target: string): ExpectedCall {
  return { target, became: "cancelled", code: null, charged: "input estimate" };
}

/** Two calls, each with its step in the trail, its place in `x-headgate-attempts` and its entry in the ledger. */
function assertCalls(reply: Reply, stream: boolean, ...calls: readonly ExpectedCall[]): Promise<Evidence> {
  return courses.assertCourse(reply, { ...answered(), calls }, stream);
}

function stepsOf({ row }: Evidence): readonly [TrailStep, TrailStep] {
  return JSON.parse(row.trail ?? "");
}

/** From the beginning of the first call to that of the second. */
function hedgedAfterMs(evidence: Evidence): number {
  const [first, second] = stepsOf(evidence);
  return (second.beganUs - first.beganUs) / 1000;
}

/** The reply, and how long after the winner's first output, or its end, the other call's provider saw that it was left. */
async function raced(ask: CourseAsk): Promise<{ reply: Reply; leftAfterMs: number }> {
  const { simulator } = courses.test;
  const before = simulator.stats();
  let received: Buffer = Buffer.alloc(0);
  const reply = courses.ask({ ...ask, onChunk: (bytes) => (received = bytes) });
  await eventually("one has won", () =>
    ask.stream ? received.includes('"content":"') : simulator.stats().complete > before.complete,
  );
  const wonAtMs = performance.now();
  await eventually("the other is left", () => simulator.stats().cancelled > before.cancelled);
  return { leftAfterMs: performance.now() - wonAtMs, reply: await reply };
}

for (const stream of [true, false]) {
  const kind = stream ? "stream" : "whole";

  describe(`the first to answer wins and the other is cancelled, of ${stream ? "streams" : "whole answers"}:`, () => {
    test("a hedge that began when the target took longer than it usually does", async () => {
      const usual = `tokens=5,input=7,ttft=${USUAL_MS}`;
      const slow = `fault=slow-headers:20000,every=${CALLS_TO_KNOW + 1}`;
      const scripts = [`${usual},${slow}`, "tokens=10,input=7,rate=40"] as const;
      const { model, first, second } = pair(`usual-${kind}`, scripts, { hedge: { mode: "on" } });
      for (let call = 0; call < CALLS_TO_KNOW; call++) {
        const reply = await courses.ask({ model, stream });
        assert.deepEqual([reply.status, reply.headers["x-headgate-attempts"]], [200, undefined]);
      }
      const { reply, leftAfterMs } = await raced({ model, stream });
      assert.equal(reply.headers["x-headgate-model"], second);
      const evidence = await assertCalls(reply, stream, lost(first), won(second));
      assert.ok(leftAfterMs < CANCELLED_WITHIN_MS, `left after ${leftAfterMs} ms`);
      assert.ok(hedgedAfterMs(evidence) >= USUAL_MS, `hedged after ${hedgedAfterMs(evidence)} ms`);
    });

    test("the slow target, if that is the first after all, and the hedge is paid for", async () => {
      const scripts = ["tokens=10,ttft=1000,rate=40", "tokens=2,ttft=20000"] as const;
      const { model, first, second } = pair(`late-${kind}`, scripts);
      const { reply, leftAfterMs } = await raced({ model, stream });
      assert.equal(reply.headers["x-headgate-model"], first);
      await assertCalls(reply, stream, won(first), lost(second));
      assert.ok(leftAfterMs < CANCELLED_WITHIN_MS, `left after ${leftAfterMs} ms`);
    });
  });

  describe(`a hedge of ${stream ? "a stream" : "a whole answer"}`, { concurrency: true }, () => {
    test("begins with the switch to another target as long as nobody knows what is usual", async () => {
      const switchMs = 200;
      // A whole answer of unknown length is given three times as long as the beginning of a stream.
      const patience = { switchMs: stream ? switchMs : Math.ceil(switchMs / 3) };
      const settings = { hedge: { mode: "on" }, timeouts: patience } as const;
      const { model, first, second } = pair(`unknown-${kind}`, ["fault=black-hole", "tokens=2"], settings);
      const evidence = await assertCalls(await courses.ask({ model, stream }), stream, lost(first), won(second));
      assert.ok(hedgedAfterMs(evidence) >= switchMs - 1, `hedged after ${hedgedAfterMs(evidence)} ms`);
    });

    for (const { fault, code, charged } of errors) {
      test(`does not win by answering first with ${fault}`, async () => {
        const name = `bad-${kind}-${fault.replaceAll(/[^a-z0-9]/g, "-")}`;
        const { model, first, second } = pair(name, ["tokens=5,ttft=1500", fault]);
        const reply = await courses.ask({ model, stream });
        assert.equal(reply.headers["x-headgate-model"], first);
        await assertCalls(reply, stream, won(first), { target: second, became: "failed", code, charged });
      });
    }

    test("goes on alone when the slow target fails", async () => {
      const scripts = ["fault=slow-headers:1000,fault=invalid-json@0", "tokens=5,ttft=1500"] as const;
      const { model, first, second } = pair(`alone-${kind}`, scripts);
      const reply = await courses.ask({ model, stream });
      const failed = { became: "failed", code: "upstream_malformed", charged: "input estimate" } as const;
      const evidence = await assertCalls(reply, stream, { target: first, ...failed }, won(second));
      const [slow, hedge] = stepsOf(evidence);
      assert.ok(hedge.beganUs < slow.endedUs, "it had begun before");
    });

    test("is for no fallback, and not without being asked for", async () => {
      const first = `simulator/sim-chat:tokens=5,ttft=250,tag=unhedged-${kind}`;
      const second = "simulator/sim-chat:tokens=2";
      const hedge = { mode: "on", afterMs: AFTER_MS } as const;
      const declared = { targets: [{ model: first }], fallbacks: [{ model: second }], hedge };
      courses.route(`declared-${kind}`, declared);
      courses.route(`unasked-${kind}`, { targets: inOrder(first, second), hedge: { ...hedge, mode: "off" } });
      for (const model of [`declared-${kind}`, `unasked-${kind}`]) {
        await assertCalls(await courses.ask({ model, stream }), stream, won(first));
      }
    });

    test("comes out of the retry budget of the target that it calls", async () => {
      const scripts = ["tokens=5,ttft=1500", "tokens=5,ttft=20000"] as const;
      const none = pair(`none-${kind}`, scripts, { retries: { budgetPercent: 0 } });
      const unhedged = courses.ask({ model: none.model, stream });
      const { model } = pair(`many-${kind}`, scripts);
      const asked = Array.from({ length: BUDGET_MIN + 5 }, () => courses.ask({ model, stream }));
      const hedged = (await Promise.all(asked)).filter(({ headers }) => headers["x-headgate-attempts"] !== undefined);
      await assertCalls(await unhedged, stream, won(none.first));
      assert.equal(hedged.length, BUDGET_MIN);
    });
  });
}

test("hedges leave the books in order", () => courses.assertBooks());
