/** Companies that serve models made by others. */
import type { ProviderSpec } from "../provider.ts";
import { openAiCompatible } from "./spec.ts";

/**
 * The v1 API, which needs no `api-version`. Each customer has an address of its own
 * (`https://<resource>.openai.azure.com/openai/v1`); `model` is the name of the deployment.
 */
const azure: ProviderSpec = openAiCompatible({
  id: "azure",
  title: "Azure OpenAI",
  baseUrl: null,
  auth: { scheme: "header", header: "api-key" },
  environment: ["AZURE_OPENAI_API_KEY"],
  requestIdHeader: "x-request-id",
  priceList: "azure",
  documentation: "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle",
});

const groq: ProviderSpec = openAiCompatible({
  id: "groq",
  title: "Groq",
  baseUrl: "https://api.groq.com/openai/v1",
  dialects: ["openai-chat"],
  environment: ["GROQ_API_KEY"],
  priceList: "groq",
  documentation: "https://console.groq.com/docs/openai",
});

const together: ProviderSpec = openAiCompatible({
  id: "together",
  title: "Together AI",
  baseUrl: "https://api.together.xyz/v1",
  environment: ["TOGETHER_API_KEY"],
  priceList: "together",
  documentation: "https://docs.together.ai/docs/openai-api-compatibility",
});

const fireworks: ProviderSpec = openAiCompatible({
  id: "fireworks",
  title: "Fireworks AI",
  baseUrl: "https://api.fireworks.ai/inference/v1",
  environment: ["FIREWORKS_API_KEY"],
  priceList: "fireworks",
  documentation: "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
});

/** `GET /generation?id=` says afterwards what a call used; it knows its own ids (`gen-…`) only. Full usage comes unasked. */
const openrouter: ProviderSpec = openAiCompatible({
  id: "openrouter",
  title: "OpenRouter",
  baseUrl: "https://openrouter.ai/api/v1",
  environment: ["OPENROUTER_API_KEY"],
  quirks: { streamUsage: "always" },
  usageLookup: { path: "/generation?id={id}", acceptsClientRequestId: false },
  priceList: "openrouter",
  documentation: "https://openrouter.ai/docs/api/api-reference/generations/get-generation",
});

const cerebras: ProviderSpec = openAiCompatible({
  id: "cerebras",
  title: "Cerebras",
  baseUrl: "https://api.cerebras.ai/v1",
  dialects: ["openai-chat"],
  environment: ["CEREBRAS_API_KEY"],
  priceList: "cerebras",
  documentation: "https://inference-docs.cerebras.ai/resources/openai",
});

const nvidia: ProviderSpec = openAiCompatible({
  id: "nvidia",
  title: "NVIDIA NIM",
  baseUrl: "https://integrate.api.nvidia.com/v1",
  environment: ["NVIDIA_API_KEY"],
  priceList: null,
  documentation: "https://docs.api.nvidia.com/nim/reference/llm-apis",
});

const novita: ProviderSpec = openAiCompatible({
  id: "novita",
  title: "Novita AI",
  baseUrl: "https://api.novita.ai/openai/v1",
  environment: ["NOVITA_API_KEY"],
  priceList: "novita",
  documentation: "https://novita.ai/docs/api-reference/model-apis-llm-create-chat-completion",
});

export const hostSpecs: readonly ProviderSpec[] = [
  azure,
  groq,
  together,
  fireworks,
  openrouter,
  cerebras,
  nvidia,
  novita,
];
