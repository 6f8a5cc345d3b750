/**
 * A provider is an address that speaks one or more outbound dialects, with its way of authentication, its quirks
 * and its models. Most are a page of data in `catalogue/`.
 */
import type { DialectName, Quirks } from "../dialects/dialect.ts";

export interface ProviderSpec {
  /** Stable id used in configuration, records and `provider/model` names, e.g. `openai`. */
  readonly id: string;
  readonly title: string;
  /** Base URL including the version segment, without a trailing slash. `null`: the operator must give one. */
  readonly baseUrl: string | null;
  /** The dialects it speaks, and a path where it differs from the dialect's own. */
  readonly dialects: readonly DialectName[];
  /** `none`: no key is needed; one that is configured all the same is sent as a bearer token. */
  readonly auth:
    | { readonly scheme: "bearer" }
    | { readonly scheme: "header"; readonly header: string }
    | { readonly scheme: "none" };
  /** Headers sent with every call, e.g. `anthropic-version`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Environment variables that hold a key, in order of preference; found ones configure the provider by themselves. */
  readonly environment: readonly string[];
  readonly quirks: Quirks;
  /** `none`: self-hosted, calls cost no money. */
  readonly billing: "metered" | "none";
  /** Whether input is billed when a call is cancelled before any output. */
  readonly billsCancelledInput: boolean;
  /** The header that carries our attempt id to the provider, where it takes one (OpenAI: `x-client-request-id`). */
  readonly clientRequestIdHeader: string | null;
  /** The response header with the provider's own request id. */
  readonly requestIdHeader: string | null;
  /** How to ask the provider afterwards what one call used, where it can say. */
  readonly usageLookup: UsageLookup | null;
  /** Its list in the price catalogue; `null`: there is none, prices come from the operator or are unknown. */
  readonly priceList: string | null;
  /** The vendor's page that the facts above are taken from. */
  readonly documentation: string;
}

export interface UsageLookup {
  /** Below the base URL; `{id}` stands for the id of the call, URL-encoded. */
  readonly path: string;
  /** Whether our own attempt id (sent in `clientRequestIdHeader`) serves as the id besides the provider's own. */
  readonly acceptsClientRequestId: boolean;
}
