/**
 * What most commands begin with: the configuration, and the store it names. Both are opened for one command and
 * closed with it.
 */
import type { Kysely } from "kysely";
import type { LoadedConfig } from "../config/check.ts";
import { renderProblem, renderProblems } from "../config/file/problem.ts";
import { loadConfig, type LoadOptions } from "../config/load.ts";
import type { StorageConfig } from "../config/config.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { createIdSource } from "../kernel/ids.ts";
import { providerSpecs } from "../providers/catalogue.ts";
import type { Database } from "../storage/schema.ts";
import { storeExists } from "../storage/sqlite/store-file.ts";
import { databaseOptionsOf, openDatabase } from "../storage/storage.ts";
import type { TenancyDeps } from "../tenancy/tenancy.ts";
import type { Invocation } from "./command.ts";
import { CliFailure } from "./failure.ts";

/** The store, as the operations on tenants, projects and keys want it. */
export interface Records extends TenancyDeps, AsyncDisposable {
  readonly db: Kysely<Database>;
}

export function loadOptionsOf({ context, configFlags }: Invocation<unknown>): LoadOptions {
  return {
    env: context.env,
    flags: configFlags,
    workingDirectory: context.cwd,
    knownProviders: providerSpecs,
  };
}

/**
 * For commands that call nobody: keys of providers that this shell lacks are no problem. Throws `invalid_configuration`
 * with every problem in its message.
 */
export function loadSettings(invocation: Invocation<unknown>): LoadedConfig {
  return load({ ...loadOptionsOf(invocation), keys: "absent" });
}

/** For commands that serve or call providers: with every key. Throws the same. */
export function loadSettingsWithKeys(invocation: Invocation<unknown>): LoadedConfig {
  return load(loadOptionsOf(invocation));
}

function load(options: LoadOptions): LoadedConfig {
  const check = loadConfig(options);
  if (check.ok) return check.loaded;
  const { problems } = check;
  const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
  const message = `The configuration has ${count}.\n${renderProblems(problems)}`;
  throw new CliFailure("invalid_configuration", message, { problems });
}

export function noteWarnings(invocation: Invocation<unknown>, loaded: LoadedConfig): void {
  for (const warning of loaded.warnings) invocation.output.note(`warning: ${renderProblem(warning)}`);
}

/** For commands that change something: the store is made if it is not there. */
export function openRecords(invocation: Invocation<unknown>): Records {
  return open(invocation, loadSettings(invocation).config.storage);
}

/** For commands that only read: a store that is not there is `not_found`, not made. */
export function openExistingRecords(invocation: Invocation<unknown>): Records {
  const { storage } = loadSettings(invocation).config;
  if (storage.postgres !== null || storeExists(storage.dataDir)) return open(invocation, storage);
  throw new HeadgateError(
    "not_found",
    `There is no store in ${storage.dataDir}. Start the gateway once with \`headgate serve\`, or name the right folder with --data-dir.`,
    { param: "--data-dir" },
  );
}

function open({ context }: Invocation<unknown>, storage: StorageConfig): Records {
  const { clock, randomFill } = context;
  const db = openDatabase(databaseOptionsOf(storage));
  return {
    db,
    clock,
    randomFill,
    ids: createIdSource(randomFill, () => clock.wallMs()),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}
