/** Answers that are given again. */
import { command, group, type GroupNode } from "../command.ts";
import type { CacheEvaluateOptions } from "../commands/cache/evaluate.ts";
import type { CachePurgeOptions } from "../commands/cache/purge.ts";
import type { CacheStatsOptions } from "../commands/cache/stats.ts";
import { flag, optionalText, parsed, text } from "../parameters.ts";
import { momentNotation, parseMoment } from "../values/moment.ts";

export const cacheGroup: GroupNode = group(
  "cache",
  "Answers that are given again: what they save, dropping them, and when two requests mean the same.",
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
    command<CacheEvaluateOptions>({
      name: "evaluate",
      purpose: "Find the threshold of a semantic cache from pairs of prompts.",
      details:
        'Each line of the file is {"a": "...", "b": "...", "label": "same"} or "different": whether the answer to one would do\nfor the other. The provider is asked for vectors directly; no tenant is charged. Exits with 5 if no threshold will do.',
      parameters: {
        pairs: text("--pairs <file>", "File with the pairs, as JSON lines."),
        embeddings: optionalText(
          "--embeddings <model>",
          "Model that makes vectors of them: provider/model, or an alias. Default: cache.embeddings.",
        ),
        falseHits: parsed(
          "--false-hits <percent>",
          "Most of the different pairs that may be hits. Default: 1%.",
          "a percentage from 0 to 100, such as 1% or 0.5%",
          parseShare,
        ),
      },
      configFlags: "all",
      examples: [
        { line: "cache evaluate --pairs pairs.jsonl", what: "With the embeddings that the configuration names" },
        {
          line: "cache evaluate --pairs pairs.jsonl --embeddings openai/text-embedding-3-large --false-hits 0.5%",
          what: "With others, and stricter",
        },
      ],
      json: "`model`, `tokens` or null, `pairs` (`same`, `different`, `neverCompared`), `falseHitsMax` as a share, `thresholds`, each with `threshold`, `trueHits` and `falseHits` as counts, and `threshold`: the lowest within the bound, or null.",
      load: async () => (await import("../commands/cache/evaluate.ts")).evaluate,
    }),
  ],
);

/** `1%` or `1`, as a share. */
function parseShare(given: string): number | undefined {
  const percent = Number(/^([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%?$/.exec(given)?.[1] ?? Number.NaN);
  return percent <= 100 ? percent / 100 : undefined;
}
