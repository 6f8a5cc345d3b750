import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { evidenceOf } from "../../support/evidence.ts";
import { send, type Reply } from "../../support/simulator-client.ts";
import { models } from "../asker.ts";
import { upstreams } from "../table.ts";
import { inOrder } from "./cases.ts";
import { promises } from "./promises.ts";
import { openCourses, type Courses } from "./scene.ts";
import { callerFor } from "./ways.ts";

const ASKED_S = 50;
const REQUESTS = 20;
const SHORTEST_PAUSE_MS = 250;

let courses: Courses;
before(async () => {
  courses = await openCourses({});
});
after(() => courses[Symbol.asyncDispose]());

/** How the process that was asked sees the only target of the model. */
async function explain(model: string): Promise<{ health: Standing; slowed: Standing | null }> {
  const { url, key } = courses.test;
  const body = { path: "/v1/chat/completions", request: { model, messages: [{ role: "user", content: "Hi" }] } };
  const reply = await send(`${url}/v1/route/explain`, { body, headers: { authorization: `Bearer ${key}` } });
  return JSON.parse(reply.text).targets[0];
}

type Standing = Readonly<Record<string, unknown>>;

function toldOf({ status, headers }: Reply): readonly unknown[] {
  return [status, headers["x-headgate-error-code"]];
}

for (const upstream of upstreams) {
  for (const stream of [false, true]) {
    const tag = `${upstream}-${stream ? "stream" : "whole"}`;
    const caller = callerFor(upstream, stream);

    describe(`a target of ${upstream}, asked for a ${stream ? "stream" : "whole answer"},`, () => {
      test(promises.limitedAlone, async () => {
        const target = `${models[upstream]}:status=429,retry-after=${ASKED_S},tag=limited-${tag}`;
        const first = await courses.ask({ caller, model: target, stream });
        assert.deepEqual(toldOf(first), [429, "upstream_rate_limited"]);
        const second = await courses.ask({ caller, model: target, stream });
        assert.deepEqual(toldOf(second), [429, "target_limited"]);
        const leftS = Number(second.headers["retry-after"]);
        assert.ok(leftS > ASKED_S / 2 && leftS <= ASKED_S * 1.1, `${leftS} s`);
        assert.match(second.text, /until the time that its provider has asked for, because it limits the rate/);
        const { health } = await explain(target);
        assert.deepEqual([health["left_alone_for"], health["state"]], ["rate-limit", "open"]);
        const { row, entries } = await evidenceOf(courses.test.gateway, String(second.headers["x-request-id"]));
        assert.deepEqual([row.ending, row.error_code, row.status], ["refused", "target_limited", 429]);
        assert.deepEqual([row.attempts, entries.length], [0, 0], "nothing was called");
      });

      test(promises.limitedBeside, async () => {
        const first = `${models[upstream]}:status=429,retry-after=none,tag=beside-${tag}`;
        const second = `${models[upstream]}:tokens=3,tag=unlimited-${tag}`;
        const model = courses.route(`beside-${tag}`, { targets: inOrder(first, second) });
        const startedMs = performance.now();
        const told = new Set<unknown>();
        for (let asked = 0; asked < REQUESTS; asked++) {
          const { status, headers } = await courses.ask({ caller, model, stream });
          assert.equal(status, 200);
          told.add(headers["x-headgate-attempts"]);
        }
        const pauses = Math.log2(1 + (performance.now() - startedMs) / SHORTEST_PAUSE_MS);
        const calls = await callsOf(first);
        assert.ok(calls >= 1 && calls <= 1 + Math.ceil(pauses), `${calls} calls`);
        const ways = [
          `${first}=upstream_rate_limited, ${second}=answered`,
          `${first}=target_limited, ${second}=answered`,
        ];
        assert.deepEqual(told, new Set(ways));
        const { health, slowed } = await explain(first);
        assert.equal(health["left_alone_for"], null);
        assert.ok(Number(slowed?.["calls_per_second"]) < 50 && slowed?.["waiting"] === 0, JSON.stringify(slowed));
      });
    });
  }
}

async function callsOf(target: string): Promise<number> {
  const { db } = courses.test.gateway.store;
  const rows = await db.selectFrom("ledger_entries").select("entry_id").where("model_target", "=", target).execute();
  return rows.length;
}
