/** Companies that serve models of their own. */
import type { ProviderSpec } from "../provider.ts";
import { anthropicCompatible, openAiCompatible } from "./spec.ts";

const openai: ProviderSpec = openAiCompatible({
  id: "openai",
  title: "OpenAI",
  baseUrl: "https://api.openai.com/v1",
  environment: ["OPENAI_API_KEY"],
  clientRequestIdHeader: "x-client-request-id",
  requestIdHeader: "x-request-id",
  priceList: "openai",
  documentation: "https://platform.openai.com/docs/api-reference/debugging-requests",
});

const anthropic: ProviderSpec = anthropicCompatible({
  id: "anthropic",
  title: "Anthropic",
  baseUrl: "https://api.anthropic.com/v1",
  environment: ["ANTHROPIC_API_KEY"],
  priceList: "anthropic",
  documentation: "https://docs.anthropic.com/en/api/overview",
});

/** The endpoint for OpenAI clients. */
const gemini: ProviderSpec = openAiCompatible({
  id: "gemini",
  title: "Google Gemini",
  baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai",
  environment: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
  priceList: "google",
  documentation: "https://ai.google.dev/gemini-api/docs/openai",
});

/** Refuses `stream_options` with 422 and sends usage in the last chunk unasked (mistralai/client-python issue 40). */
const mistral: ProviderSpec = openAiCompatible({
  id: "mistral",
  title: "Mistral AI",
  baseUrl: "https://api.mistral.ai/v1",
  environment: ["MISTRAL_API_KEY"],
  quirks: { streamUsage: "always" },
  priceList: "mistral",
  documentation: "https://docs.mistral.ai/api/",
});

/** "Reasoning token consumption will be counted separately from completion_tokens, but will be counted in the total_tokens." */
const xai: ProviderSpec = openAiCompatible({
  id: "xai",
  title: "xAI",
  baseUrl: "https://api.x.ai/v1",
  dialects: ["openai-chat"],
  environment: ["XAI_API_KEY"],
  quirks: { reasoningInsideOutput: false },
  priceList: "x-ai",
  documentation: "https://docs.x.ai/docs/key-information/consumption-and-rate-limits",
});

/** `prompt_tokens` = `prompt_cache_hit_tokens` + `prompt_cache_miss_tokens`: cached tokens are inside. */
const deepseek: ProviderSpec = openAiCompatible({
  id: "deepseek",
  title: "DeepSeek",
  baseUrl: "https://api.deepseek.com/v1",
  dialects: ["openai-chat"],
  environment: ["DEEPSEEK_API_KEY"],
  quirks: { cachedInsideInput: true },
  priceList: "deepseek",
  documentation: "https://api-docs.deepseek.com/api/create-chat-completion",
});

/** The Compatibility API, which refuses `stream_options`. */
const cohere: ProviderSpec = openAiCompatible({
  id: "cohere",
  title: "Cohere",
  baseUrl: "https://api.cohere.ai/compatibility/v1",
  environment: ["COHERE_API_KEY", "CO_API_KEY"],
  quirks: { streamUsage: "always" },
  priceList: "cohere",
  documentation: "https://docs.cohere.com/docs/compatibility-api",
});

/** No version segment. Usage comes with every chunk; reasoning tokens stand beside `completion_tokens` and the total. */
const perplexity: ProviderSpec = openAiCompatible({
  id: "perplexity",
  title: "Perplexity",
  baseUrl: "https://api.perplexity.ai",
  dialects: ["openai-chat"],
  environment: ["PERPLEXITY_API_KEY", "PPLX_API_KEY"],
  quirks: { streamUsage: "always", reasoningInsideOutput: false, reasoningInsideTotal: false },
  priceList: "perplexity",
  documentation: "https://docs.perplexity.ai/docs/sonar/openai-compatibility",
});

const moonshot: ProviderSpec = openAiCompatible({
  id: "moonshot",
  title: "Moonshot AI",
  baseUrl: "https://api.moonshot.ai/v1",
  dialects: ["openai-chat"],
  environment: ["MOONSHOT_API_KEY"],
  priceList: "moonshotai",
  documentation: "https://platform.moonshot.ai/docs/api/chat",
});

export const vendorSpecs: readonly ProviderSpec[] = [
  openai,
  anthropic,
  gemini,
  mistral,
  xai,
  deepseek,
  cohere,
  perplexity,
  moonshot,
];
