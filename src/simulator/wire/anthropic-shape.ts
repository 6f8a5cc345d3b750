/** The parts that a whole message and its stream have in common. */
import type { Tokens } from "../prices.ts";
import type { Finish } from "../script.ts";

export function inputUsage(tokens: Tokens): Readonly<Record<string, unknown>> {
  return {
    input_tokens: tokens.input,
    cache_creation_input_tokens: tokens.cacheWrite5m + tokens.cacheWrite1h,
    cache_read_input_tokens: tokens.cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: tokens.cacheWrite5m, ephemeral_1h_input_tokens: tokens.cacheWrite1h },
  };
}

export function outputUsage(tokens: Tokens): Readonly<Record<string, unknown>> {
  return {
    output_tokens: tokens.output + tokens.reasoning,
    output_tokens_details: { thinking_tokens: tokens.reasoning },
  };
}

export function stopReason(finish: Finish): string {
  switch (finish) {
    case "stop":
      return "end_turn";
    case "length":
      return "max_tokens";
    case "tool_calls":
      return "tool_use";
    case "content_filter":
      return "refusal";
  }
}
