/** All that is decided about a world before it begins, drawn from its seed. */
import type { Config } from "../../../src/config/config.ts";
import type { Allowance } from "../../../src/limits/allowance.ts";
import type { Random } from "../../simulation/world/random.ts";
import type { AskSources } from "../callers/ask.ts";
import { drawMoods, type Mishap } from "../providers/mood.ts";
import type { ProviderKey, ProviderPlan } from "../providers/providers.ts";
import type { Pace } from "../providers/steps.ts";
import { drawStoreMoods, soundStore, type StoreMood } from "../store/store-mood.ts";
import { drawWallTime, type WallTime } from "../world/wall-time.ts";
import { drawAllowances, principals } from "./allowances.ts";
import { drawConfiguration } from "./configuration.ts";
import { embeddingsRoute, embeddingTargets, routeNames, tags } from "./routes.ts";

export interface Scenario {
  readonly wallTime: WallTime;
  /** Of traffic. */
  readonly lastsMs: number;
  readonly requests: number;
  readonly config: Config;
  readonly providers: readonly ProviderPlan[];
  readonly storeMoods: readonly StoreMood[];
  readonly allowances: readonly Allowance[];
  /** What callers ask for, in chats and for embeddings. */
  readonly models: readonly string[];
  readonly embeddingModels: readonly string[];
  /** Of what is written to a slow caller. */
  readonly bufferBytes: number;
  /** That gateways run on: one, or two that share a store. */
  readonly machines: number;
  /** Of the process of a machine, by its number; after `downMs` the next one starts. */
  readonly kills: readonly { readonly machine: number; readonly atMs: number; readonly downMs: number }[];
  /** A stop in the middle of traffic; `null`: only at the end. */
  readonly stop: { readonly atMs: number; readonly graceMs: number } | null;
}

const ORIGIN_MS = Date.UTC(2026, 10, 21, 12);

export function askSources({ models, embeddingModels, lastsMs }: Scenario): AskSources {
  return { models, embeddingModels, tags, keys: [...principals.keys()], spanMs: lastsMs };
}

/** Of worlds. */
const INCIDENTS = 0.03;

export function drawScenario(random: Random): Scenario {
  return random.chance(INCIDENTS) ? drawIncident(random) : drawWorld(random);
}

function drawWorld(random: Random): Scenario {
  const lastsMs = random.skewed(1_000, 60_000);
  const providers = drawProviders(random, lastsMs);
  const machines = random.chance(0.2) ? 2 : 1;
  return {
    wallTime: drawWallTime(random.fork(), ORIGIN_MS, lastsMs),
    lastsMs,
    requests: random.skewed(3, 60),
    config: drawConfiguration(random.fork(), providers),
    providers,
    storeMoods: drawStoreMoods(random.fork(), lastsMs),
    allowances: drawAllowances(random.fork()),
    models: [...routeNames, ...routeNames, ...providers.map(({ name, model }) => `${name}/${model}`)],
    embeddingModels: [embeddingsRoute, ...embeddingTargets(providers)],
    bufferBytes: random.skewed(200, 16_000),
    machines,
    ...drawEnds(random, lastsMs, machines),
  };
}

/** Processes are stopped or killed in the middle of traffic, or neither. */
function drawEnds(random: Random, lastsMs: number, machines: number): Pick<Scenario, "stop" | "kills"> {
  const kind = random.unit();
  if (kind < 0.25) return { kills: [], stop: { atMs: random.unit() * lastsMs, graceMs: random.skewed(1, 20_000) } };
  if (kind > 0.45) return { kills: [], stop: null };
  const kills = Array.from({ length: random.between(1, 2) }, () => {
    const downMs = random.skewed(1, 5_000);
    return { machine: random.below(machines), atMs: random.unit() * lastsMs, downMs };
  });
  return { kills, stop: null };
}

/** Many callers at once, while most calls of every provider fail, and nothing else does. */
function drawIncident(random: Random): Scenario {
  const world = drawWorld(random);
  const { config } = world;
  const moods = [{ untilMs: Infinity, share: 0.3 + 0.7 * random.unit(), mishap: drawOutage(random) }];
  return {
    ...world,
    lastsMs: random.skewed(1_000, 15_000),
    requests: random.between(60, 200),
    config: {
      ...config,
      retries: { attemptsMax: random.between(3, 6), backoffMs: 100, backoffMaxMs: 500, budgetPercent: 20 },
      health: { ...config.health, failuresInRow: 0, failurePercent: 0 },
    },
    providers: world.providers.map((provider) => ({ ...provider, moods })),
    storeMoods: [soundStore],
    allowances: [],
    stop: null,
    kills: [],
  };
}

function drawOutage(random: Random): Mishap {
  if (random.chance(0.7)) return { kind: "status", status: random.pick([500, 503, 529]), headers: {} };
  return { kind: "behaviour", name: random.pick(["refuses connections", "is slow to begin"]) };
}

function drawProviders(random: Random, lastsMs: number): readonly ProviderPlan[] {
  const all = [
    { name: "alpha", dialect: "openai", model: "sim-chat", embeddingModel: "sim-embed" },
    { name: "beta", dialect: "openai", model: "sim-mini", embeddingModel: "sim-embed" },
    { name: "gamma", dialect: "anthropic", model: "sim-claude", embeddingModel: null },
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
