/** The tree as completion and reference read it: one entry for each command and group, in order. */
import type { TreeNode } from "../command.ts";
import { configFlagSet } from "../config-flags.ts";
import { globalFlags } from "../program.ts";

export interface ListedCommand {
  /** `key create`; empty for the program itself. */
  readonly path: string;
  readonly purpose: string;
  /** Names that may follow: commands of a group, words an argument is chosen from. */
  readonly words: readonly ListedWord[];
  readonly flags: readonly ListedFlag[];
}

export interface ListedWord {
  readonly name: string;
  readonly purpose: string;
}

export interface ListedFlag {
  /** Without dashes. */
  readonly name: string;
  /** One sentence. */
  readonly purpose: string;
  /** `null`: it is on or off. */
  readonly value: "file" | "folder" | "text" | null;
  readonly choices: readonly string[];
}

export function listCommands(tree: readonly TreeNode[]): readonly ListedCommand[] {
  const root = { path: "", purpose: "", words: tree.map(toWord), flags: [helpFlag] };
  return [root, ...tree.flatMap((node) => listNode(node, node.name))];
}

const helpFlag: ListedFlag = { name: "help", purpose: "Show help.", value: null, choices: [] };

function listNode(node: TreeNode, path: string): readonly ListedCommand[] {
  if (node.kind === "group") {
    const entry = { path, purpose: node.purpose, words: node.commands.map(toWord), flags: [helpFlag] };
    return [entry, ...node.commands.flatMap((child) => listNode(child, `${path} ${child.name}`))];
  }
  const parameters = Object.values(node.parameters);
  const positional = parameters.filter(({ syntax }) => !syntax.startsWith("-"));
  const chosen = positional.flatMap(({ choices }) => choices.map((name) => ({ name, purpose: "" })));
  const words = [...node.commands.map(toWord), ...chosen];
  const options = parameters.filter(({ syntax }) => syntax.startsWith("-"));
  const flags = [...options, ...configFlagSet(node.configFlags), ...globalFlags].map(toFlag);
  const entry = { path, purpose: node.purpose, words, flags: [...flags, helpFlag] };
  return [entry, ...node.commands.flatMap((child) => listNode(child, `${path} ${child.name}`))];
}

function toWord({ name, purpose }: TreeNode): ListedWord {
  return { name, purpose };
}

function toFlag({ syntax, doc, choices }: { syntax: string; doc: string; choices: readonly string[] }): ListedFlag {
  const [, name = "", value] = /^--([\w-]+)(?: <(.+)>)?/.exec(syntax) ?? [];
  const purpose = /^.+?\.(?=\s|$)/.exec(doc)?.[0] ?? doc;
  const kind = name === "data-dir" ? "folder" : value === "file" ? "file" : "text";
  return { name, purpose, value: value === undefined ? null : kind, choices };
}
