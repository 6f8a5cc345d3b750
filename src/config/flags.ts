import { expectation } from "./options/expectation.ts";
import type { ScalarType } from "./options/option.ts";
import { settableOptions } from "./options/options.ts";
import { CONFIG_VARIABLE, flagAttribute } from "./overrides.ts";

/** An option as the command line offers it. The loader reads and checks the value: declare every flag as text. */
export interface FlagDeclaration {
  /** With dashes and placeholder: `--port <number>`. */
  readonly flag: string;
  /** The name under which the parser must hand it to the loader: `dataDir`. */
  readonly attribute: string;
  /** The environment variable of the same meaning. */
  readonly env: string;
  /** `server.port`; `null` for `--config`, which no file can set. */
  readonly path: string | null;
  readonly description: string;
  /** As shown in help; not to be passed as a value, or the file could never win. */
  readonly default: string;
  readonly kind: ScalarType;
  /** Empty unless `kind` is `choice`. */
  readonly choices: readonly string[];
}

export function configFlags(): readonly FlagDeclaration[] {
  const options = settableOptions().flatMap(({ path, env, flag, option }): FlagDeclaration[] => {
    if (flag === null) return [];
    const placeholder =
      option.type === "integer" ? "number" : option.type === "choice" ? option.choices.join("|") : flag;
    const range = option.type === "integer" ? ` Must be ${expectation(option)}.` : "";
    return [
      {
        flag: `--${flag} <${placeholder}>`,
        attribute: flagAttribute(flag),
        env,
        path,
        description: option.doc.replaceAll("`", "") + (option.zero === null ? "" : ` 0: ${option.zero}.`) + range,
        default: String(option.default),
        kind: option.type,
        choices: option.choices,
      },
    ];
  });
  return [configFlag, ...options];
}

const configFlag: FlagDeclaration = {
  flag: "--config <file>",
  attribute: "config",
  env: CONFIG_VARIABLE,
  path: null,
  description: "The configuration file, YAML or JSON.",
  default: "headgate.yaml in the working directory, if there is one",
  kind: "text",
  choices: [],
};
