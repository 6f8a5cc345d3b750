import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { faultCatalogue } from "../../src/simulator/faults.ts";
import { describeCaller, describeCharge } from "./describe.ts";
import { answerText, openScene, upstreams, type Scene } from "./scene.ts";
import { upstreamFaults, type FaultCase, type Upstream } from "./table.ts";

let scene: Scene;
before(async () => {
  scene = await openScene({ timeouts: { totalMs: 2_500 } });
});
beforeEach(() => scene.test.simulator.reset());
after(() => scene[Symbol.asyncDispose]());

async function strike(
  { script, whole, stream, otherText }: FaultCase,
  upstream: Upstream,
  streamed: boolean,
): Promise<void> {
  const reply = await scene.ask({ upstream, script, stream: streamed });
  const outcome = streamed ? stream : whole;
  await scene.assertOutcome(reply, outcome, streamed);
  if (outcome.caller.kind !== "answer") return;
  const text = answerText(reply, streamed);
  assert.ok(text.length > 0);
  if (otherText === true) return;
  const plain = await scene.ask({ upstream, stream: streamed });
  assert.equal(text, answerText(plain, streamed));
  scene.test.simulator.reset();
}

for (const upstream of upstreams) {
  for (const streamed of [false, true]) {
    describe(`a provider of ${upstream} that, asked for ${streamed ? "a stream" : "a whole answer"},`, () => {
      for (const row of upstreamFaults) {
        if (row.upstream !== undefined && row.upstream !== upstream) continue;
        const outcome = streamed ? row.stream : row.whole;
        const name = `${row.title}: the caller gets ${describeCaller(outcome)}; charged is ${describeCharge(outcome)}`;
        test(name, () => strike(row, upstream, streamed));
      }
    });
  }
}

test("every fault of the simulator has its rows here, or its own test", () => {
  const elsewhere = ["refuse", "ignore-cancellation"];
  const missing = Object.keys(faultCatalogue).filter(
    (name) => !elsewhere.includes(name) && !upstreamFaults.some(({ fault }) => fault === name),
  );
  assert.deepEqual(missing, []);
});
