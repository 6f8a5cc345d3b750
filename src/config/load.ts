import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { checkConfig, type ConfigCheck, type ConfigInput } from "./check.ts";
import type { ConfigProblem } from "./file/problem.ts";
import { CONFIG_VARIABLE } from "./overrides.ts";

const CONFIG_FILE_NAME = "headgate.yaml";

/** Everything but the file's text. The flag `config` names the file. */
export type LoadOptions = Omit<ConfigInput, "file">;

export interface ConfigLocation {
  /** Absolute. */
  readonly path: string;
  /** Whether somebody named it, so that it must be there: `--config`, `HEADGATE_CONFIG`. */
  readonly namedBy: string | null;
}

/** `--config`, else `HEADGATE_CONFIG`, else `headgate.yaml` in the working directory, which need not exist. */
export function locateConfig(options: LoadOptions): ConfigLocation {
  const flag = options.flags["config"];
  if (typeof flag === "string" && flag !== "")
    return { path: resolve(options.workingDirectory, flag), namedBy: "--config" };
  const variable = options.env[CONFIG_VARIABLE] ?? "";
  if (variable !== "") return { path: resolve(options.workingDirectory, variable), namedBy: CONFIG_VARIABLE };
  return { path: resolve(options.workingDirectory, CONFIG_FILE_NAME), namedBy: null };
}

/**
 * Reads the file, if there is one, and checks it with everything else. Reads synchronously: a start has nothing else
 * to do, and a reload must not see a file half of one version and half of another.
 */
export function loadConfig(options: LoadOptions): ConfigCheck {
  const location = locateConfig(options);
  const name = shownPath(location.path, options.workingDirectory);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(location.path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unknown reason";
    if (reason === "ENOENT" && location.namedBy === null) return checkConfig({ ...options, file: null });
    const suggestion =
      location.namedBy === null ? null : `Correct ${location.namedBy}, or create the file with \`headgate init\`.`;
    return { ok: false, problems: [fileProblem(name, `the file cannot be read (${reason})`, suggestion)] };
  }
  const text = decodeUtf8(bytes);
  if (text === null)
    return { ok: false, problems: [fileProblem(name, "the file is not UTF-8 text", "Save it as UTF-8.")] };
  return checkConfig({ ...options, file: { text, name, path: location.path } });
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Relative where that is shorter to read. */
function shownPath(path: string, workingDirectory: string): string {
  const short = relative(workingDirectory, path);
  return short === "" || short.startsWith("..") ? path : short;
}

function fileProblem(source: string, message: string, suggestion: string | null): ConfigProblem {
  return { source, path: "", line: null, column: null, message, suggestion };
}
