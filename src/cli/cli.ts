/**
 * The command line: takes arguments and a context, runs one command and gives the exit code. It never ends the
 * process and touches nothing outside the context, so a test runs any command in its own process.
 *
 * Only the declarations are loaded to understand a command line; the code of a command is loaded when it runs.
 */
import { CommanderError } from "commander";
import type { CliContext } from "./context.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { describeFailure, renderFailure, renderTrace } from "./failure.ts";
import { createOutput } from "./output.ts";
import { createProgram, type Parsed } from "./program.ts";
import { commandTree } from "./tree/tree.ts";
import { readVersion } from "./version.ts";

/** `args` without the program's own name. Writes every failure; throws nothing. */
export async function runCli(args: readonly string[], context: CliContext): Promise<ExitCode> {
  const json = args.includes("--json");
  try {
    const parsed = await parse(args, context);
    if (parsed === null) return exitCodes.ok;
    return await parsed.node.run({
      options: parsed.options,
      configFlags: parsed.configFlags,
      tree: commandTree,
      context,
      output: createOutput(context, json),
    });
  } catch (thrown) {
    const failure = describeFailure(thrown);
    context.stderr.write(renderFailure(failure, json));
    if (wantsTraces(args, context)) context.stderr.write(renderTrace(thrown));
    return failure.exitCode;
  }
}

/** `null` when the command line asked for help or the version, which is then written. */
async function parse(args: readonly string[], context: CliContext): Promise<Parsed | null> {
  let parsed: Parsed | null = null;
  const program = createProgram({
    tree: commandTree,
    version: readVersion(),
    writeOut: (text) => context.stdout.write(text),
    onParsed: (understood) => {
      parsed = understood;
    },
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError && thrown.exitCode === 0)) throw thrown;
  }
  return parsed;
}

function wantsTraces(args: readonly string[], context: CliContext): boolean {
  const variable = context.env["HEADGATE_DEBUG"] ?? "";
  return args.includes("--debug") || (variable !== "" && variable !== "0");
}
