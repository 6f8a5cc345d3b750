import { readVersion } from "../version.ts";
import type { Invocation } from "../command.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";

export async function run({ output, context }: Invocation<unknown>): Promise<ExitCode> {
  const version = readVersion();
  const { node, platform } = context.runtime;
  output.result({ version, node, platform }, () => `headgate ${version} (Node.js ${node}, ${platform})\n`);
  return exitCodes.ok;
}
