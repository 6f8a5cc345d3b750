import { asText, type WireObject } from "../wire-values.ts";

/** The API's words for its standard tier, asked for or served. */
const standard: ReadonlySet<string | null> = new Set(["standard", "standard_only", "auto", null]);

/**
 * The tier that a request asks for, or that an answer's `usage` says was served. Fast mode and inference in the USA are none
 * in the API's words, but have rates of their own, which multiply: they go by the names `fast`, `us` and `fast-us`.
 *
 * Wire facts: https://platform.claude.com/docs/en/build-with-claude/fast-mode (`speed`) and
 * https://platform.claude.com/docs/en/manage-claude/data-residency (`inference_geo`), the same in both places.
 */
export function readPricedTier({ speed, inference_geo: geo, service_tier: named }: WireObject): string | null {
  const tier = asText(named);
  if (speed === "fast") return geo === "us" ? "fast-us" : "fast";
  return geo === "us" && standard.has(tier) ? "us" : tier;
}
