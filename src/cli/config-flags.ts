/** The flags that the configuration declares, as the commands that read it offer them. */
import { configFlags } from "../config/flags.ts";
import type { ConfigFlagSet } from "./command.ts";

/** A flag whose value is not the command's own concern. */
export interface SharedFlag {
  /** In commander's notation. */
  readonly syntax: string;
  readonly doc: string;
  readonly choices: readonly string[];
}

const placeFlags = ["config", "dataDir"];

export function configFlagSet(set: ConfigFlagSet): readonly SharedFlag[] {
  if (set === "none") return [];
  return configFlags()
    .filter(({ attribute }) => set === "all" || placeFlags.includes(attribute))
    .map(({ flag, description, env, default: absent, choices }) => ({
      syntax: flag,
      doc: `${description} Variable ${env}. Default: ${absent}.`,
      choices,
    }));
}
