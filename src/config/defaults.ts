import type { Config, ModelConfig, ProviderConfig, ProviderModelConfig, Secret, TargetConfig } from "./config.ts";
import { fileSchema, modelSchema, providerSchema } from "./options/schema.ts";

/** The same shape with everything optional, down to the leaves; lists and secrets are given whole. */
export type DeepPartial<Value> = Value extends readonly TargetConfig[]
  ? readonly (Pick<TargetConfig, "model"> & Partial<TargetConfig>)[]
  : Value extends readonly unknown[] | Secret
    ? Value
    : Value extends object
      ? { readonly [Key in keyof Value]?: DeepPartial<Value[Key]> }
      : Value;

/**
 * The configuration of an empty file, with these values in place; providers and models are completed as the loader
 * would. Nothing is checked: for tests and composition.
 */
export function defaultConfig(overrides: DeepPartial<Config> = {}): Config {
  const { $schema: _, ...sections } = fileSchema.parse({});
  const providers = Object.entries(overrides.providers ?? {}).map(([name, given]) => [
    name,
    defaultProvider(name, given),
  ]);
  const models = Object.entries(overrides.models ?? {}).map(([name, given]) => [name, defaultModel(given)]);
  const joined = { providers: Object.fromEntries(providers) as unknown, models: Object.fromEntries(models) as unknown };
  return overlay(overlay(sections, overrides), joined) as Config;
}

/** An alias with nothing set but what is given; its targets are given whole, or by what differs from the defaults. */
export function defaultModel(given: DeepPartial<ModelConfig> = {}): ModelConfig {
  return modelSchema.parse({ targets: [], ...given });
}

/** A provider with nothing set but what is given, of the kind `name` unless said; without credentials, it has no key. */
export function defaultProvider(name: string, given: DeepPartial<ProviderConfig> = {}): ProviderConfig {
  const { key: _, ...written } = providerSchema.parse({});
  const provider = { ...written, kind: name, credentials: [{ name: "none", key: null }] };
  return overlay(provider, given) as ProviderConfig;
}

/** A model of a provider, of which nothing is known but what is given. */
export function listedModel(name: string, given: Partial<ProviderModelConfig> = {}): ProviderModelConfig {
  return { name, contextTokens: null, maxOutputTokens: null, lacks: [], ...given };
}

/** The snapshot with a provider more, or another in place of the one of that name. */
export function withProvider(config: Config, name: string, provider: ProviderConfig): Config {
  return { ...config, providers: { ...config.providers, [name]: provider } };
}

function overlay(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isSection(base) || !isSection(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = overlay(merged[key], value);
  return merged;
}

/** A plain object, not a list, a function or a `Secret`. */
function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
