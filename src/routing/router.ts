/**
 * The router: from the model name in a request to the targets that can serve it. A name is, in this order,
 *
 *   an alias of the configuration          `fast`                 its targets, one chosen by weight
 *   `provider/model`, provider configured  `openrouter/meta/x`    that model, known or not
 *   a model known at a provider            `gpt-5-mini`           at the first provider, in configured order
 *
 * and otherwise `model_not_found`. One router belongs to one configuration snapshot. What it works out for a name is
 * kept, bounded, since names come from callers; a plan for a name seen before is a few lookups. Whether the caller may
 * use the model is allow-list.ts; what happens when a target fails is the exchange's.
 */
import type { ModelConfig, RetriesConfig } from "../config/config.ts";
import { defaultModel } from "../config/defaults.ts";
import { assert } from "../kernel/assert.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { nearest } from "../kernel/nearest.ts";
import type { ListedModel, PlanRequest, RoutePolicy, Router } from "./plan.ts";
import { isModelAllowed } from "./allow-list.ts";
import { createCandidate, type Candidate, type RoutedProvider } from "./candidate.ts";
import { createRoute, type Route } from "./route.ts";

export interface RouterSources {
  /** `models` of the configuration. */
  readonly aliases: Readonly<Record<string, ModelConfig>>;
  /** For all models; an alias may set its own. */
  readonly retries: RetriesConfig;
  /** In configured order. */
  readonly providers: readonly RoutedProvider[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Names remembered besides the aliases; when full they are forgotten together. */
const rememberedMax = 4096;
/** No model's name is longer; also bounds what is kept and shown of a caller's text. */
const nameCharsMax = 256;
const suggestionsMax = 3;
/** In no model's name: control characters, separators of lines, halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/** The targets of every alias must name configured providers: the configuration's check has seen to it. */
export function createRouter({ aliases, retries, providers, random }: RouterSources): Router {
  const policies = new Map(Object.entries(aliases).map(([alias, model]) => [alias, policyOf(model, retries)]));
  const usualPolicy = policyOf(defaultModel(), retries);
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  const aliasRoutes = new Map(
    Object.entries(aliases).map(([alias, model]) => [alias, createRoute(alias, aliasCandidates(alias, model, byName))]),
  );
  const remembered = new Map<string, Route>();
  const listed = listModels(Object.keys(aliases), providers);

  function findRoute(name: string, modelAllowList: PlanRequest["modelAllowList"]): Route {
    const known = aliasRoutes.get(name) ?? remembered.get(name);
    if (known) return known;
    const possible = name.length <= nameCharsMax && !unprintable.test(name);
    const candidate = possible ? resolve(name, providers, byName) : null;
    if (candidate === null) throw modelNotFound(name, listed, modelAllowList);
    const route = createRoute(name, [{ candidate, weight: 1 }]);
    if (remembered.size >= rememberedMax) remembered.clear();
    remembered.set(name, route);
    return route;
  }

  return {
    plan({ model, operation, dialectIn, needs, modelAllowList }: PlanRequest) {
      const targets = findRoute(model, modelAllowList).choose(operation, dialectIn, needs, random);
      return { asked: model, targets, policy: policies.get(model) ?? usualPolicy };
    },
    list: () => listed,
  };
}

function policyOf({ commit, hedge, cache, retries: own }: ModelConfig, retries: RetriesConfig): RoutePolicy {
  return { commit, hedge, cache, retries: { ...retries, ...own } };
}

function aliasCandidates(
  alias: string,
  model: ModelConfig,
  byName: ReadonlyMap<string, RoutedProvider>,
): readonly { readonly candidate: Candidate; readonly weight: number }[] {
  return model.targets.map((target) => {
    const candidate = resolvePrefixed(target.model, byName);
    assert(candidate !== null, `alias ${alias}: no configured provider for target ${target.model}`);
    return { candidate, weight: target.weight };
  });
}

function resolve(
  name: string,
  providers: readonly RoutedProvider[],
  byName: ReadonlyMap<string, RoutedProvider>,
): Candidate | null {
  const prefixed = resolvePrefixed(name, byName);
  if (prefixed) return prefixed;
  const provider = name === "" ? undefined : providers.find((each) => each.knows(name));
  return provider ? createCandidate(provider, name) : null;
}

function resolvePrefixed(name: string, byName: ReadonlyMap<string, RoutedProvider>): Candidate | null {
  const slash = name.indexOf("/");
  if (slash <= 0 || slash === name.length - 1) return null;
  const provider = byName.get(name.slice(0, slash));
  return provider ? createCandidate(provider, name.slice(slash + 1)) : null;
}

function listModels(aliases: readonly string[], providers: readonly RoutedProvider[]): readonly ListedModel[] {
  return [
    ...aliases.map((id) => ({ id, ownedBy: "headgate" })),
    ...providers.flatMap(({ name, models }) => models.map((model) => ({ id: `${name}/${model}`, ownedBy: name }))),
  ];
}

/** Suggests only what the key may use. */
function modelNotFound(
  name: string,
  listed: readonly ListedModel[],
  modelAllowList: PlanRequest["modelAllowList"],
): HeadgateError {
  const ids = listed.map(({ id }) => id).filter((id) => isModelAllowed(modelAllowList, id, [id]));
  const near = nearest(name, ids, suggestionsMax);
  const shown = JSON.stringify(name.length > nameCharsMax ? `${name.slice(0, nameCharsMax)}…` : name);
  const suggestion = near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : "";
  return new HeadgateError(
    "model_not_found",
    `No alias and no configured provider serves the model ${shown}.${suggestion} GET /v1/models lists what there is.`,
    { param: "model" },
  );
}
