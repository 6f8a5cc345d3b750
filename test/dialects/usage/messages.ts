import type { Usage } from "../../../src/kernel/usage.ts";

/** Usage of the Messages API: in a whole answer, and as a stream reports it at its beginning and end. */
export interface RecordedMessage {
  readonly what: string;
  readonly whole: Readonly<Record<string, unknown>>;
  readonly start: Readonly<Record<string, unknown>>;
  readonly delta: Readonly<Record<string, unknown>>;
  readonly buckets: Partial<Usage>;
}

/**
 * Sources: anthropic-sdk-typescript, `Usage` and `MessageDeltaUsage`; https://platform.claude.com/docs/en/build-with-claude/prompt-caching;
 * recorded answers.
 */
export const messages: readonly RecordedMessage[] = [
  {
    what: "without caching",
    whole: {
      cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: 0 },
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      input_tokens: 744,
      output_tokens: 53,
      service_tier: "standard",
    },
    start: {
      input_tokens: 744,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      output_tokens: 1,
      service_tier: "standard",
    },
    delta: { input_tokens: 744, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 53 },
    buckets: { inputTokens: 744, outputTokens: 53 },
  },
  {
    what: "with a cache read and both classes of writes, thinking and a search",
    whole: {
      input_tokens: 21,
      cache_creation_input_tokens: 700,
      cache_read_input_tokens: 188_086,
      cache_creation: { ephemeral_5m_input_tokens: 456, ephemeral_1h_input_tokens: 244 },
      output_tokens: 393,
      output_tokens_details: { thinking_tokens: 120 },
      server_tool_use: { web_search_requests: 1 },
      service_tier: "standard",
    },
    start: {
      input_tokens: 21,
      cache_creation_input_tokens: 700,
      cache_read_input_tokens: 188_086,
      cache_creation: { ephemeral_5m_input_tokens: 456, ephemeral_1h_input_tokens: 244 },
      output_tokens: 2,
      service_tier: "standard",
    },
    delta: {
      output_tokens: 393,
      output_tokens_details: { thinking_tokens: 120 },
      server_tool_use: { web_search_requests: 1 },
    },
    buckets: {
      inputTokens: 21,
      cacheReadTokens: 188_086,
      cacheWrite5mTokens: 456,
      cacheWrite1hTokens: 244,
      outputTokens: 273,
      reasoningTokens: 120,
      searchUnits: 1,
    },
  },
];
