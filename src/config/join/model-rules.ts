import { nearest } from "../../kernel/nearest.ts";
import { didYouMean } from "../file/issues.ts";
import { builtInSimulators } from "../known-provider.ts";
import { fieldsOf, itemsOf, type JoinContext, refuse, warn } from "./context.ts";

/** Rules for `models` and `prices`: what they name must be configured. `providers` are all that will be there. */
export function checkModels(models: unknown, providers: readonly string[], context: JoinContext): void {
  for (const [alias, model] of Object.entries(fieldsOf(models))) {
    const { targets, fallbacks } = fieldsOf(model);
    checkTargets(["models", alias, "targets"], targets, [], providers, context);
    checkTargets(["models", alias, "fallbacks"], fallbacks, itemsOf(targets), providers, context);
    const weights = itemsOf(targets).map((target) => fieldsOf(target)["weight"]);
    if (weights.length > 0 && weights.every((weight) => weight === 0)) {
      refuse(context, ["models", alias, "targets"], "all have weight 0, so that nothing serves the alias", null, "key");
    }
  }
}

/** Each names a configured provider, and no other one of the alias; `before` are those listed elsewhere. */
function checkTargets(
  path: readonly string[],
  listed: unknown,
  before: readonly unknown[],
  providers: readonly string[],
  context: JoinContext,
): void {
  const seen = new Set(before.map((target) => fieldsOf(target)["model"]));
  itemsOf(listed).forEach((target, index) => {
    const { model } = fieldsOf(target);
    const place = [...path, index, "model"];
    const provider = providerOf(model);
    if (provider !== null && !providers.includes(provider)) {
      const message = `names the provider "${provider}", which is not configured`;
      refuse(context, place, message, remedy(provider, providers, context));
    } else if (typeof model === "string" && seen.has(model)) {
      refuse(context, place, `names ${model}, which the alias has already`, "Leave one of the two out.");
    }
    seen.add(model);
  });
}

export function checkPrices(prices: unknown, providers: readonly string[], context: JoinContext): void {
  for (const model of Object.keys(fieldsOf(fieldsOf(prices)["overrides"]))) {
    const provider = providerOf(model);
    if (provider === null || providers.includes(provider)) continue;
    if (providers.length === 0 && builtInSimulators.includes(provider)) continue;
    const message = `is a price for the provider "${provider}", which is not configured`;
    warn(context, ["prices", "overrides", model], message, remedy(provider, providers, context));
  }
}

/** Those that aliases and the semantic cache count on. */
export function providersNamed(models: unknown, cache: unknown): ReadonlySet<string> {
  const targets = Object.values(fieldsOf(models)).flatMap((model) => {
    const fields = fieldsOf(model);
    return [...itemsOf(fields["targets"]), ...itemsOf(fields["fallbacks"])].map((target) => fieldsOf(target)["model"]);
  });
  const named = [...targets, fieldsOf(cache)["embeddings"]].map(providerOf);
  return new Set(named.filter((provider) => provider !== null));
}

/** `null`: it names none, and so an alias. */
export function providerOf(model: unknown): string | null {
  return typeof model === "string" && model.includes("/") ? model.slice(0, model.indexOf("/")) : null;
}

/** How a provider that is not configured becomes so. */
export function remedy(provider: string, providers: readonly string[], context: JoinContext): string {
  const known = context.knownProviders.find((candidate) => candidate.id === provider);
  if (known === undefined) {
    return (
      didYouMean(nearest(provider, providers, 1)) ??
      `Add it under \`providers\`. Configured: ${providers.join(", ") || "none"}.`
    );
  }
  const variable = known.environment[0];
  return variable === undefined
    ? `Add \`${provider}:\` under \`providers\`.`
    : `Set ${variable}, or add \`${provider}:\` under \`providers\`.`;
}
