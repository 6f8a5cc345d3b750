/** What a caller may see of a request, and whether it is what was seen. */
import type { Outcome } from "../caller.ts";
import type { FaultyRoute } from "./routes.ts";

/**
 * `complete`: the whole answer. `broken`: a stream that began and ended with an error. `left`: the caller did. `lost`: the
 * connection broke, which is never right. Else the status of an error.
 */
export type Answer = "complete" | "broken" | "left" | "lost" | number;

export function answerOf({ seen, status }: Outcome): Answer {
  if (seen === "error") return status === 200 ? "broken" : status;
  return seen;
}

/** A fault strikes now and then only, so a whole answer is always right. */
export function rightAnswersOf({ manner, struck: { effect } }: FaultyRoute, stream: boolean): readonly Answer[] {
  switch (effect.kind) {
    case "harmless":
    case "rescued":
      return ["complete"];
    case "refused":
      return ["complete", effect.status];
    case "breaks":
      return stream && !isHeldBack(manner) ? ["complete", "broken"] : ["complete"];
  }
}

/** By the rest of an answer that faults of these routes strike in: it is not shown yet, or can be said again. */
function isHeldBack(manner: FaultyRoute["manner"]): boolean {
  return manner === "complete" || manner === "window" || manner === "continued";
}
