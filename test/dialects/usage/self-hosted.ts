import type { RecordedProvider } from "./recorded.ts";

const plainUsage = {
  wire: { prompt_tokens: 16, completion_tokens: 24, total_tokens: 40 },
  buckets: { inputTokens: 16, outputTokens: 24 },
} as const;

const cachedUsage = {
  wire: { prompt_tokens: 42, completion_tokens: 128, total_tokens: 170, prompt_tokens_details: { cached_tokens: 20 } },
  buckets: { inputTokens: 22, cacheReadTokens: 20, outputTokens: 128 },
} as const;

export const selfHosted: readonly RecordedProvider[] = [
  {
    provider: "ollama",
    source: "recorded answers; https://docs.ollama.com/api/openai-compatibility",
    stream: "last",
    plain: plainUsage,
    cached: null,
  },
  {
    provider: "vllm",
    source: "vllm, UsageInfo in entrypoints/openai/protocol.py",
    stream: "last",
    plain: {
      wire: { prompt_tokens: 9, total_tokens: 26, completion_tokens: 17, prompt_tokens_details: null },
      buckets: { inputTokens: 9, outputTokens: 17 },
    },
    cached: cachedUsage,
  },
  {
    provider: "lm-studio",
    source: "recorded answers of LM Studio",
    stream: "last",
    plain: {
      wire: {
        prompt_tokens: 17,
        completion_tokens: 287,
        total_tokens: 304,
        completion_tokens_details: { reasoning_tokens: 274 },
      },
      buckets: { inputTokens: 17, outputTokens: 13, reasoningTokens: 274 },
    },
    cached: null,
  },
  {
    provider: "llama-cpp",
    source: "recorded answers of llama.cpp's server",
    stream: "last",
    plain: {
      wire: { completion_tokens: 326, prompt_tokens: 14, total_tokens: 340 },
      buckets: { inputTokens: 14, outputTokens: 326 },
    },
    cached: {
      wire: {
        completion_tokens: 1502,
        prompt_tokens: 617,
        total_tokens: 2119,
        prompt_tokens_details: { cached_tokens: 600 },
      },
      buckets: { inputTokens: 17, cacheReadTokens: 600, outputTokens: 1502 },
    },
  },
  {
    provider: "openai-compatible",
    source: "OpenAI's shape, in part or in whole",
    stream: "last",
    plain: plainUsage,
    cached: cachedUsage,
    others: [
      { wire: { total_tokens: 106 }, buckets: { inputTokens: 106 }, onlyInTotal: true },
      {
        wire: { prompt_tokens: 12, total_tokens: 30 },
        buckets: { inputTokens: 12, outputTokens: 18 },
        onlyInTotal: true,
      },
    ],
  },
  {
    provider: "simulator",
    source: "src/simulator/wire/openai.ts",
    stream: "last",
    plain: plainUsage,
    cached: {
      wire: {
        prompt_tokens: 50,
        completion_tokens: 12,
        total_tokens: 62,
        prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 8 },
        completion_tokens_details: { reasoning_tokens: 5 },
      },
      buckets: {
        inputTokens: 12,
        cacheReadTokens: 30,
        cacheWrite5mTokens: 8,
        outputTokens: 7,
        reasoningTokens: 5,
      },
    },
  },
];
