/**
 * Checks everything that configures a gateway (file, environment, flags) as a whole, without side effects but the
 * reading of secret files. Either there is a complete configuration or the list of all problems, never half of each.
 * Flags win over the environment, the environment over the file, the file over defaults.
 */
import { dirname, resolve } from "node:path";
import type { Config } from "./config.ts";
import { emptyDocument, readDocument } from "./file/document.ts";
import { explainIssues, explainName } from "./file/issues.ts";
import { type ConfigProblem, inFileOrder } from "./file/problem.ts";
import { misnamed, spellOut } from "./file/sections.ts";
import { checkAlerts } from "./join/alert-rules.ts";
import { checkCache } from "./join/cache-rules.ts";
import { fieldsOf, type JoinContext } from "./join/context.ts";
import { type EnvironmentProvider, findEnvironmentProviders, joinFile, type Origins } from "./join/join.ts";
import { checkModels, checkPrices, providersNamed } from "./join/model-rules.ts";
import { checkPriceRules } from "./join/price-rules.ts";
import { checkProviders } from "./join/provider-rules.ts";
import { checkStorage } from "./join/storage-rules.ts";
import { checkSectionSecrets } from "./join/section-secrets.ts";
import type { KnownProvider } from "./known-provider.ts";
import { type ConfigFile, configOptions } from "./options/options.ts";
import { fileSchema } from "./options/schema.ts";
import { type Environment, type Override, readOverrides } from "./overrides.ts";

export interface ConfigInput {
  /** `null`: there is no file. */
  readonly file: {
    readonly text: string;
    /** As people named it; shown in problems. */
    readonly name: string;
    /** Absolute. */
    readonly path: string;
  } | null;
  readonly env: Environment;
  /** By name in camel case; values of other flags are ignored. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Absolute. */
  readonly workingDirectory: string;
  readonly knownProviders: readonly KnownProvider[];
  /**
   * `absent`: keys of providers and the secret of the webhook may be missing, for who calls neither. Default `required`.
   * The URL of the shared database is always required.
   */
  readonly keys?: "required" | "absent";
}

export interface LoadedConfig {
  readonly config: Config;
  /** Path of a value → what set it: `headgate.yaml:12`, `HEADGATE_PORT`, `--port`, `OPENAI_API_KEY`. Others: default. */
  readonly origins: ReadonlyMap<string, string>;
  /** Worth telling, but no reason not to start. */
  readonly warnings: readonly ConfigProblem[];
  /** Absolute path of the file, or `null` if there is none. */
  readonly file: string | null;
}

export type ConfigCheck =
  | { readonly ok: true; readonly loaded: LoadedConfig }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export function checkConfig(input: ConfigInput): ConfigCheck {
  const document = input.file === null ? emptyDocument() : readDocument(input.file.text, input.file.name);
  const folder = input.file === null ? input.workingDirectory : dirname(input.file.path);
  const overrides = readOverrides(input.env, input.flags);
  const context: JoinContext = {
    document,
    env: input.env,
    folder,
    knownProviders: input.knownProviders,
    keysRequired: input.keys !== "absent",
    overridden: new Map(overrides.values.map(({ path, origin }) => [path, origin])),
    problems: [...document.problems, ...overrides.problems],
    warnings: [...overrides.warnings],
  };
  const read = document.value === undefined ? null : readFile(document.value, overrides.values, context);
  if (read === null || context.problems.length > 0) return { ok: false, problems: inFileOrder(context.problems) };

  const origins: Origins = new Map();
  for (const [path, position] of document.values) origins.set(path, `${document.source}:${position.line}`);
  for (const { path, origin } of overrides.values) origins.set(path, origin);
  const joined = joinFile(read.file, read.fromEnvironment, context, origins);
  const config = resolveDataDir(joined, folder, input.workingDirectory, origins);
  return { ok: true, loaded: { config, origins, warnings: context.warnings, file: input.file?.path ?? null } };
}

interface FileReading {
  readonly file: ConfigFile;
  readonly fromEnvironment: readonly EnvironmentProvider[];
}

/** `null` if the schema refuses it; all complaints are in the context. */
function readFile(value: unknown, overrides: readonly Override[], context: JoinContext): FileReading | null {
  const written = spellOut(configOptions, value);
  const parsed = fileSchema.safeParse(written);
  if (!parsed.success) context.problems.push(...explainIssues(parsed.error.issues, written, context.document));
  context.problems.push(...misnamed(configOptions, written).map((steps) => explainName(steps, context.document)));
  const effective = applyOverrides(fieldsOf(written), overrides);
  const { providers, models, cache, prices, alerts, storage } = effective;
  checkProviders(providers, context);
  const names = Object.keys(fieldsOf(providers));
  const fromEnvironment = findEnvironmentProviders(names, providersNamed(models, cache), context);
  const all = [...names, ...fromEnvironment.map((provider) => provider.name)];
  checkModels(models, all, context);
  checkCache(cache, models, all, context);
  checkPrices(prices, all, context);
  checkPriceRules(prices, context);
  checkSectionSecrets(effective, context);
  checkAlerts(alerts, context);
  checkStorage(storage, context);
  if (!parsed.success) return null;
  // Each override was checked against the option that declares the very field it replaces.
  return { file: applyOverrides({ ...parsed.data }, overrides) as unknown as ConfigFile, fromEnvironment };
}

/** The sections with what variables and flags set in its place. */
function applyOverrides(
  sections: Readonly<Record<string, unknown>>,
  overrides: readonly Override[],
): Readonly<Record<string, unknown>> {
  let result = sections;
  for (const { path, value } of overrides) {
    const [section = "", name = ""] = path.split(".");
    result = { ...result, [section]: { ...fieldsOf(result[section]), [name]: value } };
  }
  return result;
}

/** A relative path in the file starts at the file's folder, any other at the working directory. */
function resolveDataDir(config: Config, folder: string, workingDirectory: string, origins: Origins): Config {
  const origin = origins.get("storage.dataDir");
  const inFile = origin !== undefined && origin !== "HEADGATE_DATA_DIR" && origin !== "--data-dir";
  const dataDir = resolve(inFile ? folder : workingDirectory, config.storage.dataDir);
  return { ...config, storage: { ...config.storage, dataDir } };
}
