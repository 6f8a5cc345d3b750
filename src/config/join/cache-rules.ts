import { nearest } from "../../kernel/nearest.ts";
import { didYouMean } from "../file/issues.ts";
import { fieldsOf, type JoinContext, refuse } from "./context.ts";
import { providerOf, remedy } from "./model-rules.ts";

/**
 * Rules for `cache` and the aliases that cache: what compares meanings needs a model that makes vectors of them, and a
 * threshold that somebody has chosen. `providers` are all that will be there.
 */
export function checkCache(cache: unknown, models: unknown, providers: readonly string[], context: JoinContext): void {
  const { embeddings = null } = fieldsOf(cache);
  if (typeof embeddings === "string") checkEmbeddings(embeddings, models, providers, context);
  for (const [alias, model] of Object.entries(fieldsOf(models))) {
    const { mode, threshold = 0 } = fieldsOf(fieldsOf(model)["cache"]);
    if (mode !== "semantic") continue;
    const path = ["models", alias, "cache", "mode"];
    if (threshold === 0) {
      const advice =
        "Set it to what `headgate cache evaluate` finds for pairs of your own prompts; there is no default.";
      refuse(context, path, "is semantic, but there is no `threshold`", advice);
    }
    if (embeddings === null) {
      const advice = "Set it to a model that makes embeddings, as `provider/model` or an alias.";
      refuse(context, path, "is semantic, but there is no `cache.embeddings`", advice);
    }
  }
}

function checkEmbeddings(
  embeddings: string,
  models: unknown,
  providers: readonly string[],
  context: JoinContext,
): void {
  const aliases = Object.keys(fieldsOf(models));
  const provider = providerOf(embeddings);
  if (provider === null) {
    if (aliases.includes(embeddings)) return;
    const advice = didYouMean(nearest(embeddings, aliases, 1)) ?? "Write it as `provider/model`.";
    refuse(context, ["cache", "embeddings"], `names the alias "${embeddings}", which is not configured`, advice);
  } else if (!providers.includes(provider)) {
    const message = `names the provider "${provider}", which is not configured`;
    refuse(context, ["cache", "embeddings"], message, remedy(provider, providers, context));
  }
}
