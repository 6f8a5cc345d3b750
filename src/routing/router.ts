/**
 * The router: from the model name in a request to the targets that can serve it. A name is, in this order,
 *
 *   an alias of the configuration          `fast`                 its targets, one chosen by its balance
 *   `provider/model`, provider configured  `openrouter/meta/x`    that model, known or not
 *   a model known at a provider            `gpt-5-mini`           at the first provider, in configured order
 *
 * and otherwise `model_not_found`. One router belongs to one configuration snapshot. What it works out for a name is
 * kept, bounded, since names come from callers; a plan for a name seen before is a few lookups. Whether the caller may
 * use the model is allow-list.ts; what happens when a target fails is the exchange's.
 */
import type { ModelConfig, RetriesConfig, TargetConfig } from "../config/config.ts";
import { defaultModel } from "../config/defaults.ts";
import { assert } from "../kernel/assert.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { nearest } from "../kernel/nearest.ts";
import { isModelAllowed } from "./allow-list.ts";
import { createCandidate, type Candidate, type CandidateTerms, type RoutedProvider } from "./candidate.ts";
import type { RouteExplanation } from "./explanation.ts";
import type { RouteDeps, RouteTerms } from "./judge.ts";
import type { ListedModel, Plan, PlanRequest, RoutePolicy } from "./plan.ts";
import { createPriceCeiling } from "./price-ceiling.ts";
import { createRoute, type Route } from "./route.ts";

export interface Router {
  /** Throws `model_not_found` (with near names), `unsupported_capability`, or what all targets refuse the request for. */
  plan(request: PlanRequest): Plan;
  /** What `plan` would do with the request, and why. Throws `model_not_found`. */
  explain(request: PlanRequest): RouteExplanation;
  /** Aliases first, then every known `provider/model`. */
  list(): readonly ListedModel[];
}

export interface RouterSources extends RouteDeps {
  /** `models` of the configuration. */
  readonly aliases: Readonly<Record<string, ModelConfig>>;
  /** For all models; an alias may set its own. */
  readonly retries: RetriesConfig;
  /** In configured order. */
  readonly providers: readonly RoutedProvider[];
}

/** Names remembered besides the aliases; when full they are forgotten together. */
const rememberedMax = 4096;
/** No model's name is longer; also bounds what is kept and shown of a caller's text. */
const nameCharsMax = 256;
const suggestionsMax = 3;
/** In no model's name: control characters, separators of lines, halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/** The targets of every alias must name configured providers: the configuration's check has seen to it. */
export function createRouter(sources: RouterSources): Router {
  const { aliases, retries, providers } = sources;
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  const aliasRoutes = new Map(
    Object.entries(aliases).map(([alias, model]) => [alias, createAliasRoute(alias, model, byName, sources)]),
  );
  const usualTerms = {
    requires: [],
    ceiling: null,
    balance: "weighted",
    policy: policyOf(defaultModel(), retries),
  } as const;
  const remembered = new Map<string, Route>();
  const listed = listModels(Object.keys(aliases), providers);

  function findRoute({ view: { model: name }, modelAllowList }: PlanRequest): Route {
    const known = aliasRoutes.get(name) ?? remembered.get(name);
    if (known) return known;
    const possible = name.length <= nameCharsMax && !unprintable.test(name);
    const candidate = possible ? resolve(name, providers, byName) : null;
    if (candidate === null) throw modelNotFound(name, listed, modelAllowList);
    const route = createRoute({ ...usualTerms, name, candidates: [candidate] }, sources);
    if (remembered.size >= rememberedMax) remembered.clear();
    remembered.set(name, route);
    return route;
  }

  return {
    plan(request) {
      const route = findRoute(request);
      return { asked: request.view.model, targets: route.choose(request), policy: route.policy };
    },
    explain: (request) => findRoute(request).explain(request),
    list: () => listed,
  };
}

function policyOf(model: ModelConfig, retries: RetriesConfig): RoutePolicy {
  const { commit, invalidEvents, hedge, cache } = model;
  return { commit, invalidEvents, hedge, cache, retries: { ...retries, ...model.retries } };
}

function createAliasRoute(
  alias: string,
  model: ModelConfig,
  byName: ReadonlyMap<string, RoutedProvider>,
  sources: RouterSources,
): Route {
  const toCandidate = ({ timeouts, queue, ...target }: TargetConfig, isFallback: boolean): Candidate => {
    const terms = {
      ...target,
      timeouts: { ...model.timeouts, ...timeouts },
      queue: { ...model.queue, ...queue },
      isFallback,
    };
    const candidate = resolvePrefixed(target.model, byName, terms);
    assert(candidate !== null, `alias ${alias}: no configured provider for target ${target.model}`);
    return candidate;
  };
  const terms: RouteTerms = {
    name: alias,
    candidates: [
      ...model.targets.map((target) => toCandidate(target, false)),
      ...model.fallbacks.map((target) => toCandidate(target, true)),
    ],
    requires: model.requires,
    ceiling: createPriceCeiling(model.priceCeiling, sources.countInput),
    balance: model.balance,
    policy: policyOf(model, sources.retries),
  };
  return createRoute(terms, sources);
}

/** Of a name that is no alias. */
const plainTerms: CandidateTerms = { weight: 1, tags: [], timeouts: {}, queue: {}, isFallback: false };

function resolve(
  name: string,
  providers: readonly RoutedProvider[],
  byName: ReadonlyMap<string, RoutedProvider>,
): Candidate | null {
  const prefixed = resolvePrefixed(name, byName, plainTerms);
  if (prefixed) return prefixed;
  const provider = name === "" ? undefined : providers.find((each) => each.knows(name));
  return provider ? createCandidate(provider, name, plainTerms) : null;
}

function resolvePrefixed(
  name: string,
  byName: ReadonlyMap<string, RoutedProvider>,
  terms: CandidateTerms,
): Candidate | null {
  const slash = name.indexOf("/");
  if (slash <= 0 || slash === name.length - 1) return null;
  const provider = byName.get(name.slice(0, slash));
  return provider ? createCandidate(provider, name.slice(slash + 1), terms) : null;
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
