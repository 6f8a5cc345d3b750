/** The configuration of a simulated gateway: timers short and long, routes of every kind, narrow and wide providers. */
import type { Config, TimeoutsConfig } from "../../../src/config/config.ts";
import { defaultConfig, type DeepPartial } from "../../../src/config/defaults.ts";
import { createSecret } from "../../../src/config/secret.ts";
import type { Random } from "../../simulation/world/random.ts";
import { originOf, type ProviderPlan } from "../providers/providers.ts";
import { drawOwnTimeouts, drawOwnWaits } from "./own-terms.ts";
import { drawCache, drawRoutes, tags } from "./routes.ts";

export function drawConfiguration(random: Random, providers: readonly ProviderPlan[]): Config {
  return defaultConfig({
    timeouts: drawTimeouts(random),
    server: { bodyTimeoutMs: random.between(1_000, 10_000), heartbeatMs: random.pick([0, 500, 5_000]) },
    limits: {
      concurrentRequests: random.chance(0.1) ? random.between(1, 5) : 1_000,
      responseBytes: random.pick([1_500_000, 64_000_000]),
    },
    budgets: {
      outputSliceTokens: random.pick([8, 32, 128, 1_024]),
      recallWaitMs: random.pick([0, 200, 1_000]),
    },
    queue: {
      lengthMax: random.between(1, 20),
      waitMs: random.skewed(100, 20_000),
      batchWaitMs: random.skewed(100, 20_000),
    },
    retries: {
      attemptsMax: random.between(1, 6),
      backoffMs: random.pick([0, 100, 500]),
      backoffMaxMs: random.skewed(100, 8_000),
      budgetPercent: random.pick([0, 20, 100]),
    },
    health: {
      failuresInRow: random.pick([0, 2, 5]),
      openMs: random.skewed(100, 5_000),
      openMaxMs: 20_000,
      probes: random.between(1, 2),
      adaptiveConcurrency: random.pick(["on", "off", "off"]),
    },
    providers: Object.fromEntries(providers.map((plan) => [plan.name, drawProvider(random, plan)])),
    models: drawRoutes(random, providers),
    cache: drawCache(random, providers),
  });
}

function drawTimeouts(random: Random): TimeoutsConfig {
  return {
    connectMs: random.skewed(200, 5_000),
    firstTokenMs: random.skewed(1_000, 30_000),
    idleMs: random.skewed(1_000, 20_000),
    totalMs: random.skewed(5_000, 60_000),
    switchMs: random.skewed(300, 8_000),
    endingMs: random.skewed(100, 2_000),
  };
}

function drawProvider(
  random: Random,
  { name, model, dialect, keys }: ProviderPlan,
): DeepPartial<Config["providers"][string]> {
  return {
    kind: dialect === "openai" ? "simulator" : "simulator-anthropic",
    baseUrl: `${originOf(name)}/v1`,
    concurrency: random.chance(0.3) ? random.between(1, 5) : 0,
    modelConcurrency: random.chance(0.2) ? { [model]: random.between(1, 5) } : {},
    queue: random.chance(0.2) ? drawOwnWaits(random) : {},
    credentials: keys.map(({ name, secret }) => ({ name, key: createSecret(secret, "simulated") })),
    callerGone: random.chance(0.3) ? "drain" : "cancel",
    drainMs: random.skewed(200, 10_000),
    tags: tags.filter(() => random.chance(0.5)),
    timeouts: random.chance(0.2) ? drawOwnTimeouts(random) : {},
  };
}
