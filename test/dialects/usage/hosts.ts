import type { RecordedProvider } from "./recorded.ts";

export const hosts: readonly RecordedProvider[] = [
  {
    provider: "azure",
    source: "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/prompt-caching",
    stream: "last",
    plain: {
      wire: {
        completion_tokens: 84,
        completion_tokens_details: {
          accepted_prediction_tokens: 0,
          audio_tokens: 0,
          reasoning_tokens: 64,
          rejected_prediction_tokens: 0,
        },
        prompt_tokens: 20,
        prompt_tokens_details: { audio_tokens: 0, cached_tokens: 0 },
        total_tokens: 104,
      },
      buckets: { inputTokens: 20, outputTokens: 20, reasoningTokens: 64 },
    },
    cached: {
      wire: {
        completion_tokens: 1518,
        prompt_tokens: 1566,
        total_tokens: 3084,
        completion_tokens_details: { audio_tokens: null, reasoning_tokens: 576 },
        prompt_tokens_details: { audio_tokens: null, cached_tokens: 1408 },
      },
      buckets: { inputTokens: 158, cacheReadTokens: 1408, outputTokens: 942, reasoningTokens: 576 },
    },
  },
  {
    provider: "groq",
    source: "https://console.groq.com/docs/batch; https://console.groq.com/docs/prompt-caching",
    stream: "groq",
    plain: {
      wire: {
        queue_time: 0.061348671,
        prompt_tokens: 18,
        prompt_time: 0.000211569,
        completion_tokens: 439,
        completion_time: 0.798181818,
        total_tokens: 457,
        total_time: 0.798393387,
      },
      buckets: { inputTokens: 18, outputTokens: 439 },
    },
    cached: {
      wire: {
        queue_time: 0.026959759,
        prompt_tokens: 4641,
        prompt_time: 0.009995497,
        completion_tokens: 1817,
        completion_time: 5.57691751,
        total_tokens: 6458,
        total_time: 5.586913007,
        prompt_tokens_details: { cached_tokens: 4608 },
        completion_tokens_details: { reasoning_tokens: 1200 },
      },
      buckets: { inputTokens: 33, cacheReadTokens: 4608, outputTokens: 617, reasoningTokens: 1200 },
    },
  },
  {
    provider: "together",
    source: "https://docs.together.ai/reference/chat-completions-1",
    stream: "finish",
    plain: {
      wire: { prompt_tokens: 17, completion_tokens: 58, total_tokens: 75, cached_tokens: 0 },
      buckets: { inputTokens: 17, outputTokens: 58 },
    },
    cached: {
      wire: { prompt_tokens: 1042, completion_tokens: 58, total_tokens: 1100, cached_tokens: 1024 },
      buckets: { inputTokens: 18, cacheReadTokens: 1024, outputTokens: 58 },
    },
  },
  {
    provider: "fireworks",
    source: "https://docs.fireworks.ai/api-reference/post-chatcompletions; genai-prices, extractor of fireworks",
    stream: "finish",
    plain: {
      wire: { prompt_tokens: 26, total_tokens: 117, completion_tokens: 91, prompt_tokens_details: null },
      buckets: { inputTokens: 26, outputTokens: 91 },
    },
    cached: {
      wire: {
        prompt_tokens: 2070,
        total_tokens: 2161,
        completion_tokens: 91,
        prompt_tokens_details: { cached_tokens: 2048 },
      },
      buckets: { inputTokens: 22, cacheReadTokens: 2048, outputTokens: 91 },
    },
  },
  {
    provider: "openrouter",
    source: "https://openrouter.ai/docs/use-cases/usage-accounting; openapi.json, ChatUsage; recorded answers",
    stream: "last",
    plain: {
      wire: {
        prompt_tokens: 23,
        completion_tokens: 115,
        total_tokens: 138,
        cost: 0,
        is_byok: false,
        prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0, audio_tokens: 0, video_tokens: 0 },
        cost_details: { upstream_inference_cost: 0 },
        completion_tokens_details: { reasoning_tokens: 93, image_tokens: 0, audio_tokens: 0 },
      },
      buckets: { inputTokens: 23, outputTokens: 22, reasoningTokens: 93 },
    },
    cached: {
      wire: {
        prompt_tokens: 26_930,
        completion_tokens: 6451,
        total_tokens: 33_381,
        cost: 0.092374,
        is_byok: false,
        prompt_tokens_details: { cached_tokens: 128, cache_write_tokens: 0, audio_tokens: 0, video_tokens: 0 },
        cost_details: { upstream_inference_cost: 0.092374 },
        completion_tokens_details: { reasoning_tokens: 4886, image_tokens: 0, audio_tokens: 0 },
      },
      buckets: { inputTokens: 26_802, cacheReadTokens: 128, outputTokens: 1565, reasoningTokens: 4886 },
    },
    others: [
      {
        wire: {
          prompt_tokens: 4190,
          completion_tokens: 1310,
          total_tokens: 5500,
          prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 4096, audio_tokens: 0 },
          completion_tokens_details: { reasoning_tokens: 0, image_tokens: 1290, audio_tokens: 0 },
        },
        buckets: { inputTokens: 94, cacheWrite5mTokens: 4096, outputTokens: 20, imageOutputTokens: 1290 },
      },
    ],
  },
  {
    provider: "cerebras",
    source: "recorded answers; https://inference-docs.cerebras.ai/resources/openai",
    stream: "last",
    plain: {
      wire: {
        prompt_tokens: 543,
        completion_tokens: 1500,
        total_tokens: 2043,
        prompt_tokens_details: { cached_tokens: 0 },
      },
      buckets: { inputTokens: 543, outputTokens: 1500 },
    },
    cached: {
      wire: {
        prompt_tokens: 69,
        completion_tokens: 45,
        total_tokens: 114,
        image_tokens: 0,
        prompt_tokens_details: { cached_tokens: 32 },
        completion_tokens_details: { reasoning_tokens: 8 },
      },
      buckets: { inputTokens: 37, cacheReadTokens: 32, outputTokens: 37, reasoningTokens: 8 },
    },
  },
  {
    provider: "nvidia",
    source: "https://docs.api.nvidia.com/nim/reference/llm-apis",
    stream: "last",
    plain: {
      wire: { prompt_tokens: 21, total_tokens: 77, completion_tokens: 56, prompt_tokens_details: null },
      buckets: { inputTokens: 21, outputTokens: 56 },
    },
    cached: null,
  },
  {
    provider: "novita",
    source: "https://novita.ai/docs/api-reference/model-apis-llm-create-chat-completion",
    stream: "last",
    plain: {
      wire: {
        prompt_tokens: 11,
        completion_tokens: 42,
        total_tokens: 53,
        prompt_tokens_details: null,
        completion_tokens_details: null,
      },
      buckets: { inputTokens: 11, outputTokens: 42 },
    },
    cached: {
      wire: {
        prompt_tokens: 3011,
        completion_tokens: 42,
        total_tokens: 3053,
        prompt_tokens_details: { cached_tokens: 2944 },
        completion_tokens_details: { reasoning_tokens: 30 },
      },
      buckets: { inputTokens: 67, cacheReadTokens: 2944, outputTokens: 12, reasoningTokens: 30 },
    },
  },
];
