/**
 * Everything that configuration decides, built and checked as a whole and then immutable. A reload builds a new one;
 * an exchange keeps the one it began with.
 */
import { meterInput } from "../accounting/estimate.ts";
import { createPriceBook, type PriceBook, type PricedProvider } from "../accounting/price-book.ts";
import type { PriceCatalogue } from "../accounting/prices/catalogue.ts";
import type { Config, ProviderConfig, QueueWaitsConfig } from "../config/config.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { findProviderSpec } from "../providers/catalogue.ts";
import { createEndpoint, type Endpoint } from "../providers/endpoint.ts";
import { findModelFacts } from "../providers/model-facts.ts";
import type { RoutedProvider } from "../routing/candidate.ts";
import { createRouter, type Router } from "../routing/router.ts";
import { untranslatable } from "./attempt/carrying.ts";

export interface Snapshot {
  readonly config: Config;
  readonly router: Router;
  readonly prices: PriceBook;
  /** By provider name. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  /** The same: what routing knows of each. */
  readonly routed: ReadonlyMap<string, RoutedProvider>;
}

export interface SnapshotDeps {
  readonly catalogue: PriceCatalogue;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Of a target, for routes that are balanced by it: see `TargetHealth.load`. Default: nothing is known of any. */
  readonly load?: (target: string) => number;
  /** Sent to providers. */
  readonly userAgent: string;
}

/** Throws `invalid_argument` for a configuration that no endpoint can be made of. */
export function createSnapshot(config: Config, deps: SnapshotDeps): Snapshot {
  const endpoints = new Map<string, Endpoint>();
  const routed = new Map<string, RoutedProvider>();
  const priced: Record<string, PricedProvider> = {};
  for (const [name, provider] of Object.entries(config.providers)) {
    const spec = findProviderSpec(provider.kind);
    if (spec === null) {
      throw new HeadgateError(
        "invalid_argument",
        `providers.${name}.kind: there is no provider kind ${JSON.stringify(provider.kind)}.`,
      );
    }
    const endpoint = createEndpoint(name, spec, provider, config.timeouts, deps.userAgent);
    endpoints.set(name, endpoint);
    routed.set(name, routedProvider(endpoint, provider, config.queue, deps.catalogue));
    priced[name] = spec;
  }
  const prices = createPriceBook({ catalogue: deps.catalogue, prices: config.prices, providers: priced });
  const router = createRouter({
    aliases: config.models,
    retries: config.retries,
    providers: [...routed.values()],
    random: deps.random,
    load: deps.load ?? (() => 0),
    priceOf: (provider, model, serviceTier, atMs) => prices.find(provider, model, serviceTier, atMs),
    refusesUnpriced: config.prices.unknownModel === "refuse",
    untranslatable,
    countInput: meterInput,
  });
  return { config, endpoints, routed, router, prices };
}

function routedProvider(
  endpoint: Endpoint,
  config: ProviderConfig,
  { waitMs, batchWaitMs }: QueueWaitsConfig,
  catalogue: PriceCatalogue,
): RoutedProvider {
  const { spec } = endpoint;
  const known = spec.priceList === null ? [] : catalogue.models(spec.priceList);
  const declared = new Map(config.models.map((model) => [model.name, model]));
  const models = [...new Set([...declared.keys(), ...known])];
  return {
    name: endpoint.name,
    dialects: spec.dialects,
    quirks: spec.quirks,
    tags: config.tags,
    timeouts: endpoint.timeouts,
    queue: { waitMs, batchWaitMs, ...config.queue },
    models,
    knows: (model) =>
      models.includes(model) || (spec.priceList !== null && catalogue.find(spec.priceList, model) !== null),
    factsOf: (model) => {
      const facts = findModelFacts(spec.id, model);
      const { contextTokens = null, maxOutputTokens = null, lacks = [] } = declared.get(model) ?? {};
      return {
        ...facts,
        contextTokens: contextTokens ?? contextTokensIn(catalogue, spec.priceList, model),
        maxOutputTokens: maxOutputTokens ?? facts.maxOutputTokens,
        lacks: [...facts.lacks, ...lacks],
      };
    },
  };
}

function contextTokensIn(catalogue: PriceCatalogue, list: string | null, model: string): number | null {
  return list === null ? null : (catalogue.find(list, model)?.model.context ?? null);
}
