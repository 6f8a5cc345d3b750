import { findDialect } from "../../dialects/registry.ts";
import { HeadgateError, toHeadgateError } from "../../kernel/errors.ts";
import type { PlanRequest, Target } from "../../routing/plan.ts";

/**
 * Why a request cannot be said in the dialect of a target that does not speak the caller's, found by translating it;
 * `null`: it can be. What translating leaves out and reports is no reason.
 */
export function untranslatable(target: Target, { dialect, view }: PlanRequest): HeadgateError | null {
  const inbound = dialect.inbound?.translation;
  const outbound = findDialect(target.dialect).outbound?.translation;
  if (inbound === undefined || outbound === undefined) {
    return new HeadgateError(
      "unsupported_capability",
      `The model ${target.name} cannot be reached in the dialect of this path.`,
      { param: "model" },
    );
  }
  try {
    outbound.encodeRequest(inbound.decodeRequest(view), target.facts);
    return null;
  } catch (thrown) {
    const failure = toHeadgateError(thrown);
    if (failure.fault === "caller") return failure;
    throw thrown;
  }
}
