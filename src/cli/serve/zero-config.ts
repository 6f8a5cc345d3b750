/**
 * What answers without being configured. An Ollama that runs here is used beside whatever providers there are, unless
 * the configuration says itself where its Ollama is. Where no provider is configured (none in the file, no key in the
 * environment) and no Ollama answers, the built-in simulator stands in, under its own name.
 */
import type { Config } from "../../config/config.ts";
import { defaultProvider, listedModel, withProvider } from "../../config/defaults.ts";
import { builtInSimulators } from "../../config/known-provider.ts";
import { createSecret } from "../../config/secret.ts";
import { createUndiciTransport } from "../../providers/undici-transport.ts";
import type { CliContext } from "../context.ts";
import { findOllama, type FoundOllama } from "./find-ollama.ts";

export interface FoundProviders {
  /** `null`: none answered. */
  readonly ollama: FoundOllama | null;
  /** Of the simulator that stands in, without `/v1`; `null`: it is not needed. */
  readonly simulatorUrl: string | null;
}

/** Looks once, at start. A simulator that is started belongs to `opened`. */
export async function findProviders(
  config: Config,
  context: CliContext,
  opened: AsyncDisposableStack,
): Promise<FoundProviders> {
  const ollama = await lookForOllama(config, context);
  if (hasProviders(config) || ollama !== null) return { ollama, simulatorUrl: null };
  const { startSimulator } = await import("../../simulator/simulator.ts");
  const simulator = opened.use(await startSimulator(context, { defaultScript: "ttft=200,rate=60" }));
  return { ollama: null, simulatorUrl: simulator.url };
}

/** The Ollama that runs here; `null` also if the configuration says itself where its Ollama is. */
export async function lookForOllama(config: Config, context: CliContext): Promise<FoundOllama | null> {
  if (namesOllama(config)) return null;
  await using transport = createUndiciTransport({ connectTimeoutMs: 1000, connectionsMax: 1 });
  return await findOllama({ ...context, transport });
}

/** Configured providers come first and win: by order where several know a model, by name where names meet. */
export function addFoundProviders(config: Config, { ollama, simulatorUrl }: FoundProviders): Config {
  if (ollama !== null && !namesOllama(config)) {
    const { baseUrl, models } = ollama;
    const given = { baseUrl, models: models.map((model) => listedModel(model)) };
    return withProvider(config, "ollama", defaultProvider("ollama", given));
  }
  if (simulatorUrl === null || hasProviders(config)) return config;
  const credentials = [{ name: "built-in", key: createSecret("simulator", "built-in") }];
  const given = { baseUrl: `${simulatorUrl}/v1`, credentials };
  return builtInSimulators.reduce((result, name) => withProvider(result, name, defaultProvider(name, given)), config);
}

function hasProviders(config: Config): boolean {
  return Object.keys(config.providers).length > 0;
}

function namesOllama({ providers }: Config): boolean {
  return "ollama" in providers || Object.values(providers).some(({ kind }) => kind === "ollama");
}
