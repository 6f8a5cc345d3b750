/**
 * The life of one relayed stream as a total table: every state answers every input.
 *
 *   connecting ──headers──▶ open ──finish──▶ ending ──end, eof, reset, quiet──▶ ended
 *        │                   │                │  └──whole──▶ whole ──quiet──────▲
 *        └── eof, reset ─────┴── error, … ────┴──▶ broken          abort, from anywhere ──▶ cancelled
 *
 * A stream ends well only through `ending`, which it reaches only when the provider itself said why it stopped.
 * A terminal marker or an end of file before that is `broken`: what the caller has seen is not the whole answer.
 * Once the reason is known, a missing marker, a reset, silence or an event that cannot be read changes nothing about the
 * answer. Once it is `whole`,
 * with its usage, nothing that follows does, and nothing is waited for: only a marker in the same packet still counts.
 */
export type StreamState = "connecting" | "open" | "ending" | "whole" | "ended" | "broken" | "cancelled";

/**
 * `whole`: nothing but the terminal marker can follow. `quiet`: the provider went silent after its finish reason, or its
 * packet ended with a whole answer. `invalid`: an event that could not be read.
 */
export type StreamInput =
  | "headers"
  | "output"
  | "progress"
  | "usage"
  | "finish"
  | "whole"
  | "end"
  | "error"
  | "invalid"
  | "eof"
  | "reset"
  | "quiet"
  | "timeout"
  | "abort";

type Row = Readonly<Record<StreamInput, StreamState>>;

function absorbing(state: StreamState): Row {
  return {
    headers: state,
    output: state,
    progress: state,
    usage: state,
    finish: state,
    whole: state,
    end: state,
    error: state,
    invalid: state,
    eof: state,
    reset: state,
    quiet: state,
    timeout: state,
    abort: state,
  };
}

/** The provider has said why it stopped. */
function finished(state: StreamState): Row {
  return {
    ...absorbing(state),
    end: "ended",
    eof: "ended",
    reset: "ended",
    quiet: "ended",
    timeout: "ended",
    error: "broken",
    abort: "cancelled",
  };
}

export const streamTransitions: Readonly<Record<StreamState, Row>> = {
  connecting: { ...absorbing("broken"), headers: "open", quiet: "connecting", abort: "cancelled" },
  open: {
    ...absorbing("broken"),
    headers: "open",
    output: "open",
    progress: "open",
    usage: "open",
    finish: "ending",
    quiet: "open",
    abort: "cancelled",
  },
  ending: { ...finished("ending"), whole: "whole" },
  whole: finished("whole"),
  ended: absorbing("ended"),
  broken: absorbing("broken"),
  cancelled: absorbing("cancelled"),
};

export function nextStreamState(state: StreamState, input: StreamInput): StreamState {
  return streamTransitions[state][input];
}

export function isTerminal(state: StreamState): boolean {
  return state === "ended" || state === "broken" || state === "cancelled";
}
