/**
 * What answers when nobody configured a provider: a local Ollama if it runs, else the built-in simulator. As soon as
 * there is a provider, from the file or from a key in the environment, neither is added.
 */
import type { LoadedConfig } from "../../config/check.ts";
import type { Config } from "../../config/config.ts";
import { defaultProvider, withProvider } from "../../config/defaults.ts";
import { createSecret } from "../../config/secret.ts";

export interface FoundProviders {
  /** Models of the Ollama that runs on this machine; `null` if none does. */
  readonly ollama: readonly string[] | null;
  /** Of the simulator that stands in, without `/v1`; `null` if none was started. */
  readonly simulatorUrl: string | null;
}

export function hasProviders({ config }: Pick<LoadedConfig, "config">): boolean {
  return Object.keys(config.providers).length > 0;
}

/** The same configuration if it has providers of its own. */
export function addFoundProviders({ config }: Pick<LoadedConfig, "config">, found: FoundProviders): Config {
  if (hasProviders({ config })) return config;
  if (found.ollama !== null) return withProvider(config, "ollama", defaultProvider("ollama", { models: found.ollama }));
  if (found.simulatorUrl === null) return config;
  const credentials = [{ name: "built-in", key: createSecret("simulator", "built-in") }];
  const simulator = defaultProvider("simulator", { baseUrl: `${found.simulatorUrl}/v1`, credentials });
  return withProvider(config, "simulator", simulator);
}
