/** What an itinerary remembers of one target of its plan, and what it says when it goes there. */
import type { Target } from "../../routing/plan.ts";
import type { PassedOver } from "../exchange.ts";

export interface Stop {
  readonly target: Target;
  /** Until the call; 0: at once. */
  readonly waitMs: number;
  /** Credentials of its provider that this request has tried. */
  readonly triedCredentials: readonly string[];
  /** Targets that would have come before it. Each is told of once. */
  readonly passedOver: readonly PassedOver[];
}

export interface Place {
  readonly target: Target;
  calls: number;
  failures: number;
  /** Nothing but another target can help. */
  isExcluded: boolean;
  /** It was told of as passed over. */
  isPassedOver: boolean;
  /** After a failure: when it may be called again, monotonic. */
  againAtMs: number;
  /** Its provider has a credential that this request has not tried: it is called with that before anything else. */
  hasCredential: boolean;
  triedCredentials: readonly string[];
  /** Of those, the ones that the provider refused: they are not tried again. */
  refusedCredentials: readonly string[];
}

export function createPlace(target: Target): Place {
  return {
    target,
    calls: 0,
    failures: 0,
    isExcluded: false,
    isPassedOver: false,
    againAtMs: Infinity,
    hasCredential: false,
    triedCredentials: NONE,
    refusedCredentials: NONE,
  };
}

const NONE: readonly string[] = [];
