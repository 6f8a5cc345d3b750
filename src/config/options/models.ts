import type { ModelConfig, TargetConfig, TimeoutsConfig } from "../config.ts";
import { timeoutsOptions } from "./limits.ts";
import type { DictionaryNode, Option, Options } from "./option.ts";
import { nullable, numeric, required } from "./scalars.ts";
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
