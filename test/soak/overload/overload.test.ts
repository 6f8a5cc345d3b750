/**
 * Many times more requests than there is room for, at a saturated provider and at the gateway's own limit: what is admitted
 * is served about as fast as ever, the rest is refused at once, and the gateway says that it is alive. The figures are
 * printed; what is asserted leaves room for a machine that is busy with other things.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { percentile } from "../../../bench/load.ts";
import { startProcess } from "../../support/gateway-process.ts";
import { startSimulatorProcess } from "../children.ts";
import { callAll, type Served, watchHealth } from "./callers.ts";

const MODEL = "box/sim-chat:tokens=5,ttft=40";
/** What one call takes at the least. */
const CALL_MS = 40;
const ROOM = 8;
const FOR_MS = 2_500;
/** A second: what the room is for, less than half of it, and five times as many. */
const MOST = (ROOM * 1000) / CALL_MS;
const FEW = MOST * 0.4;
const MANY = MOST * 5;
const HEALTH = 40;
const WAIT_MS = 500;
/** However busy the machine is. */
const ALIVE_WITHIN_MS = 1_000;
const SLACK_MS = 600;

const cases = [
  {
    what: "a provider that takes eight calls at a time",
    settings: { queue: { waitMs: WAIT_MS, lengthMax: 1_000 } },
    concurrency: ROOM,
    waitMs: WAIT_MS,
  },
  {
    what: "a gateway that takes eight requests at a time",
    settings: { limits: { concurrentRequests: ROOM } },
    concurrency: 0,
    waitMs: 0,
  },
] as const;

interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

function figuresOf(tookMs: readonly number[]): Figures {
  const sorted = tookMs.toSorted((one, other) => one - other);
  return {
    perSecond: (tookMs.length * 1000) / FOR_MS,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
}

function timesOf(served: readonly Served[], isAdmitted: boolean): readonly number[] {
  return served.filter(({ status }) => (status === 200) === isAdmitted).map(({ tookMs }) => tookMs);
}

function print(what: string, { perSecond, p50Ms, p99Ms }: Figures): void {
  const figures = [perSecond.toFixed(0).padStart(6), p50Ms.toFixed(1).padStart(9), p99Ms.toFixed(1).padStart(9)];
  process.stdout.write(`${what.padEnd(24)} ${figures.join(" ")}\n`);
}

describe("far more requests than there is room for, at", () => {
  for (const { what, settings, concurrency, waitMs } of cases) {
    test(`${what}`, async () => {
      await using simulator = await startSimulatorProcess(1);
      await using gateway = await startProcess({
        ...settings,
        telemetry: { logLevel: "silent" },
        providers: { box: { kind: "simulator", baseUrl: `${simulator.url}/v1`, concurrency } },
      });
      const load = { url: gateway.url, key: gateway.key, model: MODEL, forMs: FOR_MS };
      await callAll({ ...load, perSecond: FEW, forMs: FOR_MS / 5 });
      const unloaded = figuresOf(timesOf(await callAll({ ...load, perSecond: FEW }), true));
      const [served, health] = await Promise.all([
        callAll({ ...load, perSecond: MANY }),
        watchHealth({ ...load, perSecond: HEALTH }),
      ]);
      const admitted = figuresOf(timesOf(served, true));
      const refused = figuresOf(timesOf(served, false));
      const alive = figuresOf(health);
      process.stdout.write(`\n${what.padEnd(24)} per s   p50 ms   p99 ms\n`);
      print("unloaded", unloaded);
      print("admitted under overload", admitted);
      print("refused", refused);
      print("/healthz meanwhile", alive);

      for (const { status, code, saysWhenToTryAgain } of served) {
        if (status !== 200) assert.deepEqual([status, code, saysWhenToTryAgain], [503, "overloaded", true]);
      }
      assert.ok(refused.perSecond > admitted.perSecond, "it was overloaded");
      const mostPerSecond = (ROOM * 1000) / CALL_MS;
      assert.ok(
        admitted.perSecond > mostPerSecond / 3,
        `${admitted.perSecond} of ${mostPerSecond} a second were served`,
      );
      const mostMs = 3 * unloaded.p99Ms + waitMs + SLACK_MS;
      assert.ok(admitted.p99Ms < mostMs, `${admitted.p99Ms} ms, of ${mostMs} ms`);
      assert.ok(alive.p99Ms < ALIVE_WITHIN_MS, `${alive.p99Ms} ms until /healthz answered`);
      assert.equal(await gateway.end("SIGTERM"), 0);
    });
  }
});
