import type { LoadedConfig } from "../../config/check.ts";
import { renderProblem } from "../../config/file/problem.ts";
import { type Finding, ok, warn } from "./finding.ts";

/** Of a configuration that was accepted; a refused one ends the doctor before any check. */
export function checkConfiguration({ file, config, warnings }: LoadedConfig): readonly Finding[] {
  const check = "configuration";
  const names = Object.keys(config.providers);
  const from = file ?? "no file, defaults and environment";
  const main =
    names.length > 0
      ? ok(check, `${from}; providers: ${names.join(", ")}`)
      : warn(
          check,
          `${from}; no provider is configured, so a local Ollama or the simulator will answer`,
          "Set a provider's key in the environment, or write headgate.yaml with `headgate init`.",
        );
  const told = warnings.map((warning) => warn(check, renderProblem(warning), "Correct it, or live with it knowingly."));
  return [main, ...told];
}
