/** Servers that operators run themselves, at the port each listens on by default, and endpoints known only by their protocol. */
import type { ProviderSpec } from "../provider.ts";
import { anthropicCompatible, openAiCompatible, selfHosted } from "./spec.ts";

const ollama: ProviderSpec = selfHosted({
  id: "ollama",
  title: "Ollama",
  baseUrl: "http://127.0.0.1:11434/v1",
  environment: [],
  priceList: null,
  documentation: "https://docs.ollama.com/api/openai-compatibility",
});

const vllm: ProviderSpec = selfHosted({
  id: "vllm",
  title: "vLLM",
  baseUrl: "http://127.0.0.1:8000/v1",
  environment: [],
  priceList: null,
  documentation: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
});

const lmStudio: ProviderSpec = selfHosted({
  id: "lm-studio",
  title: "LM Studio",
  baseUrl: "http://127.0.0.1:1234/v1",
  environment: [],
  priceList: null,
  documentation: "https://lmstudio.ai/docs/developer/openai-compat",
});

const llamaCpp: ProviderSpec = selfHosted({
  id: "llama-cpp",
  title: "llama.cpp server",
  baseUrl: "http://127.0.0.1:8080/v1",
  environment: [],
  priceList: null,
  documentation: "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
});

/** Any other endpoint that speaks OpenAI's dialects. Whether it bills is unknown, so it counts as metered without a price. */
const openAiAnywhere: ProviderSpec = openAiCompatible({
  id: "openai-compatible",
  title: "OpenAI-compatible endpoint",
  baseUrl: null,
  auth: { scheme: "none" },
  environment: [],
  requestIdHeader: "x-request-id",
  priceList: null,
  documentation: "https://platform.openai.com/docs/api-reference/chat",
});

const anthropicAnywhere: ProviderSpec = anthropicCompatible({
  id: "anthropic-compatible",
  title: "Anthropic-compatible endpoint",
  baseUrl: null,
  environment: [],
  priceList: null,
  documentation: "https://docs.anthropic.com/en/api/messages",
});

export const selfHostedSpecs: readonly ProviderSpec[] = [
  ollama,
  vllm,
  lmStudio,
  llamaCpp,
  openAiAnywhere,
  anthropicAnywhere,
];
