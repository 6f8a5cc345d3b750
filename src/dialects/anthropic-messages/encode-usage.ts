import type { UsageCount } from "../dialect.ts";
import { totalInputTokens, totalOutputTokens, type Usage } from "../../kernel/usage.ts";

/**
 * Usage as the Messages API tells it. Its shape has counts in every message, and its SDKs read them unasked: where the
 * provider reported none, they are the gateway's own.
 */
export function encodeUsage(reported: Usage | null, count: UsageCount | undefined): object {
  const usage = reported ?? count?.countUsage() ?? null;
  return usage === null ? unknownUsage : encodeBuckets(usage);
}

/** Where nothing is known, or not yet. */
export const unknownUsage: object = { input_tokens: 0, output_tokens: 0 };

/**
 * The buckets as the Messages API tells them (`Usage` in anthropic-sdk-typescript, resources/messages/messages.ts):
 * `input_tokens` without both cache classes, `output_tokens` with thinking. Text, images and audio are one class of input.
 */
function encodeBuckets(usage: Usage): object {
  const cacheRead = usage.cacheReadTokens;
  const cacheWrite = usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  return {
    input_tokens: totalInputTokens(usage) - cacheRead - cacheWrite,
    cache_creation_input_tokens: cacheWrite,
    cache_read_input_tokens: cacheRead,
    cache_creation: {
      ephemeral_5m_input_tokens: usage.cacheWrite5mTokens,
      ephemeral_1h_input_tokens: usage.cacheWrite1hTokens,
    },
    output_tokens: totalOutputTokens(usage),
    output_tokens_details: { thinking_tokens: usage.reasoningTokens },
    ...(usage.searchUnits === 0 ? {} : { server_tool_use: { web_search_requests: usage.searchUnits } }),
  };
}
