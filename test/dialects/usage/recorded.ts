/**
 * Usage as providers report it, recorded or in the shape that their documentation shows, and how it is to be read. Each
 * provider says where a stream has its usage; the answers around it are the same for all of a dialect.
 */
import type { Usage } from "../../../src/kernel/usage.ts";

export interface RecordedUsage {
  /** The `usage` member as it is on the wire. */
  readonly wire: Readonly<Record<string, unknown>>;
  /** The buckets that are not zero. */
  readonly buckets: Partial<Usage>;
  /** Some tokens are in the total and nowhere else: without it they cannot be known. */
  readonly onlyInTotal?: boolean;
}

/**
 * `last`: in a chunk of its own after the finish reason; `finish`: with the finish reason; `every`: in every chunk, the
 * last one rules; `choice`: in the choice that finishes; `groq`: in `x_groq`, with the finish reason.
 */
export type StreamPlacement = "last" | "finish" | "every" | "choice" | "groq";

export interface RecordedProvider {
  /** Id in the provider catalogue. */
  readonly provider: string;
  /** Where the shape is from. */
  readonly source: string;
  readonly stream: StreamPlacement;
  readonly plain: RecordedUsage;
  /** `null`: the provider reports no cached tokens. */
  readonly cached: RecordedUsage | null;
  /** Other shapes of the same provider. */
  readonly others?: readonly RecordedUsage[];
}
