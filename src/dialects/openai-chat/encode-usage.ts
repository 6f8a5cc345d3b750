import { totalInputTokens, totalOutputTokens, type Usage } from "../../kernel/usage.ts";

/** The buckets as OpenAI tells them (openai-node, `CompletionUsage`): details are parts of the totals. */
export function encodeUsage(usage: Usage): object {
  const input = totalInputTokens(usage);
  const output = totalOutputTokens(usage);
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: {
      cached_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWrite5mTokens + usage.cacheWrite1hTokens,
      audio_tokens: usage.audioInputTokens,
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: usage.audioOutputTokens,
    },
  };
}
