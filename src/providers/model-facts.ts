import type { Needs } from "../dialects/dialect.ts";
import { lackingRules } from "./catalogue/model-lacks.ts";
import { outputLimits } from "./catalogue/model-limits.ts";
import { thinksUnasked } from "./catalogue/thinking-models.ts";

export interface ModelFacts {
  /** `null`: unknown. */
  readonly maxOutputTokens: number | null;
  /** What the model is known not to do; anything else may work. */
  readonly lacks: readonly (keyof Needs)[];
  /** It thinks before it answers though nobody asks for it, so that its first output comes late. */
  readonly thinksUnasked: boolean;
}

/** What the catalogue knows of a model at a kind of provider, by the provider's own name of it. */
export function findModelFacts(kind: string, model: string): ModelFacts {
  const limit = outputLimits.get(kind)?.find(({ prefix }) => model.startsWith(prefix));
  const rules = lackingRules.get(kind) ?? [];
  const lacks = rules.flatMap((rule) => (rule.models.test(model) ? rule.lacks : []));
  return { maxOutputTokens: limit?.maxOutputTokens ?? null, lacks, thinksUnasked: thinksUnasked(model) };
}
