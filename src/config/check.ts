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
import { fieldsOf, type JoinContext } from "./join/context.ts";
import { type EnvironmentProvider, findEnvironmentProviders, joinFile, type Origins } from "./join/join.ts";
import { checkModels, checkPrices } from "./join/model-rules.ts";
import { checkPriceRules } from "./join/price-rules.ts";
import { checkProviders } from "./join/provider-rules.ts";
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
    problems: [...document.problems, ...overrides.problems],
    warnings: [...overrides.warnings],
  };
  const read = document.value === undefined ? null : readFile(document.value, context);
  if (read === null || context.problems.length > 0) return { ok: false, problems: inFileOrder(context.problems) };

  const origins: Origins = new Map();
  for (const [path, position] of document.values) origins.set(path, `${document.source}:${position.line}`);
  const joined = joinFile(read.file, read.fromEnvironment, context, origins);
  const config = resolveDataDir(
    applyOverrides(joined, overrides.values, origins),
    folder,
    input.workingDirectory,
    origins,
  );
  return { ok: true, loaded: { config, origins, warnings: context.warnings, file: input.file?.path ?? null } };
}

interface FileReading {
  readonly file: ConfigFile;
  readonly fromEnvironment: readonly EnvironmentProvider[];
}

/** `null` if the schema refuses it; all complaints are in the context. */
function readFile(value: unknown, context: JoinContext): FileReading | null {
  const written = spellOut(configOptions, value);
  const parsed = fileSchema.safeParse(written);
  if (!parsed.success) context.problems.push(...explainIssues(parsed.error.issues, written, context.document));
  context.problems.push(...misnamed(configOptions, written).map((steps) => explainName(steps, context.document)));
  const { providers, models, prices } = fieldsOf(written);
  checkProviders(providers, context);
  const names = Object.keys(fieldsOf(providers));
  const fromEnvironment = findEnvironmentProviders(names, context);
  const all = [...names, ...fromEnvironment.map((provider) => provider.name)];
  checkModels(models, all, context);
  checkPrices(prices, all, context);
  checkPriceRules(prices, context);
  return parsed.success ? { file: parsed.data, fromEnvironment } : null;
}

function applyOverrides(config: Config, overrides: readonly Override[], origins: Origins): Config {
  let result: Record<string, unknown> = { ...config };
  for (const { path, value, origin } of overrides) {
    const [section = "", name = ""] = path.split(".");
    result = { ...result, [section]: { ...fieldsOf(result[section]), [name]: value } };
    origins.set(path, origin);
  }
  // Each override was checked against the option that declares the very field it replaces.
  return result as unknown as Config;
}

/** A relative path in the file starts at the file's folder, any other at the working directory. */
function resolveDataDir(config: Config, folder: string, workingDirectory: string, origins: Origins): Config {
  const origin = origins.get("storage.dataDir");
  const inFile = origin !== undefined && origin !== "HEADGATE_DATA_DIR" && origin !== "--data-dir";
  const dataDir = resolve(inFile ? folder : workingDirectory, config.storage.dataDir);
  return { ...config, storage: { ...config.storage, dataDir } };
}
