/**
 * Values from environment variables and flags, which win over the file. Both are declared with the option; flags win
 * over variables.
 */
import { nearest } from "../kernel/nearest.ts";
import { mismatch } from "./file/issues.ts";
import type { ConfigProblem } from "./file/problem.ts";
import type { ScalarNode } from "./options/option.ts";
import { settableOptions } from "./options/options.ts";
import { schemaOf, secretPattern } from "./options/schema.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Override {
  /** `server.port` */
  readonly path: string;
  readonly value: unknown;
  /** `HEADGATE_PORT`, `--port` */
  readonly origin: string;
}

export interface Overrides {
  readonly values: readonly Override[];
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

/** The variable that names the file, besides those of the options. */
export const CONFIG_VARIABLE = "HEADGATE_CONFIG";

/** `flags` by their name in camel case, as a command line parser gives them: `dataDir` for `--data-dir`. */
export function readOverrides(env: Environment, flags: Readonly<Record<string, unknown>>): Overrides {
  const values: Override[] = [];
  const problems: ConfigProblem[] = [];
  const warnings = misspelled(env);
  for (const { path, env: variable, flag, option } of settableOptions()) {
    const fromEnv = env[variable];
    if (fromEnv !== undefined && /^(tcp|udp|sctp):\/\//.test(fromEnv)) warnings.push(serviceLink(variable, path));
    else take(fromEnv, variable, path, option);
    const fromFlag = flag === null ? undefined : flags[flagAttribute(flag)];
    take(
      typeof fromFlag === "string" || typeof fromFlag === "number" ? String(fromFlag) : undefined,
      `--${flag}`,
      path,
      option,
    );
  }
  return { values, problems, warnings };

  function take(text: string | undefined, origin: string, path: string, option: ScalarNode): void {
    if (text === undefined || text === "") return;
    const written = fromText(text, origin, option);
    const parsed = schemaOf(option).safeParse(written);
    if (parsed.success) values.push({ path, value: parsed.data, origin });
    else problems.push(complaint(origin, path, mismatch(option, written), null));
  }
}

/** `data-dir` → `dataDir` */
export function flagAttribute(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A variable for a secret holds a reference, as the file does, or the secret itself. */
function fromText(text: string, origin: string, option: ScalarNode): unknown {
  if (option.type === "secret" && !secretPattern.test(text)) return `env:${origin}`;
  const isNumeric = ["integer", "number", "duration", "size"].includes(option.type);
  return isNumeric && /^-?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : text;
}

/** Kubernetes sets `HEADGATE_PORT=tcp://…` in every pod beside a service called `headgate`. */
function serviceLink(variable: string, path: string): ConfigProblem {
  return complaint(
    variable,
    path,
    "is not set by it: the value is an address that Kubernetes puts there for a service called headgate",
    "Set `enableServiceLinks: false` in the pod, or use the flag or the file.",
  );
}

function misspelled(env: Environment): ConfigProblem[] {
  const known = [CONFIG_VARIABLE, ...settableOptions().map((settable) => settable.env)];
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith("HEADGATE_") || known.includes(name) || /^HEADGATE_(SERVICE|PORT)_/.test(name)) return [];
    const near = nearest(
      name.slice("HEADGATE_".length),
      known.map((variable) => variable.slice("HEADGATE_".length)),
      1,
    )[0];
    return near === undefined
      ? []
      : [complaint(name, "", "the variable is not known and sets nothing", `Did you mean HEADGATE_${near}?`)];
  });
}

function complaint(source: string, path: string, message: string, suggestion: string | null): ConfigProblem {
  return { source, path, line: null, column: null, message, suggestion };
}
