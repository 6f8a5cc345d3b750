import type { CommitConfig, TimeoutsConfig } from "../../config/config.ts";
import type { OutboundCodec, UsageCount } from "../../dialects/dialect.ts";
import type { UpstreamRequest } from "../../providers/transport.ts";
import type { Target } from "../../routing/plan.ts";
import type { RelayOptions } from "../../streaming/relay.ts";
import type { CallerDeadline } from "../deadline.ts";
import type { Shown } from "./continuing.ts";

/** Everything that is decided about an attempt before it starts. */
export interface AttemptCall {
  readonly attemptId: string;
  readonly target: Target;
  readonly providerName: string;
  readonly outbound: OutboundCodec;
  readonly stream: boolean;
  readonly request: UpstreamRequest;
  /** Fields of the request that the target's dialect could not carry. */
  readonly losses: readonly string[];
  /** The response header with the provider's own id. */
  readonly requestIdHeader: string | null;
  readonly timeouts: TimeoutsConfig;
  /** Until when a stream is held back, so that another attempt can take its place. */
  readonly commit: CommitConfig;
  /** Monotonic time at which everything must be over. */
  readonly totalDueMs: number;
  /** Monotonic time at which a stream must have begun, as the caller asked; `Infinity`: no bound of the caller's. */
  readonly firstOutputDueMs: number;
  /** How long the provider may be silent, from sending to the first output, before the owner is told, again and again; `Infinity`: however long. */
  readonly slowAfterMs: number;
  /** What the caller gave, of which `totalDueMs` and `firstOutputDueMs` may come. */
  readonly deadline: CallerDeadline;
  readonly responseBytesMax: number;
  /** The caller's bytes of a whole answer; `null` where the provider's own bytes are passed on. */
  readonly translateAnswer: ((json: unknown, count: UsageCount) => Uint8Array) | null;
  /** It is to go on where another call broke off. */
  readonly isContinuation: boolean;
  /** Grows with what a stream shows to the caller, so that another attempt can go on from there; `null`: none can. */
  readonly shown: Shown | null;
  relayOptions(): RelayOptions;
}
