import type { CommandNode, TreeNode } from "../command.ts";
import { configFlagSet, type SharedFlag } from "../config-flags.ts";
import { exitCodeMeanings } from "../exit-codes.ts";
import { globalFlags } from "../program.ts";
import { commandTree } from "../tree/tree.ts";

/** `docs/reference/cli.md`, from the declared commands. */
export function renderCliReference(): string {
  const codes = Object.entries(exitCodeMeanings).map(([code, meaning]) => `| ${code} | ${meaning} |\n`);
  return `# Command line

<!-- Generated from src/cli by \`npm run generate\`. -->

\`headgate <command> [options]\`. Results go to stdout, everything else to stderr. \`--help\` with any command shows its
options and examples; \`headgate completion <shell>\` prints a completion script.

With \`--json\` a command prints exactly one JSON document on stdout. Times in it are ISO 8601 in UTC, and money is
decimal text in dollars, so that no parser rounds it. A failure prints \`{"error":{"code","message","param"}}\` on
stderr; the codes are those of [errors](errors.md) and, for the command line alone, \`invalid_configuration\` (with
\`problems\`), \`port_in_use\`, \`file_exists\`, \`file_unusable\` and \`interrupted\`.

## Exit codes

| code | meaning |
| --- | --- |
${codes.join("")}
## Options of every command

${renderFlags(globalFlags)}
## Options of the configuration

Commands that read the whole configuration take these. Those that only need the store take \`--config\` and
\`--data-dir\`.

${renderFlags(configFlagSet("all"))}
${commandTree.map((node) => renderNode(node, node.name)).join("\n")}`;
}

function renderNode(node: TreeNode, path: string): string {
  const own = node.kind === "command" ? [renderCommand(node, path)] : [];
  return [...own, ...node.commands.map((child) => renderNode(child, `${path} ${child.name}`))].join("\n");
}

function renderCommand(node: CommandNode, path: string): string {
  const parameters = Object.values(node.parameters);
  const positional = parameters.filter(({ syntax }) => !syntax.startsWith("-")).map(({ syntax }) => ` ${syntax}`);
  const options = parameters.filter(({ syntax }) => syntax.startsWith("-"));
  const shared = {
    none: "",
    place: "Also `--config` and `--data-dir`.\n\n",
    all: "Also the options of the configuration.\n\n",
  };
  const examples = node.examples.map(({ line, what }) => `# ${what}\nheadgate ${line}\n`);
  return `## headgate ${path}

\`headgate ${path}${positional.join("")}${parameters.length > positional.length ? " [options]" : ""}\`

${node.purpose}${node.details === undefined ? "" : `\n\n${node.details}`}

${parameters.length === 0 ? "" : `${renderFlags([...parameters.filter(({ syntax }) => !syntax.startsWith("-")), ...options])}\n`}${shared[node.configFlags]}\`\`\`sh
${examples.join("")}\`\`\`

With \`--json\`: ${node.json}
`;
}

function renderFlags(flags: readonly Pick<SharedFlag, "syntax" | "doc">[]): string {
  const rows = flags.map(({ syntax, doc }) => `| \`${inCell(syntax)}\` | ${inCell(doc)} |\n`);
  return `| option | meaning |\n| --- | --- |\n${rows.join("")}`;
}

function inCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
