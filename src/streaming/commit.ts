/** When a stream is certain to be the one that the caller gets: until its commit point nothing of it is handed on. */
import type { CommitConfig } from "../config/config.ts";

export interface CommitPolicy {
  /**
   * `first-output`: with the first output. `window`: with the provider's finish reason, or when the relay's owner says
   * so. `complete`: when the provider has finished.
   */
  readonly at: CommitConfig["at"];
  /**
   * Most bytes held back. More before the first output breaks the stream as malformed; more within a window ends the
   * window; more of what is held until it is complete breaks the stream as too large.
   */
  readonly heldBytesMax: number;
}

/** Role chunks, block starts and pings before the first output, and whatever comes beside the tokens of a window. */
const SLACK_BYTES = 1_048_576;
/** An event of one token with its log-probabilities fits. */
const BYTES_PER_TOKEN_MAX = 2048;

/** `responseBytesMax`: the most that is collected of any whole answer. */
export function planCommit({ at, windowTokens }: CommitConfig, responseBytesMax: number): CommitPolicy {
  if (at === "complete") return { at, heldBytesMax: responseBytesMax };
  const tokens = at === "window" ? windowTokens : 0;
  return { at, heldBytesMax: SLACK_BYTES + tokens * BYTES_PER_TOKEN_MAX };
}
