import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { locateConfig } from "../../config/load.ts";
import { renderStarterConfig } from "../../config/render/starter.ts";
import { providerSpecs } from "../../providers/catalogue.ts";
import type { CliContext } from "../context.ts";
import type { Invocation } from "../command.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";
import { loadOptionsOf, loadSettings } from "../workspace.ts";

export interface InitOptions {
  readonly force: boolean;
}

export async function run(invocation: Invocation<InitOptions>): Promise<ExitCode> {
  const { context, options, output } = invocation;
  const { path: file } = locateConfig(loadOptionsOf(invocation));
  if (existsSync(file) && !options.force) {
    throw new CliFailure("file_exists", `${file} is there already. Change it, or replace it with --force.`, { file });
  }
  const providers = providersInEnvironment(context);
  write(file, renderStarterConfig({ schema: null, providers }));
  const { dataDir } = loadSettings(invocation).config.storage;
  makeFolder(dataDir);
  const names = providers.map(({ name }) => name);
  output.result({ file, dataDir, providers: names }, () => nextSteps(file, dataDir, names, context.cwd));
  return exitCodes.ok;
}

/** Providers of the catalogue whose key is set, each with the variable that holds it. */
function providersInEnvironment(context: CliContext): readonly { readonly name: string; readonly variable: string }[] {
  return providerSpecs.flatMap(({ id, baseUrl, environment }) => {
    const variable = environment.find((name) => (context.env[name] ?? "") !== "");
    return variable === undefined || baseUrl === null ? [] : [{ name: id, variable }];
  });
}

function nextSteps(file: string, dataDir: string, providers: readonly string[], cwd: string): string {
  const flags = file === resolve(cwd, "headgate.yaml") ? "" : ` --config ${file}`;
  const found =
    providers.length === 0
      ? "No provider's key is in the environment: until there is one, a simulator answers."
      : `Found keys of ${providers.join(", ")} in the environment.`;
  return `Wrote ${file}; records go to ${dataDir}. ${found}

Next:
  headgate config check${flags}    after each change
  headgate doctor${flags}          checks providers, store and port
  headgate serve${flags}           starts the gateway and prints the first API key
`;
}

function write(file: string, text: string): void {
  attempt(file, () => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  });
}

function makeFolder(path: string): void {
  attempt(path, () => mkdirSync(path, { recursive: true, mode: 0o700 }));
}

function attempt(path: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${path} cannot be written: ${reason}. Check that the folder belongs to you and has free space.`;
    throw new CliFailure("file_unusable", message, { file: path }, error);
  }
}
