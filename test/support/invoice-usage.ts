import { emptyUsage, type Usage } from "../../src/kernel/usage.ts";
import type { Tokens } from "../../src/simulator/prices.ts";

/** What a line of the simulator's invoice says was used, in the ledger's buckets. */
export function usageOfLine(line: Tokens): Usage {
  return {
    ...emptyUsage(),
    inputTokens: line.input,
    cacheReadTokens: line.cacheRead,
    cacheWrite5mTokens: line.cacheWrite5m,
    cacheWrite1hTokens: line.cacheWrite1h,
    outputTokens: line.output,
    reasoningTokens: line.reasoning,
  };
}
