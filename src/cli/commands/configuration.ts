import { type ConfigProblem, renderProblem } from "../../config/file/problem.ts";
import { loadConfig } from "../../config/load.ts";
import { effectiveValues, renderEffectiveConfig } from "../../config/render/effective.ts";
import { renderConfigSchema } from "../../config/render/json-schema.ts";
import type { Invocation } from "../command.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { loadOptionsOf, loadSettings, noteWarnings } from "../workspace.ts";

export interface ConfigCheckOptions {
  readonly file: string | null;
}

export async function check(invocation: Invocation<ConfigCheckOptions>): Promise<ExitCode> {
  const { options, output } = invocation;
  const load = loadOptionsOf(invocation);
  const named = options.file === null ? load : { ...load, flags: { ...load.flags, config: options.file } };
  const result = loadConfig(named);
  if (!result.ok) {
    const { problems } = result;
    output.result({ ok: false, file: null, problems, warnings: [] }, () => renderList(problems));
    output.note(problems.length === 1 ? "One problem." : `${problems.length} problems.`);
    return exitCodes.configuration;
  }
  const { file, warnings, config } = result.loaded;
  const found = `${Object.keys(config.providers).length} providers, ${Object.keys(config.models).length} aliases`;
  output.result({ ok: true, file, problems: [], warnings }, () => {
    const what = file ?? "There is no configuration file; defaults and environment";
    return `${renderList(warnings, "warning: ")}${what}: no problems (${found}).\n`;
  });
  return exitCodes.ok;
}

export async function print(invocation: Invocation<unknown>): Promise<ExitCode> {
  const loaded = loadSettings(invocation);
  noteWarnings(invocation, loaded);
  const document = { file: loaded.file, values: effectiveValues(loaded) };
  invocation.output.result(document, () => renderEffectiveConfig(loaded));
  return exitCodes.ok;
}

export async function schema({ output }: Invocation<unknown>): Promise<ExitCode> {
  const text = renderConfigSchema();
  output.result(JSON.parse(text) as unknown, () => text);
  return exitCodes.ok;
}

function renderList(problems: readonly ConfigProblem[], mark = ""): string {
  return problems.map((problem) => `${mark}${renderProblem(problem)}\n`).join("");
}
