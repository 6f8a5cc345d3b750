import assert from "node:assert/strict";
import { createSystemClock, type Clock } from "../../src/kernel/clock.ts";
import { clockLines } from "./lines/clock.ts";
import { openScene } from "./scene.ts";
import { testLines, together, type Strike } from "./test-lines.ts";

const JUMP_MS = 3 * 86_400_000;

interface JumpingClock extends Clock {
  jump(ms: number): void;
}

/** The system's clock, whose wall time can be set; durations and timers know nothing of that. */
function createJumpingClock(): JumpingClock {
  const system = createSystemClock();
  let offsetMs = 0;
  return {
    ...system,
    wallMs: () => system.wallMs() + offsetMs,
    jump: (ms) => void (offsetMs += ms),
  };
}

/** The clock is set while all are under way; each is charged once, and what is asked afterwards is served as ever. */
function jump(jumpMs: number): Strike {
  return together(async (all) => {
    const clock = createJumpingClock();
    await using scene = await openScene({}, { clock });
    const asked = all.map((one) => scene.ask({ ...one, script: "ttft=1200,rate=200" }));
    await scene.whenCalled(all.length);
    clock.jump(jumpMs);
    const verdicts = await Promise.allSettled(
      asked.map(async (request, index) => {
        const booked = await scene.check(request, all[index]!);
        const totalUs = booked?.row.total_us ?? 0;
        assert.ok(totalUs > 300_000 && totalUs < 10_000_000, `${totalUs} µs`);
      }),
    );
    for (const one of all) await scene.check(scene.ask(one), one);
    await scene.assertBooks();
    return verdicts;
  });
}

testLines(clockLines, {
  forward: jump(JUMP_MS),
  back: jump(-JUMP_MS),
  deadline: together(async (all) => {
    const clock = createJumpingClock();
    await using scene = await openScene({}, { clock });
    const headers = { "x-headgate-deadline-ms": "1000" };
    const startedMs = performance.now();
    const asked = all.map((one) => scene.ask({ ...one, script: "ttft=20000", headers }));
    await scene.whenCalled(all.length);
    asked.forEach((_, index) => clock.jump(index % 2 === 0 ? JUMP_MS : -2 * JUMP_MS));
    const verdicts = await scene.checkAll(asked, all);
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs > 900 && tookMs < 5_000, `${tookMs} ms`);
    await scene.assertBooks();
    return verdicts;
  }),
});
