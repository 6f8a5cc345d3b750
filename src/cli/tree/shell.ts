/** The commands about the program itself. */
import { command, type CommandNode, type Parameter } from "../command.ts";
import type { CompletionOptions } from "../commands/completion.ts";
import type { HelpOptions } from "../commands/help.ts";
import { choice } from "../parameters.ts";

export const completionCommand: CommandNode = command<CompletionOptions>({
  name: "completion",
  purpose: "Print a script that makes a shell complete headgate's commands and options.",
  parameters: {
    shell: { ...choice("<shell>", "The shell: bash, zsh or fish.", ["bash", "zsh", "fish"]), required: true },
  },
  configFlags: "none",
  examples: [
    { line: "completion bash >> ~/.bashrc", what: "Complete in every new bash" },
    { line: 'completion zsh > "${fpath[1]}/_headgate"', what: "The same for zsh" },
    { line: "completion fish > ~/.config/fish/completions/headgate.fish", what: "The same for fish" },
  ],
  json: "`shell` and `script`.",
  load: async () => (await import("../commands/completion.ts")).run,
});

export const versionCommand: CommandNode = command<Readonly<Record<never, never>>>({
  name: "version",
  purpose: "Print the version of headgate and of the Node.js it runs on.",
  parameters: {},
  configFlags: "none",
  examples: [
    { line: "version", what: "For a person" },
    { line: "version --json", what: "For a script" },
  ],
  json: "`version`, `node` and `platform`.",
  load: async () => (await import("../commands/version.ts")).run,
});

const topic: Parameter<readonly string[]> = {
  syntax: "[topic...]",
  doc: "A command, such as `key create`, or `exit-codes`. Default: all commands.",
  absent: [],
  take: (text, previous) => [...previous, text],
  expected: "a command or exit-codes",
  choices: ["exit-codes"],
  required: false,
};

export const helpCommand: CommandNode = command<HelpOptions>({
  name: "help",
  purpose: "Show what a command does and how it is used.",
  parameters: { topic },
  configFlags: "none",
  examples: [
    { line: "help key create", what: "Options and examples of a command" },
    { line: "help exit-codes", what: "What the exit codes mean" },
  ],
  json: "`topic` and `text`; for exit-codes `exitCodes`, each with `code` and `meaning`.",
  load: async () => (await import("../commands/help.ts")).run,
});
