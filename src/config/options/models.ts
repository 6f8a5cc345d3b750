import type { ModelConfig, PriceOverride, PricesConfig, TargetConfig, TimeoutsConfig } from "../config.ts";
import { timeoutsOptions } from "./limits.ts";
import type { DictionaryNode, Option, Options } from "./option.ts";
import { choice, nullable, numeric, required } from "./scalars.ts";
import { partial } from "./sections.ts";

const targetFields: Options<TargetConfig> = {
  model: required("target", { doc: "`provider/model`; the provider must be configured." }),
  weight: numeric("number", {
    doc: "Share of the requests, relative to the other targets.",
    default: 1,
    min: 0,
    max: 1_000_000,
    zero: "takes no requests",
  }),
};

const modelFields: Options<ModelConfig> = {
  description: nullable("text", { doc: "For people, in `headgate models`.", absent: "none" }),
  targets: {
    node: "list",
    doc: "What serves the alias: chosen by weight among those that can serve the request.",
    min: 1,
    item: {
      node: "group",
      doc: "One target; plain text `provider/model` is short for `model`.",
      shorthand: "model",
      sameAs: null,
      fields: targetFields,
    },
  },
  timeouts: partial<TimeoutsConfig>(
    "timeouts",
    timeoutsOptions,
    "Timeouts of calls through this alias.",
    "the provider's, then as in `timeouts`",
  ),
};

export const modelsOption: DictionaryNode & { readonly value: Option<ModelConfig> } = {
  node: "dictionary",
  doc: "Aliases: names that callers may ask for instead of `provider/model`.",
  keyName: "<alias>",
  keyPattern: /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/,
  keyDoc:
    "letters, digits, `.`, `_`, `:`, `@` and `-`, at most 128 (no `/`: names with one are always `provider/model`)",
  value: { node: "group", doc: "One alias.", shorthand: null, sameAs: null, fields: modelFields },
};

const priceFields: Options<PriceOverride> = {
  input: required("dollars", { doc: "Dollars per million input tokens." }),
  output: required("dollars", { doc: "Dollars per million output tokens." }),
  cacheRead: nullable("dollars", {
    doc: "Dollars per million input tokens read from the provider's prompt cache.",
    absent: "the price of input",
  }),
  cacheWrite5m: nullable("dollars", {
    doc: "Dollars per million input tokens written to a prompt cache of five minutes.",
    absent: "the price of input",
  }),
  cacheWrite1h: nullable("dollars", {
    doc: "Dollars per million input tokens written to a prompt cache of an hour.",
    absent: "`cacheWrite5m`, else the price of input",
  }),
  reasoning: nullable("dollars", { doc: "Dollars per million reasoning tokens.", absent: "the price of output" }),
  request: nullable("dollars", { doc: "Dollars per request, besides tokens.", absent: "nothing" }),
};

export const pricesOptions: Options<PricesConfig> = {
  unknownModel: choice(["allow", "refuse"], {
    doc: "A call of a model without a price: `allow` it with a flag in the ledger, or `refuse` it.",
    default: "allow",
  }),
  overrides: {
    node: "dictionary",
    doc: "Prices of your own, by `provider/model`; each replaces the catalogue's whole entry.",
    keyName: "<provider/model>",
    keyPattern: /^[a-z0-9][a-z0-9._-]*\/\S+$/,
    keyDoc: "`provider/model`",
    value: { node: "group", doc: "The prices of one model.", shorthand: null, sameAs: null, fields: priceFields },
  },
};
