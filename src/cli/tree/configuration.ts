/** Looking at the configuration without starting anything. */
import { command, group, type GroupNode } from "../command.ts";
import type { ConfigCheckOptions } from "../commands/configuration.ts";
import { optionalText } from "../parameters.ts";

type NoOptions = Readonly<Record<never, never>>;

export const configGroup: GroupNode = group("config", "Check and show the configuration.", [
  command<ConfigCheckOptions>({
    name: "check",
    purpose: "Check the configuration as a whole and list every problem with its place.",
    parameters: { file: optionalText("[file]", "The file to check. Default: the one that serve would read.") },
    configFlags: "all",
    examples: [
      { line: "config check", what: "What serve would start with here" },
      { line: "config check staging.yaml", what: "Another file" },
      { line: "config check --json", what: "Problems as JSON, with line and column" },
    ],
    json: "`ok`, `file`, `problems` and `warnings`, each with `source`, `path`, `line`, `column`, `message` and `suggestion`.",
    load: async () => (await import("../commands/configuration.ts")).check,
  }),
  command<NoOptions>({
    name: "print",
    purpose: "Print every value in force and where it came from; secrets are not shown.",
    parameters: {},
    configFlags: "all",
    examples: [
      { line: "config print", what: "One line a value" },
      { line: "config print --config staging.yaml --json", what: "Of another file, as JSON" },
    ],
    json: "`file` and `values`, each with `path`, `value` and `origin`.",
    load: async () => (await import("../commands/configuration.ts")).print,
  }),
  command<NoOptions>({
    name: "schema",
    purpose: "Print the JSON Schema of headgate.yaml, for editors.",
    parameters: {},
    configFlags: "none",
    examples: [
      { line: "config schema > headgate.schema.json", what: "A file for an editor" },
      { line: "config schema --json", what: "The same: it is JSON anyway" },
    ],
    json: "The JSON Schema itself.",
    load: async () => (await import("../commands/configuration.ts")).schema,
  }),
]);
