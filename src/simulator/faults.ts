/**
 * The faults that a script can ask for (`fault=NAME`, `fault=NAME@N`, `fault=NAME:ARGUMENT`), each with a name and
 * a sentence. `@N` counts output events (tokens): the fault strikes when N of them have been sent.
 *
 * What a fault costs: nothing if it strikes instead of an answer (`before`), otherwise the input and whatever was
 * generated when it struck.
 */
export type FaultKind = "before" | "interruption" | "framing" | "body" | "omission" | "elsewhere";

export type FaultName =
  | "refuse"
  | "status"
  | "bad-key"
  | "context-length"
  | "content-filter"
  | "flapping"
  | "html-instead-of-json"
  | "reset-before-response"
  | "black-hole"
  | "slow-headers"
  | "headers-then-silence"
  | "one-token-then-silence"
  | "reset-after-headers"
  | "cut-mid-token"
  | "cut-between-events"
  | "no-finish"
  | "error-event-after-200"
  | "invalid-json"
  | "invalid-utf8"
  | "huge-event"
  | "no-terminal-marker"
  | "no-usage"
  | "ignore-cancellation"
  | "wrong-content-type"
  | "gzip"
  | "slow-drip"
  | "bom"
  | "crlf"
  | "split-utf8"
  | "many-events-per-packet"
  | "comments"
  | "gzip-bomb"
  | "huge-body";

interface FaultEntry {
  readonly kind: FaultKind;
  /** N of `@N` where the script gives none. */
  readonly at?: number;
  /** The argument after `:` where the script gives none. */
  readonly argument?: string;
  readonly summary: string;
}

function entry(kind: FaultKind, summary: string, defaults: { at?: number; argument?: string } = {}): FaultEntry {
  return { kind, summary, ...defaults };
}

const AT_FIVE = { at: 5 };

export const faultCatalogue: Readonly<Record<FaultName, FaultEntry>> = {
  refuse: entry(
    "elsewhere",
    "Refused connection: not injectable on an open listener; `refusedUrl()` gives an address where nothing listens.",
  ),
  status: entry("before", "Answers with this HTTP status (`status=429` for short), in the API's own error shape.", {
    argument: "500",
  }),
  "bad-key": entry("before", "401 for API keys that end with the argument; other keys work.", { argument: "" }),
  "context-length": entry("before", "400: the prompt is longer than the model's context window."),
  "content-filter": entry("before", "400: the prompt was blocked by the content policy."),
  flapping: entry(
    "before",
    "503 for every k-th request of this script (`fault=flapping:3`); `every=k` does the same for any fault.",
    { argument: "2" },
  ),
  "html-instead-of-json": entry("before", "200 with an HTML page, as a broken proxy gives."),
  "reset-before-response": entry("before", "Resets the connection instead of answering; nothing was generated."),
  "black-hole": entry("before", "Accepts the request and never answers; the input is billed when the caller gives up."),
  "slow-headers": entry("framing", "Holds the response head back for the argument's milliseconds.", {
    argument: "2000",
  }),
  "headers-then-silence": entry("interruption", "Sends the head, then nothing, and keeps the connection open.", {
    at: 0,
  }),
  "one-token-then-silence": entry("interruption", "Sends one token (or N), then nothing.", { at: 1 }),
  "reset-after-headers": entry("interruption", "Sends the head, then resets the connection (`@N`: after N tokens).", {
    at: 0,
  }),
  "cut-mid-token": entry("interruption", "Closes the connection in the middle of an event.", AT_FIVE),
  "cut-between-events": entry("interruption", "Closes the connection between two events.", AT_FIVE),
  "no-finish": entry("interruption", "Ends the response cleanly without having said why it stopped.", AT_FIVE),
  "error-event-after-200": entry(
    "interruption",
    "An error event in the stream (or an error body under 200), then a clean end.",
    AT_FIVE,
  ),
  "invalid-json": entry(
    "interruption",
    "One event that is not JSON; a whole answer is cut in half, yet complete as HTTP.",
    AT_FIVE,
  ),
  "invalid-utf8": entry("interruption", "One event (or a whole answer) with a byte that is not UTF-8.", AT_FIVE),
  "huge-event": entry("interruption", "One event of the argument's megabytes.", { at: 5, argument: "16" }),
  "no-terminal-marker": entry("omission", "Says why it stopped, then ends without `[DONE]` or `message_stop`."),
  "no-usage": entry("omission", "A complete answer that reports no usage."),
  "ignore-cancellation": entry("omission", "Goes on generating, and billing, after the caller left."),
  "wrong-content-type": entry("framing", "The right bytes under `content-type: text/plain`."),
  gzip: entry("framing", "Valid gzip, whether the caller accepts it or not."),
  "slow-drip": entry("framing", "Sends the argument's number of bytes at a time, one piece per millisecond.", {
    argument: "7",
  }),
  bom: entry("framing", "A byte order mark before the first byte."),
  crlf: entry("framing", "Lines of the stream end in CR LF."),
  "split-utf8": entry("framing", "Many multi-byte characters, and pieces that end in the middle of one."),
  "many-events-per-packet": entry("framing", "Sends this many events in one piece.", { argument: "10" }),
  comments: entry("framing", "A comment (and for Anthropic a ping) before every event."),
  "gzip-bomb": entry("body", "A small gzip body that unpacks to the argument's megabytes; instead of a stream too.", {
    argument: "1024",
  }),
  "huge-body": entry("body", "A body of the argument's megabytes; instead of a stream too.", { argument: "1024" }),
};

/** A fault as the script asks for it, defaults filled in. */
export interface Fault {
  readonly name: FaultName;
  readonly kind: FaultKind;
  readonly at: number;
  readonly argument: string;
}

/** Reads `NAME`, `NAME@N`, `NAME:ARGUMENT` or `NAME:ARGUMENT@N`; `null` if there is no such fault. */
export function parseFault(text: string): Fault | null {
  const match = /^([a-z0-9-]+)(?::([^@]*))?(?:@(\d{1,9}))?$/.exec(text);
  if (!match) return null;
  const [, name = "", argument, at] = match;
  if (!Object.hasOwn(faultCatalogue, name)) return null;
  const found = faultCatalogue[name as FaultName];
  return {
    name: name as FaultName,
    kind: found.kind,
    at: at === undefined ? (found.at ?? 0) : Number(at),
    argument: argument ?? found.argument ?? "",
  };
}

/** A fault's argument as a number, or the fallback if it is none. */
export function faultNumber(fault: Fault, fallback: number): number {
  const value = Number(fault.argument);
  return fault.argument !== "" && Number.isFinite(value) && value >= 0 ? value : fallback;
}

export function findFault(faults: readonly Fault[], name: FaultName): Fault | null {
  for (const fault of faults) if (fault.name === name) return fault;
  return null;
}
