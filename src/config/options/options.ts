/**
 * All options of the gateway, assembled from their sections, and the walks over them that everything generated from
 * the declaration shares. Nothing here reads a file or a variable.
 */
import type { Config } from "../config.ts";
import { alertsOptions } from "./alerts.ts";
import { budgetsOptions, limitsOptions, timeoutsOptions } from "./limits.ts";
import { modelsOption } from "./models.ts";
import type { GroupNode, OptionNode, Options, ScalarNode } from "./option.ts";
import { pricesOptions } from "./prices.ts";
import { type ProviderInFile, providersOption } from "./providers.ts";
import { queueOptions } from "./queue.ts";
import { cacheOptions, healthOptions, idempotencyOptions, retriesOptions } from "./reliability.ts";
import { nullable } from "./scalars.ts";
import { group, type SectionInFile } from "./sections.ts";
import { serverOptions, storageOptions, telemetryOptions } from "./server.ts";

/** What the file says, checked and with defaults: `Config` before names are joined and secrets read. */
export interface ConfigFile extends SectionsInFile {
  readonly $schema: string | null;
  readonly providers: Readonly<Record<string, ProviderInFile>>;
}

type SectionsInFile = {
  readonly [Section in Exclude<keyof Config, "providers">]: SectionInFile<Config[Section]>;
};

const sections: Options<ConfigFile> = {
  $schema: nullable("text", {
    doc: "Where an editor finds the JSON Schema of this file; the gateway ignores it.",
    absent: "none",
  }),
  server: group("The address callers connect to.", serverOptions),
  storage: group("Where records are kept.", storageOptions),
  limits: group("Bounds of what one process takes on.", limitsOptions),
  budgets: group("How this process holds what allowances permit.", budgetsOptions),
  queue: group("How requests wait for a provider whose `concurrency` is reached, and who is next.", queueOptions),
  alerts: group("Whom to tell of alerts, besides the log.", alertsOptions),
  timeouts: group("How long a provider may take, phase by phase.", timeoutsOptions),
  retries: group("How calls that failed are made again.", retriesOptions),
  health: group("When a target is left alone because its calls fail.", healthOptions),
  idempotency: group("Requests that carry an `Idempotency-Key`.", idempotencyOptions),
  cache: group("Answers that are kept for aliases with `cache`.", cacheOptions),
  providers: providersOption,
  models: modelsOption,
  prices: group("What calls cost, where the catalogue is not to be followed.", pricesOptions),
  telemetry: group("What the process tells its operator.", telemetryOptions),
};

export const configOptions: GroupNode = group("The configuration of Headgate.", sections);

/** A scalar that exists once, so that a variable or a flag can set it. */
export interface SettableOption {
  /** `server.port` */
  readonly path: string;
  readonly env: string;
  /** Long flag without dashes; `null`: none. */
  readonly flag: string | null;
  readonly option: ScalarNode;
}

/** Every scalar outside of dictionaries and lists, in order of declaration. */
export function settableOptions(): readonly SettableOption[] {
  return Object.entries(configOptions.fields).flatMap(([section, node]) => {
    if (node.node !== "group") return [];
    return Object.entries(node.fields).flatMap(([name, option]) => {
      if (option.node !== "scalar") return [];
      const path = `${section}.${name}`;
      return [{ path, env: option.env ?? variableName(path), flag: option.flag, option }];
    });
  });
}

/** The declaration at a path of the file, or `null` where nothing is declared. */
export function optionAt(path: readonly PropertyKey[]): OptionNode | null {
  let node: OptionNode | undefined = configOptions;
  for (const step of path) {
    if (node?.node === "group") node = node.fields[String(step)];
    else if (node?.node === "dictionary") node = node.value;
    else if (node?.node === "list") node = node.item;
    else return null;
  }
  return node ?? null;
}

/** `limits.bodyBytes` → `HEADGATE_LIMITS_BODY_BYTES` */
function variableName(path: string): string {
  return `HEADGATE_${path
    .replace(/([A-Z])/g, "_$1")
    .replace(".", "_")
    .toUpperCase()}`;
}
