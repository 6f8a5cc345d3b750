/** All that is decided about a world before it begins, drawn from its seed. */
import type { Config } from "../../../src/config/config.ts";
import type { Allowance } from "../../../src/limits/allowance.ts";
import type { Random } from "../../simulation/world/random.ts";
import { drawMoods } from "../providers/mood.ts";
import type { ProviderKey, ProviderPlan } from "../providers/providers.ts";
import type { Pace } from "../providers/steps.ts";
import { drawStoreMoods, type StoreMood } from "../store/store-mood.ts";
import { drawAllowances } from "./allowances.ts";
import { drawConfiguration, routeNames } from "./configuration.ts";

export interface Scenario {
  /** Wall-clock time at which the world begins. */
  readonly originMs: number;
  /** Of traffic. */
  readonly lastsMs: number;
  readonly requests: number;
  readonly config: Config;
  readonly providers: readonly ProviderPlan[];
  readonly storeMoods: readonly StoreMood[];
  readonly allowances: readonly Allowance[];
  /** What callers ask for. */
  readonly models: readonly string[];
  /** Of what is written to a slow caller. */
  readonly bufferBytes: number;
  /** A stop in the middle of traffic; `null`: only at the end. */
  readonly stop: { readonly atMs: number; readonly graceMs: number } | null;
}

const ORIGIN_MS = Date.UTC(2026, 10, 21, 12);

export function drawScenario(random: Random): Scenario {
  const lastsMs = random.skewed(1_000, 60_000);
  const providers = drawProviders(random, lastsMs);
  return {
    originMs: ORIGIN_MS,
    lastsMs,
    requests: random.skewed(3, 60),
    config: drawConfiguration(random.fork(), providers),
    providers,
    storeMoods: drawStoreMoods(random.fork(), lastsMs),
    allowances: drawAllowances(random.fork()),
    models: [...routeNames, ...providers.map(({ name, model }) => `${name}/${model}`)],
    bufferBytes: random.skewed(200, 16_000),
    stop: random.chance(0.25) ? { atMs: random.unit() * lastsMs, graceMs: random.skewed(1, 20_000) } : null,
  };
}

function drawProviders(random: Random, lastsMs: number): readonly ProviderPlan[] {
  const all = [
    { name: "alpha", dialect: "openai", model: "sim-chat" },
    { name: "beta", dialect: "openai", model: "sim-mini" },
    { name: "gamma", dialect: "anthropic", model: "sim-claude" },
  ] as const;
  const isCalm = random.chance(0.1);
  return all.map((provider) => ({
    ...provider,
    pace: drawPace(random),
    keys: drawKeys(random, isCalm),
    moods: isCalm ? [{ untilMs: Infinity, share: 0, mishap: null }] : drawMoods(random.fork(), lastsMs, ORIGIN_MS),
    heedless: random.chance(0.2),
  }));
}

function drawKeys(random: Random, isCalm: boolean): readonly ProviderKey[] {
  return Array.from({ length: random.between(1, 3) }, (_, at) => {
    return { name: `key-${at}`, secret: `secret-${at}`, isGood: isCalm || random.chance(0.9) };
  });
}

function drawPace(random: Random): Pace {
  return {
    dialMs: random.skewed(1, 100),
    headMs: random.skewed(1, 300),
    firstWordMs: random.skewed(1, 1_500),
    wordMs: random.skewed(1, 200),
  };
}
