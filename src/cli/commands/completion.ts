import type { Invocation } from "../command.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { renderBashCompletion } from "../shell/bash-completion.ts";
import { type ListedCommand, listCommands } from "../shell/command-list.ts";
import { renderFishCompletion } from "../shell/fish-completion.ts";
import { renderZshCompletion } from "../shell/zsh-completion.ts";

export interface CompletionOptions {
  readonly shell: "bash" | "zsh" | "fish" | null;
}

const renderers: Readonly<Record<"bash" | "zsh" | "fish", (commands: readonly ListedCommand[]) => string>> = {
  bash: renderBashCompletion,
  zsh: renderZshCompletion,
  fish: renderFishCompletion,
};

export async function run({ options, output, tree }: Invocation<CompletionOptions>): Promise<ExitCode> {
  const shell = options.shell ?? "bash";
  const script = renderers[shell](listCommands(tree));
  output.result({ shell, script }, () => script);
  return exitCodes.ok;
}
