import type { RecordedProvider } from "./recorded.ts";

export const vendors: readonly RecordedProvider[] = [
  {
    provider: "openai",
    source: "openai-node, CompletionUsage; https://platform.openai.com/docs/guides/prompt-caching",
    stream: "last",
    plain: {
      wire: {
        prompt_tokens: 19,
        completion_tokens: 10,
        total_tokens: 29,
        prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 0,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
      buckets: { inputTokens: 19, outputTokens: 10 },
    },
    cached: {
      wire: {
        prompt_tokens: 2006,
        completion_tokens: 300,
        total_tokens: 2306,
        prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 192, audio_tokens: 0 },
      },
      buckets: { inputTokens: 86, cacheReadTokens: 1920, outputTokens: 108, reasoningTokens: 192 },
    },
    others: [
      {
        wire: {
          prompt_tokens: 116,
          completion_tokens: 161,
          total_tokens: 277,
          prompt_tokens_details: { cached_tokens: 0, audio_tokens: 97, text_tokens: 19 },
          completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 128, text_tokens: 33 },
        },
        buckets: { inputTokens: 19, audioInputTokens: 97, outputTokens: 33, audioOutputTokens: 128 },
      },
      {
        wire: {
          prompt_tokens: 5200,
          completion_tokens: 40,
          total_tokens: 5240,
          prompt_tokens_details: { cached_tokens: 1024, cache_write_tokens: 4096, audio_tokens: 0 },
          completion_tokens_details: { reasoning_tokens: 0 },
        },
        buckets: { inputTokens: 80, cacheReadTokens: 1024, cacheWrite5mTokens: 4096, outputTokens: 40 },
      },
    ],
  },
  {
    provider: "gemini",
    source: "answers of the endpoint for OpenAI clients: thoughts are in total_tokens and nowhere else",
    stream: "every",
    plain: {
      wire: { completion_tokens: 2, prompt_tokens: 17, total_tokens: 49 },
      buckets: { inputTokens: 17, outputTokens: 2, reasoningTokens: 30 },
      onlyInTotal: true,
    },
    cached: {
      wire: {
        completion_tokens: 19,
        prompt_tokens: 4634,
        prompt_tokens_details: { cached_tokens: 4088 },
        total_tokens: 4653,
      },
      buckets: { inputTokens: 546, cacheReadTokens: 4088, outputTokens: 19 },
    },
  },
  {
    provider: "mistral",
    source: "https://docs.mistral.ai/api/ (UsageInfo)",
    stream: "finish",
    plain: {
      wire: { prompt_tokens: 16, completion_tokens: 34, total_tokens: 50 },
      buckets: { inputTokens: 16, outputTokens: 34 },
    },
    cached: {
      wire: {
        prompt_tokens: 1500,
        total_tokens: 1530,
        completion_tokens: 30,
        prompt_tokens_details: { cached_tokens: 1408 },
      },
      buckets: { inputTokens: 92, cacheReadTokens: 1408, outputTokens: 30 },
    },
    others: [
      {
        wire: { prompt_tokens: 1500, total_tokens: 1530, completion_tokens: 30, num_cached_tokens: 1408 },
        buckets: { inputTokens: 92, cacheReadTokens: 1408, outputTokens: 30 },
      },
      {
        wire: { prompt_audio_seconds: 5, prompt_tokens: 5, total_tokens: 404, completion_tokens: 24 },
        buckets: { inputTokens: 5, audioInputTokens: 375, outputTokens: 24 },
        onlyInTotal: true,
      },
    ],
  },
  {
    provider: "xai",
    source: "https://docs.x.ai/docs/key-information/consumption-and-rate-limits; vercel/ai issue 9774",
    stream: "last",
    plain: {
      wire: {
        prompt_tokens: 12,
        completion_tokens: 9,
        total_tokens: 235,
        prompt_tokens_details: { text_tokens: 12, audio_tokens: 0, image_tokens: 0, cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 214, audio_tokens: 0, accepted_prediction_tokens: 0 },
        num_sources_used: 0,
      },
      buckets: { inputTokens: 12, outputTokens: 9, reasoningTokens: 214 },
    },
    cached: {
      wire: {
        prompt_tokens: 2640,
        completion_tokens: 182,
        total_tokens: 3494,
        prompt_tokens_details: { text_tokens: 2640, audio_tokens: 0, image_tokens: 0, cached_tokens: 473 },
        completion_tokens_details: { reasoning_tokens: 672, audio_tokens: 0 },
        num_sources_used: 3,
      },
      buckets: {
        inputTokens: 2167,
        cacheReadTokens: 473,
        outputTokens: 182,
        reasoningTokens: 672,
        searchUnits: 3,
      },
    },
  },
  {
    provider: "deepseek",
    source: "https://api-docs.deepseek.com/api/create-chat-completion",
    stream: "finish",
    plain: {
      wire: {
        prompt_tokens: 13,
        completion_tokens: 300,
        total_tokens: 313,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 241 },
        prompt_cache_hit_tokens: 0,
        prompt_cache_miss_tokens: 13,
      },
      buckets: { inputTokens: 13, outputTokens: 59, reasoningTokens: 241 },
    },
    cached: {
      wire: {
        prompt_tokens: 8233,
        completion_tokens: 1,
        total_tokens: 8234,
        prompt_cache_hit_tokens: 128,
        prompt_cache_miss_tokens: 8105,
      },
      buckets: { inputTokens: 8105, cacheReadTokens: 128, outputTokens: 1 },
    },
  },
  {
    provider: "cohere",
    source: "https://docs.cohere.com/docs/compatibility-api",
    stream: "finish",
    plain: {
      wire: { completion_tokens: 57, prompt_tokens: 208, total_tokens: 265 },
      buckets: { inputTokens: 208, outputTokens: 57 },
    },
    cached: null,
  },
  {
    provider: "perplexity",
    source: "https://docs.perplexity.ai/guides/pricing: reasoning and citations are beside total_tokens",
    stream: "every",
    plain: {
      wire: {
        prompt_tokens: 33,
        completion_tokens: 11_395,
        total_tokens: 11_428,
        citation_tokens: 19_028,
        num_search_queries: 21,
        reasoning_tokens: 193_947,
        cost: { output_tokens_cost: 0.091, citation_tokens_cost: 0.038, reasoning_tokens_cost: 0.582 },
      },
      buckets: {
        inputTokens: 33,
        outputTokens: 11_395,
        reasoningTokens: 193_947,
        toolUnits: 19_028,
        searchUnits: 21,
      },
    },
    cached: null,
    others: [
      {
        wire: {
          prompt_tokens: 24,
          completion_tokens: 2681,
          total_tokens: 2705,
          citation_tokens: null,
          num_search_queries: null,
          reasoning_tokens: null,
          search_context_size: "low",
        },
        buckets: { inputTokens: 24, outputTokens: 2681 },
      },
    ],
  },
  {
    provider: "moonshot",
    source: "https://platform.moonshot.ai/docs/api/chat; a recorded stream has its usage in the choice",
    stream: "choice",
    plain: {
      wire: { prompt_tokens: 39, completion_tokens: 211, total_tokens: 250 },
      buckets: { inputTokens: 39, outputTokens: 211 },
    },
    cached: {
      wire: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, cached_tokens: 7 },
      buckets: { inputTokens: 3, cacheReadTokens: 7, outputTokens: 2 },
    },
  },
];
