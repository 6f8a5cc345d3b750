import { simulatedModels } from "../../simulator/prices.ts";
import { ScriptError } from "../../simulator/script.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { Invocation } from "../command.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { explainListenError } from "../serve/listening.ts";
import { awaitStop } from "../serve/stopping.ts";

export interface SimOptions {
  readonly port: number;
  readonly host: string;
  readonly seed: number;
  readonly script: string | null;
}

export async function run({ context, options, output }: Invocation<SimOptions>): Promise<ExitCode> {
  const { host, port, seed, script } = options;
  using stop = awaitStop(context);
  const simulator = await startSimulator(context, { host, port, seed, defaultScript: script ?? "" }).catch(
    (error: unknown) => {
      if (error instanceof ScriptError) {
        throw new HeadgateError("invalid_argument", `--script: ${error.message}`, { param: "--script", cause: error });
      }
      throw explainListenError(error, host, port, "Choose another with --port; 0 takes any free one.");
    },
  );
  await using _ = simulator;
  const baseUrl = `${simulator.url}/v1`;
  output.ready({ url: simulator.url, baseUrl, seed, models: simulatedModels }, () => welcome(baseUrl));
  const reason = await stop.first;
  if (reason.kind === "unhandled") throw reason.error;
  return exitCodes.ok;
}

function welcome(baseUrl: string): string {
  return `The simulator listens at ${baseUrl} and answers as ${simulatedModels.join(", ")}. Any API key will do.

Try it:
  curl -N ${baseUrl}/chat/completions -H "authorization: Bearer sim" -H "content-type: application/json" \\
    -d '{"model":"sim-chat","stream":true,"messages":[{"role":"user","content":"Say hello"}]}'

Point a gateway at it, in headgate.yaml:
  providers:
    simulator:
      baseUrl: ${baseUrl}

Its invoice is at ${baseUrl.replace(/\/v1$/, "")}/sim/invoice, its faults are listed at /sim/faults. Ctrl-C stops it.
`;
}
