/** Answers that are given again. */
import { command, group, type GroupNode } from "../command.ts";
import type { CachePurgeOptions } from "../commands/cache/purge.ts";
import type { CacheStatsOptions } from "../commands/cache/stats.ts";
import { flag, optionalText, parsed } from "../parameters.ts";
import { momentNotation, parseMoment } from "../values/moment.ts";

export const cacheGroup: GroupNode = group(
  "cache",
  "Answers that are given again: what they save, and dropping them.",
  [
    command<CacheStatsOptions>({
      name: "stats",
      purpose: "Show what was answered without a call, what that saved, and what the cache holds.",
      details:
        "hit: from the cache; semantic: from the cache, to other words; joined: by an equal request under way; replayed: by an earlier one with the same Idempotency-Key;\nmiss: by a call. What is kept is counted in the store, not in the memory of running gateways.",
      parameters: {
        since: parsed("--since <when>", `Only from then on: ${momentNotation}.`, momentNotation, parseMoment),
        until: parsed("--until <when>", `Only before then: ${momentNotation}.`, momentNotation, parseMoment),
        tenant: optionalText("--tenant <tenant>", "Only of this tenant, by name or id."),
      },
      configFlags: "place",
      examples: [
        { line: "cache stats --since 7d", what: "The last seven days" },
        { line: "cache stats --tenant acme --json", what: "Of one tenant, as JSON" },
      ],
      json: "`since`, `until`, `rows`, each with `tenant`, `model`, `requests` (`hit`, `semantic`, `joined`, `replayed`, `miss`, `bypass`), `savedUsd` and `kept` (`answers`, `bytes`), and `saved` (`requests`, `usd`).",
      load: async () => (await import("../commands/cache/stats.ts")).stats,
    }),
    command<CachePurgeOptions>({
      name: "purge",
      purpose: "Drop cached answers, at once and in every process.",
      details: "What is kept under an Idempotency-Key stays: it is the answer to a request that was made.",
      parameters: {
        tenant: optionalText("--tenant <tenant>", "Only of this tenant, by name or id."),
        model: optionalText("--model <model>", "Only of this model, as it is asked for or as provider/model served."),
        all: flag("--all", "Of all tenants and models."),
      },
      configFlags: "place",
      examples: [
        { line: "cache purge --model fast", what: "What an alias answered, after its targets were changed" },
        { line: "cache purge --tenant acme", what: "Everything of one tenant" },
        { line: "cache purge --all", what: "Everything" },
      ],
      json: "`tenant`, `model` and `dropped`: how many answers the store had of them.",
      load: async () => (await import("../commands/cache/purge.ts")).purge,
    }),
  ],
);
