/** What is set for a provider, an alias or a target by itself. */
import type { QueueWaitsConfig, TimeoutsConfig } from "../../../src/config/config.ts";
import type { Random } from "../../simulation/world/random.ts";

/** Some of them, as one sets them for a target that is quicker or slower than others. */
export function drawOwnTimeouts(random: Random): Partial<TimeoutsConfig> {
  return {
    ...(random.chance(0.5) ? { connectMs: random.skewed(100, 5_000) } : {}),
    ...(random.chance(0.5) ? { firstTokenMs: random.skewed(500, 30_000) } : {}),
    ...(random.chance(0.5) ? { totalMs: random.skewed(2_000, 60_000) } : {}),
  };
}

export function drawOwnWaits(random: Random): Partial<QueueWaitsConfig> {
  return { waitMs: random.pick([0, 200, 2_000]), batchWaitMs: random.pick([0, 1_000, 20_000]) };
}
