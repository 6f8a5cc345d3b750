/**
 * The simulator (`headgate sim`): a provider of made-up models at real, fixed prices that keeps its own invoice. Its
 * address is given at run time. Both kinds name one server, which answers a usage lookup by its own id or by ours.
 */
import type { ProviderSpec } from "../provider.ts";
import { anthropicCompatible, openAiCompatible } from "./spec.ts";

const shared = {
  baseUrl: null,
  environment: [],
  auth: { scheme: "none" },
  clientRequestIdHeader: "x-client-request-id",
  usageLookup: { path: "/generation?id={id}", acceptsClientRequestId: true },
  priceList: "simulator",
  documentation: "headgate sim --help",
} as const;

export const simulatorSpecs: readonly ProviderSpec[] = [
  openAiCompatible({ ...shared, id: "simulator", title: "Simulator", requestIdHeader: "x-request-id" }),
  anthropicCompatible({ ...shared, id: "simulator-anthropic", title: "Simulator, Anthropic's dialect" }),
];
