/**
 * What the pages of the catalogue have in common: a provider that speaks OpenAI's dialects, takes a bearer token and
 * bills per token. A page says only where its provider differs.
 *
 * `billsCancelledInput` is true for every metered provider: none promises that a call given up before its first
 * output is free, and an entry that turns out too high can be corrected while a missing one cannot.
 */
import type { ProviderSpec } from "../provider.ts";

type Distinct = Pick<ProviderSpec, "id" | "title" | "baseUrl" | "environment" | "priceList" | "documentation">;

export function openAiCompatible(page: Distinct & Partial<ProviderSpec>): ProviderSpec {
  return {
    dialects: ["openai-chat", "openai-embeddings"],
    auth: { scheme: "bearer" },
    headers: {},
    quirks: {},
    billing: "metered",
    billsCancelledInput: true,
    clientRequestIdHeader: null,
    requestIdHeader: null,
    usageLookup: null,
    ...page,
  };
}

/** Anthropic's wire protocol: https://docs.anthropic.com/en/api/overview (x-api-key, anthropic-version, request-id). */
export function anthropicCompatible(page: Distinct & Partial<ProviderSpec>): ProviderSpec {
  return {
    dialects: ["anthropic-messages"],
    auth: { scheme: "header", header: "x-api-key" },
    headers: { "anthropic-version": "2023-06-01" },
    quirks: {},
    billing: "metered",
    billsCancelledInput: true,
    clientRequestIdHeader: null,
    requestIdHeader: "request-id",
    usageLookup: null,
    ...page,
  };
}

/** Runs on the operator's own machines: no key needed, calls cost no money. */
export function selfHosted(page: Distinct & Partial<ProviderSpec>): ProviderSpec {
  return openAiCompatible({
    auth: { scheme: "none" },
    billing: "none",
    billsCancelledInput: false,
    ...page,
  });
}
