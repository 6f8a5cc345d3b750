/** What a request's plan would be and why, for people: the plan itself is plan.ts. */
import type { ModelConfig, QueueWaitsConfig, TimeoutsConfig } from "../config/config.ts";
import type { DialectName, Operation } from "../dialects/dialect.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { RoutePolicy } from "./plan.ts";
import type { ReasonKind } from "./requirements.ts";

export interface RouteExplanation {
  /** As the caller wrote it. */
  readonly model: string;
  readonly operation: Operation;
  /** The caller's. */
  readonly dialect: DialectName;
  /** What the request needs of a model, in words. */
  readonly needs: readonly string[];
  /** Tags that the route and the request demand. */
  readonly requires: readonly string[];
  /** About how many tokens the request has. */
  readonly inputTokens: number;
  /** The caller's bound on output; `null`: none. */
  readonly maxOutputTokens: number | null;
  /** How the first target is chosen; `null`: there is no choice. */
  readonly balance: ExplainedBalance | null;
  /** In the order in which they would be tried, then those that are left out, as declared. */
  readonly targets: readonly ExplainedTarget[];
  /** What the request would be refused with; `null`: it would be served. */
  readonly refusal: { readonly code: ErrorCode; readonly message: string } | null;
  readonly policy: RoutePolicy;
}

export interface ExplainedBalance {
  readonly by: ModelConfig["balance"];
  /** A sentence. */
  readonly decision: string;
}

export interface ExplainedTarget {
  /** `provider/model`. */
  readonly name: string;
  /** From 1; `null`: it is left out. */
  readonly place: number | null;
  readonly isFallback: boolean;
  readonly weight: number;
  /** Of such requests, how many are tried at it first, by weight; `null`: it is not by weight, or it is left out. */
  readonly sharePercent: number | null;
  /** Calls under way and latency as one number, 0 where nothing is known. */
  readonly load: number;
  /** To be spoken with it; `null`: it speaks none of the operation. */
  readonly dialect: DialectName | null;
  /** Whether request and answer are translated. */
  readonly isTranslated: boolean;
  readonly tags: readonly string[];
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number | null;
  readonly timeouts: TimeoutsConfig;
  readonly queue: QueueWaitsConfig;
  /** Why it is left out; of one that has a place, what speaks against it though nothing better is there. */
  readonly reasons: readonly ExplainedReason[];
}

export interface ExplainedReason {
  readonly kind: ReasonKind;
  /** The rest of a sentence that begins with the target's name. */
  readonly text: string;
}
