import type { Capability, ProviderConfig, ProviderModelConfig, QueueWaitsConfig, TimeoutsConfig } from "../config.ts";
import { timeoutsOptions } from "./limits.ts";
import { tagsOption } from "./models.ts";
import type { DictionaryNode, Option, Options } from "./option.ts";
import { queueWaitsOptions } from "./queue.ts";
import { choice, nullable, nullableInteger, numeric, required } from "./scalars.ts";
import { partial } from "./sections.ts";

/** A provider as the file writes it: credentials are references, and `kind` may follow from the name. */
export interface ProviderInFile extends Omit<ProviderConfig, "kind" | "credentials"> {
  readonly kind: string | null;
  readonly key: string | null;
  readonly credentials: readonly { readonly name: string; readonly key: string }[];
}

const HOUR_MS = 3_600_000;
const CONCURRENCY_MAX = 100_000;
const TOKENS_MAX = 1_000_000_000;

const capabilities: readonly Capability[] = [
  "tools",
  "parallelTools",
  "images",
  "audio",
  "documents",
  "jsonSchema",
  "reasoning",
  "logprobs",
  "choices",
];

const providerModelFields: Options<ProviderModelConfig> = {
  name: required("text", { doc: "The provider's own name of the model." }),
  contextTokens: nullableInteger({
    doc: "The context window, in tokens: a prompt that does not fit goes to a target with a larger one.",
    min: 1,
    max: TOKENS_MAX,
    absent: "what the catalogue says, else it is unknown",
  }),
  maxOutputTokens: nullableInteger({
    doc: "The most tokens that the model writes in one answer: a request that allows more goes to another target, if there is one, and one without a bound of its own is held at this.",
    min: 1,
    max: TOKENS_MAX,
    absent: "what the catalogue says, else it is unknown",
  }),
  lacks: {
    node: "list",
    doc: "What the model cannot do, besides what the catalogue knows of it: requests that need it go to other targets.",
    min: 0,
    item: {
      ...choice(capabilities, { doc: "One capability.", default: "tools", absent: "nothing more" }),
      default: undefined,
    },
  },
};

const providerFields: Options<ProviderInFile> = {
  kind: nullable("text", {
    doc: "Which provider of the catalogue this is, or `openai-compatible` / `anthropic-compatible` for any other endpoint.",
    absent: "the section's name, which must then be a provider of the catalogue",
  }),
  baseUrl: nullable("baseUrl", {
    doc: "Base URL including the version segment, such as `http://10.0.0.5:8000/v1`. With it, the provider's own environment variable is not used, unless the catalogue has no address at all: a key goes only where it was meant to go.",
    absent: "the catalogue's",
  }),
  key: nullable("secret", {
    doc: "The API key, by reference: `env:NAME`, or `file:PATH` (relative to this file; a trailing newline is left out). Short for one credential named `default`.",
    absent: "the provider's own environment variable, see `baseUrl`",
  }),
  credentials: {
    node: "list",
    doc: "Several API keys, taken in turn. Instead of `key`.",
    min: 0,
    item: {
      node: "group",
      doc: "One API key.",
      shorthand: null,
      sameAs: null,
      fields: {
        name: required("text", { doc: "Shown in records and logs instead of the key; unique within the provider." }),
        key: required("secret", { doc: "The API key, by reference: `env:NAME` or `file:PATH`." }),
      },
    },
  },
  headers: {
    node: "dictionary",
    doc: "Headers sent with every call, besides the catalogue's. Not for keys: a header that carries one is refused.",
    keyName: "<header>",
    keyPattern: /^[A-Za-z0-9!#$%&'*+.^_|~-]+$/,
    keyDoc: "letters, digits and hyphens",
    value: required("text", {
      doc: "The header's value.",
      pattern: /^[\t\x20-\x7e]+$/,
      patternDoc: "printable ASCII on one line",
    }),
  },
  models: {
    node: "list",
    doc: "Models known to be there, besides the catalogue's; shown by `GET /v1/models`. Any other can be asked for as well.",
    min: 0,
    item: {
      node: "group",
      doc: "One model and what is known of it; plain text is short for `name`.",
      shorthand: "name",
      sameAs: null,
      fields: providerModelFields,
    },
  },
  timeouts: partial<TimeoutsConfig>(
    "timeouts",
    timeoutsOptions,
    "Timeouts of this provider's calls, where they differ from `timeouts`.",
    "as in `timeouts`",
  ),
  queue: partial<QueueWaitsConfig>(
    "queue",
    queueWaitsOptions,
    "How long requests wait for this provider, where that differs from `queue`: `waitMs` and `batchWaitMs`.",
    "as in `queue`",
  ),
  tags: tagsOption(
    "What is true of the provider by policy, such as `eu` or `no-retention`: aliases and requests may require tags.",
  ),
  concurrency: numeric("integer", {
    doc: "Most calls at the same time from one gateway process; further requests wait by the rules of `queue`.",
    default: 0,
    min: 0,
    max: CONCURRENCY_MAX,
    zero: "as many as come",
  }),
  modelConcurrency: {
    node: "dictionary",
    doc: "The same for single models, which then do not count in `concurrency`.",
    keyName: "<model>",
    keyPattern: /^\S{1,256}$/,
    keyDoc: "the provider's own name of the model, without spaces",
    value: numeric("integer", {
      doc: "Most calls of this model at the same time from one gateway process.",
      default: 1,
      min: 1,
      max: CONCURRENCY_MAX,
    }),
  },
  callerGone: choice(["cancel", "drain"], {
    doc: "What to do with a stream whose caller left: `cancel` it, or `drain` it for at most `drainMs` to learn its exact usage.",
    default: "cancel",
  }),
  drainMs: numeric("duration", {
    doc: "How long a stream without caller may be read on, with `callerGone: drain`.",
    default: 30_000,
    min: 1,
    max: HOUR_MS,
  }),
};

export const providersOption: DictionaryNode & { readonly value: Option<ProviderInFile> } = {
  node: "dictionary",
  doc: "Where models are served. A provider whose environment variable is set (`OPENAI_API_KEY`, …) needs no entry.",
  keyName: "<provider>",
  keyPattern: /^[a-z0-9][a-z0-9._-]{0,63}$/,
  keyDoc: "lower-case letters, digits, `.`, `_` and `-`, at most 64 (no `/`: it parts provider and model)",
  value: {
    node: "group",
    doc: "One provider. The name is what callers write before the `/` in `provider/model`.",
    shorthand: null,
    sameAs: null,
    fields: providerFields,
  },
};
