import type { Command } from "commander";
import { HeadgateError } from "../../kernel/errors.ts";
import { nearest } from "../../kernel/nearest.ts";
import { readVersion } from "../version.ts";
import type { Invocation } from "../command.ts";
import { type ExitCode, exitCodeMeanings, exitCodes } from "../exit-codes.ts";
import { createProgram } from "../program.ts";
import { renderTable } from "../table.ts";

export interface HelpOptions {
  readonly topic: readonly string[];
}

const exitCodesTopic = "exit-codes";

export async function run({ options, output, tree }: Invocation<HelpOptions>): Promise<ExitCode> {
  if (options.topic.join(" ") === exitCodesTopic) {
    const rows = Object.entries(exitCodeMeanings).map(([code, meaning]) => ({ code: Number(code), meaning }));
    const columns = [
      { title: "code", cell: ({ code }: { code: number }) => String(code), align: "right" as const },
      { title: "meaning", cell: ({ meaning }: { meaning: string }) => meaning },
    ];
    output.result({ exitCodes: rows }, () => renderTable(rows, columns));
    return exitCodes.ok;
  }
  let text = "";
  const program = createProgram({
    tree,
    version: readVersion(),
    writeOut: (part) => {
      text += part;
    },
    onParsed: () => {},
  });
  findTopic(program, options.topic).outputHelp();
  output.result({ topic: options.topic.join(" "), text }, () => text);
  return exitCodes.ok;
}

function findTopic(program: Command, words: readonly string[]): Command {
  return words.reduce((parent, word) => {
    const found = parent.commands.find((command) => command.name() === word);
    if (found !== undefined) return found;
    const names = parent.commands.map((command) => command.name());
    const near = nearest(word, parent === program ? [...names, exitCodesTopic] : names, 1);
    const hint = near.length > 0 ? ` Did you mean "${near.join()}"?` : " `headgate help` lists the commands.";
    throw new HeadgateError("invalid_argument", `There is no help on "${words.join(" ")}".${hint}`, { param: "topic" });
  }, program);
}
