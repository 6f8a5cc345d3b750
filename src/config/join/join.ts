/**
 * From the checked file to `Config`: providers get their kind, their address and their keys, and providers whose key
 * lies in the environment are added by themselves. Where each joined value came from is noted.
 */
import type { Config, CredentialConfig, ProviderConfig } from "../config.ts";
import { formatPath } from "../file/problem.ts";
import type { ConfigFile } from "../options/options.ts";
import type { ProviderInFile } from "../options/providers.ts";
import { providerSchema } from "../options/schema.ts";
import type { JoinContext } from "./context.ts";
import { keyVariable, knownProvider } from "./provider-rules.ts";
import { readSecret, secretOf } from "./secret-reader.ts";
import { joinSectionSecrets } from "./section-secrets.ts";

/** Path of a value → what set it: `headgate.yaml:12`, `HEADGATE_PORT`, `OPENAI_API_KEY`. Others have their default. */
export type Origins = Map<string, string>;

export interface EnvironmentProvider {
  readonly name: string;
  /** The variable that holds its key. */
  readonly variable: string;
}

/** Expects that the rules found no problem. */
export function joinFile(
  file: ConfigFile,
  fromEnvironment: readonly EnvironmentProvider[],
  context: JoinContext,
  origins: Origins,
): Config {
  const { $schema: _, providers: written, ...sections } = file;
  const providers: Record<string, ProviderConfig> = {};
  for (const [name, provider] of Object.entries(written)) {
    providers[name] = joinProvider(name, provider, context, origins);
  }
  for (const { name, variable } of fromEnvironment) {
    origins.set(formatPath(["providers", name, "kind"]), variable);
    providers[name] = joinProvider(name, providerSchema.parse({}), context, origins);
  }
  return { ...joinSectionSecrets(sections, context), providers };
}

/**
 * Providers of the catalogue that the file leaves out and the environment has a key for. Where keys may be missing, also
 * those that the file counts on (`named`): the gateway's own environment has theirs.
 */
export function findEnvironmentProviders(
  written: readonly string[],
  named: ReadonlySet<string>,
  context: JoinContext,
): readonly EnvironmentProvider[] {
  return context.knownProviders.flatMap((known) => {
    if (written.includes(known.id)) return [];
    const variable = keyVariable(known, {}, context);
    if (variable === null) {
      const [usual] = known.environment;
      const isElsewhere = !context.keysRequired && named.has(known.id) && known.baseUrl !== null;
      return isElsewhere && usual !== undefined ? [{ name: known.id, variable: usual }] : [];
    }
    const reading = readSecret(`env:${variable}`, context.env, context.folder);
    if (reading.ok && known.baseUrl !== null) return [{ name: known.id, variable }];
    const reason = reading.ok ? "it has no common address" : "the variable holds something that cannot be a key";
    const remedy = reading.ok
      ? `Add \`${known.id}:\` with \`baseUrl\` under \`providers\`.`
      : reading.problem.suggestion;
    const message = `${known.title} is not added: ${reason}`;
    context.warnings.push({ source: variable, path: "", line: null, column: null, message, suggestion: remedy });
    return [];
  });
}

function joinProvider(name: string, written: ProviderInFile, context: JoinContext, origins: Origins): ProviderConfig {
  const { kind, key: _, credentials: __, headers, ...rest } = written;
  const lowerCased = Object.entries(headers).map(([header, value]) => [header.toLowerCase(), value]);
  return {
    ...rest,
    kind: kind ?? name,
    headers: Object.fromEntries(lowerCased) as Record<string, string>,
    credentials: joinCredentials(name, written, context, origins),
  };
}

/** Never empty: a provider without a key has one credential that says so. */
function joinCredentials(
  name: string,
  written: ProviderInFile,
  context: JoinContext,
  origins: Origins,
): readonly CredentialConfig[] {
  if (written.credentials.length > 0) {
    return written.credentials.map((credential) => ({ name: credential.name, key: secretOf(credential.key, context) }));
  }
  const first = formatPath(["providers", name, "credentials", 0]);
  if (written.key !== null) {
    const origin = origins.get(formatPath(["providers", name, "key"]));
    if (origin !== undefined) origins.set(`${first}.key`, origin);
    return [{ name: "default", key: secretOf(written.key, context) }];
  }
  const variable = keyVariable(knownProvider(name, written.kind, context), { ...written }, context);
  if (variable === null) return [{ name: "none", key: null }];
  origins.set(`${first}.key`, variable);
  return [{ name: "default", key: secretOf(`env:${variable}`, context) }];
}
