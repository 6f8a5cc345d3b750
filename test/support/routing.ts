/** A router without a gateway: made-up providers, and requests as a caller would write them. */
import { meterInput } from "../../src/accounting/estimate.ts";
import { defaultConfig, defaultModel, type DeepPartial } from "../../src/config/defaults.ts";
import type { ModelConfig } from "../../src/config/config.ts";
import type { DialectName } from "../../src/dialects/dialect.ts";
import { findDialect } from "../../src/dialects/registry.ts";
import { untranslatable } from "../../src/exchange/attempt/carrying.ts";
import { parseJsonDocument } from "../../src/kernel/json-document.ts";
import type { RoutedModelFacts, RoutedProvider } from "../../src/routing/candidate.ts";
import type { PlanRequest } from "../../src/routing/plan.ts";
import { createRouter, type Router, type RouterSources } from "../../src/routing/router.ts";

export interface MadeProvider extends Partial<Omit<RoutedProvider, "factsOf">> {
  /** Of all its models. Default: nothing is known. */
  readonly facts?: Partial<RoutedModelFacts>;
  /** By model, instead. */
  readonly factsOf?: Readonly<Record<string, Partial<RoutedModelFacts>>>;
}

export function makeProvider(name: string, { facts = {}, factsOf = {}, ...more }: MadeProvider = {}): RoutedProvider {
  const models = more.models ?? [];
  return {
    name,
    dialects: ["openai-chat", "openai-embeddings"],
    quirks: {},
    tags: [],
    timeouts: defaultConfig().timeouts,
    queue: defaultConfig().queue,
    models,
    knows: (model) => models.includes(model),
    ...more,
    factsOf: (model) => ({
      contextTokens: null,
      maxOutputTokens: null,
      lacks: [],
      ...(Object.hasOwn(factsOf, model) ? factsOf[model] : facts),
    }),
  };
}

export interface MadeRouter extends Partial<Omit<RouterSources, "aliases">> {
  readonly aliases?: Readonly<Record<string, DeepPartial<ModelConfig>>>;
}

export function makeRouter({ aliases = {}, ...sources }: MadeRouter): Router {
  const models = Object.entries(aliases).map(([alias, model]) => [alias, defaultModel(model)] as const);
  return createRouter({
    aliases: Object.fromEntries(models),
    retries: defaultConfig().retries,
    providers: [],
    random: () => 0,
    load: () => 0,
    priceOf: () => null,
    refusesUnpriced: false,
    untranslatable,
    countInput: meterInput,
    ...sources,
  });
}

export interface MadeRequest extends Partial<Omit<PlanRequest, "view" | "dialect">> {
  readonly dialect?: DialectName;
}

/** `fields` are laid over a minimal request of the dialect: chat's unless said. */
export function makeRequest(
  model: string,
  fields: object = {},
  { dialect: name = "openai-chat", ...more }: MadeRequest = {},
): PlanRequest {
  const dialect = findDialect(name);
  const minimal = dialect.operation === "chat" ? { messages: [{ role: "user", content: "Hi" }] } : { input: "Hi" };
  const body = Buffer.from(JSON.stringify({ ...minimal, ...fields, model }));
  const view = dialect.inbound?.view(parseJsonDocument(body, { depth: 32 }));
  if (view === undefined) throw new Error(`${name} is not spoken with callers`);
  return { view, dialect, tenantId: "tnt_1", requires: [], modelAllowList: null, atMs: 0, ...more };
}
