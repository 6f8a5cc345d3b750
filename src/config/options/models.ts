import type {
  CommitConfig,
  HedgeConfig,
  ModelCacheConfig,
  ModelConfig,
  PriceCeilingConfig,
  QueueWaitsConfig,
  RetriesConfig,
  TargetConfig,
  TimeoutsConfig,
} from "../config.ts";
import { tagNotation, tagPattern } from "../tags.ts";
import { timeoutsOptions } from "./limits.ts";
import type { DictionaryNode, ListNode, Option, Options, ScalarNode } from "./option.ts";
import { queueWaitsOptions } from "./queue.ts";
import { retriesOptions } from "./reliability.ts";
import { choice, nullable, numeric, required, text } from "./scalars.ts";
import { group, partial } from "./sections.ts";

const DAY_MS = 86_400_000;

/** Of a provider, a target or what a route requires. */
export function tagsOption(doc: string): ListNode & { readonly item: ScalarNode & { readonly default: string } } {
  return {
    node: "list",
    doc,
    min: 0,
    item: text({
      doc: "One tag.",
      default: "",
      pattern: tagPattern,
      patternDoc: tagNotation,
    }) as ScalarNode & { readonly default: string },
  };
}

const targetFields: Options<TargetConfig> = {
  model: required("target", { doc: "`provider/model`; the provider must be configured." }),
  weight: numeric("number", {
    doc: "Share of the requests, relative to the other targets. Of fallbacks it does not count.",
    default: 1,
    min: 0,
    max: 1_000_000,
    zero: "takes no requests",
  }),
  tags: tagsOption("What is true of this target by policy, besides the provider's `tags`."),
  timeouts: partial<TimeoutsConfig>(
    "timeouts",
    timeoutsOptions,
    "Timeouts of calls of this target.",
    "the alias's, the provider's, then as in `timeouts`",
  ),
  queue: partial<QueueWaitsConfig>(
    "queue",
    queueWaitsOptions,
    "How long requests wait for this target: `waitMs` and `batchWaitMs`.",
    "the alias's, the provider's, then as in `queue`",
  ),
};

function targets(doc: string, min: number): ListNode & { readonly item: Option<TargetConfig> } {
  return {
    node: "list",
    doc,
    min,
    item: {
      node: "group",
      doc: "One target; plain text `provider/model` is short for `model`.",
      shorthand: "model",
      sameAs: null,
      fields: targetFields,
    },
  };
}

const priceCeilingFields: Options<PriceCeilingConfig> = {
  input: nullable("dollars", { doc: "Most dollars per million input tokens.", absent: "any price" }),
  output: nullable("dollars", { doc: "Most dollars per million output tokens.", absent: "any price" }),
};

const commitFields: Options<CommitConfig> = {
  at: choice(["first-output", "window", "complete"], {
    doc: "Until when a stream that fails may be replaced by another attempt without the caller seeing it: until its `first-output`; until the end of a `window` of output or time, which is held back for so long; or until it is `complete`, held back as a whole.",
    default: "first-output",
  }),
  windowTokens: numeric("integer", {
    doc: "With `at: window`, so many tokens of output are held back.",
    default: 32,
    min: 1,
    max: 100_000,
  }),
  windowMs: numeric("duration", {
    doc: "With `at: window`, output is held back for so long after the first, if fewer tokens come.",
    default: 1000,
    min: 1,
    max: DAY_MS,
  }),
  whenBroken: choice(["error", "continue"], {
    doc: "What becomes of a stream that breaks later: it ends with an `error` event, or it is continued by another attempt where that can be done without contradicting what was sent.",
    default: "error",
  }),
};

const hedgeFields: Options<HedgeConfig> = {
  mode: choice(["off", "on"], {
    doc: "Whether a second target is called beside one that is slow to begin its answer. The first to answer wins, the other is cancelled; both may cost.",
    default: "off",
  }),
  afterMs: numeric("duration", {
    doc: "How long the first output is waited for before that.",
    default: 0,
    min: 0,
    max: DAY_MS,
    zero: "as long as 95 of 100 calls of the target took of late",
  }),
};

const cacheFields: Options<ModelCacheConfig> = {
  mode: choice(["off", "on-request", "exact", "semantic"], {
    doc: "`exact`: a request that equals an earlier one of the same project in all that matters for its answer gets that one's answer, at no cost; identical requests at the same time in one process share one call. `on-request`: only requests with the header `x-headgate-cache`. `semantic`: as `exact`, and a last message in other words gets the answer to one that means the same; needs `threshold` and `cache.embeddings`.",
    default: "off",
  }),
  ttlMs: numeric("duration", {
    doc: "How long an answer is given again.",
    default: 3_600_000,
    min: 1000,
    max: 30 * DAY_MS,
  }),
  threshold: numeric("number", {
    doc: "With `mode: semantic`: how near two messages must be to count as the same, as the cosine between their vectors. Which value is safe depends on the embeddings model and on what is asked: `headgate cache evaluate` finds it.",
    default: 0,
    min: 0,
    max: 1,
    zero: "not set; `mode: semantic` refuses that",
  }),
};

const modelFields: Options<ModelConfig> = {
  description: nullable("text", { doc: "For people, in `headgate models`.", absent: "none" }),
  targets: targets(
    "What serves the alias: chosen by `balance` among those that can serve the request. When one fails, another is tried.",
    1,
  ),
  fallbacks: targets(
    "Tried in this order when no target answers: models that are acceptable instead, though perhaps not as good. The response's `x-headgate-model` says which one served.",
    0,
  ),
  balance: choice(["weighted", "least-loaded", "sticky"], {
    doc: "How one of the targets is chosen: by `weight`; the `least-loaded` by calls under way and latency, relative to the weight; or `sticky`: prompts that begin alike go to the same target, so that providers' prompt caches stay warm.",
    default: "weighted",
  }),
  requires: tagsOption("Tags that a target must have to serve the alias, its own or its provider's."),
  priceCeiling: group("A dearer target, or one without a price, does not serve the alias.", priceCeilingFields),
  timeouts: partial<TimeoutsConfig>(
    "timeouts",
    timeoutsOptions,
    "Timeouts of calls through this alias.",
    "the provider's, then as in `timeouts`",
  ),
  queue: partial<QueueWaitsConfig>(
    "queue",
    queueWaitsOptions,
    "How long requests for this alias wait for a target: `waitMs` and `batchWaitMs`.",
    "the provider's, then as in `queue`",
  ),
  retries: partial<RetriesConfig>(
    "retries",
    retriesOptions,
    "How calls through this alias are made again.",
    "as in `retries`",
  ),
  commit: group("When a stream is certain to be the one that the caller gets.", commitFields),
  invalidEvents: choice(["break", "skip"], {
    doc: "What becomes of a stream with an event that cannot be read, before its provider said why it stopped: it is taken as broken (`break`), since what is missing may have been a part of the answer; or the event is left out and counted in the record (`skip`), for providers whose streams are known to have events that say nothing.",
    default: "break",
  }),
  hedge: group("A second call beside a slow one.", hedgeFields),
  cache: group("Whether answers are kept for equal requests.", cacheFields),
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
