/** The routes of a simulated gateway: of every kind, with terms that some providers do not meet. */
import type { CacheConfig, ModelConfig, TargetConfig } from "../../../src/config/config.ts";
import type { DeepPartial } from "../../../src/config/defaults.ts";
import type { Random } from "../../simulation/world/random.ts";
import type { ProviderPlan } from "../providers/providers.ts";
import { drawOwnTimeouts, drawOwnWaits } from "./own-terms.ts";

/** Aliases that callers ask for in chats. */
export const routeNames: readonly string[] = ["fast", "safe"];

/** The one for embeddings. */
export const embeddingsRoute = "vectors";

/** What targets may be tagged with. */
export const tags: readonly string[] = ["eu", "no-training"];

type Models = Readonly<Record<string, DeepPartial<ModelConfig>>>;

export function drawRoutes(random: Random, providers: readonly ProviderPlan[]): Models {
  const chats = routeNames.map((name) => {
    const targets = shuffle(
      random,
      providers.map(({ name: provider, model }) => `${provider}/${model}`),
    );
    return [name, drawRoute(random, targets, ["off", "exact", "on-request", "semantic"])] as const;
  });
  const vectors = drawRoute(random, shuffle(random, embeddingTargets(providers)), ["off", "exact"]);
  return { ...Object.fromEntries(chats), [embeddingsRoute]: vectors };
}

export function drawCache(random: Random, providers: readonly ProviderPlan[]): Pick<CacheConfig, "embeddings"> {
  return { embeddings: random.pick([embeddingsRoute, ...embeddingTargets(providers)]) };
}

/** `provider/model`. */
export function embeddingTargets(providers: readonly ProviderPlan[]): readonly string[] {
  return providers.flatMap(({ name, embeddingModel }) =>
    embeddingModel === null ? [] : [`${name}/${embeddingModel}`],
  );
}

function drawRoute(
  random: Random,
  inOrder: readonly string[],
  cacheModes: readonly ModelConfig["cache"]["mode"][],
): DeepPartial<ModelConfig> {
  const count = random.between(1, inOrder.length);
  const toTarget = (model: string): DeepPartial<TargetConfig> & { readonly model: string } => ({
    model,
    tags: random.chance(0.3) ? [random.pick(tags)] : [],
    timeouts: random.chance(0.2) ? drawOwnTimeouts(random) : {},
    queue: random.chance(0.1) ? drawOwnWaits(random) : {},
  });
  return {
    targets: inOrder.slice(0, count).map(toTarget) as readonly TargetConfig[],
    fallbacks: random.chance(0.5) ? (inOrder.slice(count).map(toTarget) as readonly TargetConfig[]) : [],
    balance: random.pick(["weighted", "least-loaded", "sticky"]),
    requires: random.chance(0.1) ? [random.pick(tags)] : [],
    priceCeiling: random.chance(0.15) ? { output: random.pick(["0.15", "4", "20"]) } : {},
    timeouts: random.chance(0.2) ? drawOwnTimeouts(random) : {},
    queue: random.chance(0.2) ? drawOwnWaits(random) : {},
    retries: random.chance(0.2) ? { budgetPercent: random.pick([0, 20, 100]) } : {},
    commit: {
      at: random.pick(["first-output", "first-output", "window", "complete"]),
      windowTokens: random.between(1, 40),
      windowMs: random.skewed(10, 5_000),
      whenBroken: random.chance(0.3) ? "continue" : "error",
    },
    cache: { mode: random.pick(cacheModes), ttlMs: random.skewed(1_000, 60_000), threshold: 0.9 },
    hedge: { mode: random.chance(0.4) ? "on" : "off", afterMs: random.pick([0, 50, 500]) },
  };
}

function shuffle<Item>(random: Random, items: readonly Item[]): readonly Item[] {
  return items
    .map((item) => ({ item, at: random.unit() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
