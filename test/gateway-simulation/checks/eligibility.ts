/** Whether a target may serve a request, by what its route and its caller require. */
import type { Config } from "../../../src/config/config.ts";
import { costOf, type Tokens } from "../../../src/simulator/prices.ts";
import type { Ask } from "../callers/ask.ts";
import { targetsOf } from "./terms.ts";

const MILLION: Tokens = { input: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 1_000_000, reasoning: 0 };
const NANO_USD = 1_000_000_000;

/** What is asked for, and the tags that a target must have for it. */
export type Demand = Pick<Ask, "model" | "tags">;

/** Why it may not; `null`: it may. `target`: `provider/model`. */
export function objectionTo(config: Config, { model: asked, tags }: Demand, target: string): string | null {
  const [provider = "", model = ""] = target.split("/");
  const alias = config.models[asked];
  if (!targetsOf(config, asked).includes(target)) return `it is no target of ${asked}`;
  const own = [...(alias?.targets ?? []), ...(alias?.fallbacks ?? [])].find((each) => each.model === target);
  const has = [...(config.providers[provider]?.tags ?? []), ...(own?.tags ?? [])];
  const missing = [...(alias?.requires ?? []), ...tags].find((tag) => !has.includes(tag));
  if (missing !== undefined) return `it lacks the tag ${missing}`;
  const ceiling = alias?.priceCeiling.output ?? null;
  const isDear = ceiling !== null && Number(costOf(model, MILLION)) > Number(ceiling) * NANO_USD;
  return isDear ? `it costs more than ${ceiling} dollars` : null;
}

/** Whether anybody may serve it. */
export function isServable(config: Config, demand: Demand): boolean {
  return targetsOf(config, demand.model).some((target) => objectionTo(config, demand, target) === null);
}

/** What the comparison of a request's words demands: no less than the request itself. */
export function comparisonDemand(config: Config, { model, tags }: Demand): Demand {
  return { model: config.cache.embeddings ?? "", tags: [...(config.models[model]?.requires ?? []), ...tags] };
}
