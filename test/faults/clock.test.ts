import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSystemClock, type Clock } from "../../src/kernel/clock.ts";
import { evidenceOf } from "../support/evidence.ts";
import { answered } from "./outcome.ts";
import { openScene, upstreams } from "./scene.ts";

const DAY_MS = 86_400_000;

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

for (const [direction, jumpMs] of [
  ["forward", 3 * DAY_MS],
  ["back", -3 * DAY_MS],
] as const) {
  describe(`a clock that is set ${direction} by three days`, () => {
    for (const upstream of upstreams) {
      for (const stream of [false, true]) {
        const asked = stream ? "a stream" : "a whole answer";
        test(`while ${asked} of ${upstream} is under way ends no timer, and is charged once, at what was used`, async () => {
          const clock = createJumpingClock();
          await using scene = await openScene({ timeouts: { firstTokenMs: 10_000, idleMs: 10_000 } }, { clock });
          const reply = scene.ask({ upstream, stream, script: "ttft=150,rate=200" });
          await scene.whenCalled();
          clock.jump(jumpMs);
          const { row } = await scene.assertOutcome(await reply, answered(), stream);
          assert.ok(row.total_us > 100_000 && row.total_us < 10_000_000, `${row.total_us} µs`);
          await scene.assertOutcome(await scene.ask({ upstream, stream }), answered(), stream);
        });
      }
    }

    test("does not change how long a caller's deadline is", async () => {
      const clock = createJumpingClock();
      await using scene = await openScene({ timeouts: { firstTokenMs: 10_000 } }, { clock });
      const startedMs = performance.now();
      const reply = scene.ask({ script: "ttft=20000", headers: { "x-headgate-deadline-ms": "400" } });
      await scene.whenCalled();
      clock.jump(jumpMs);
      const { status, headers } = await reply;
      const tookMs = performance.now() - startedMs;
      assert.deepEqual([status, headers["x-headgate-error-code"]], [504, "deadline_exceeded"]);
      assert.ok(tookMs > 300 && tookMs < 3_000, `${tookMs} ms`);
      const { row } = await evidenceOf(scene.test.gateway, String(headers["x-request-id"]));
      assert.equal(row.ending, "timeout");
    });
  });
}
