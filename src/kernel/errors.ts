/**
 * The closed catalogue of errors. Every failure a person or a program can meet has one literal `code`, whose
 * fault it is, whether trying again can help, and the HTTP status it becomes. Inbound codecs turn these into
 * each dialect's shape; `docs/reference/errors.md` is generated from this table.
 */
export type Fault = "caller" | "operator" | "upstream" | "gateway";
export type Retry = "never" | "same-target" | "other-target";

interface ErrorKind {
  /** HTTP status the caller sees, unless the failure carries the provider's own. */
  readonly status: number;
  readonly fault: Fault;
  readonly retry: Retry;
  /** One sentence for the reference page. */
  readonly summary: string;
}

function kind(status: number, fault: Fault, retry: Retry, summary: string): ErrorKind {
  return { status, fault, retry, summary };
}

export type ErrorCode =
  | "invalid_json"
  | "invalid_encoding"
  | "duplicate_field"
  | "nesting_too_deep"
  | "missing_field"
  | "invalid_value"
  | "unsupported_parameter"
  | "unsupported_capability"
  | "invalid_header"
  | "missing_api_key"
  | "invalid_api_key"
  | "expired_api_key"
  | "revoked_api_key"
  | "model_not_allowed"
  | "model_not_found"
  | "route_not_found"
  | "method_not_allowed"
  | "header_timeout"
  | "body_timeout"
  | "body_too_large"
  | "unsupported_media_type"
  | "headers_too_large"
  | "malformed_http"
  | "client_closed"
  | "idempotency_mismatch"
  | "idempotency_running"
  | "idempotency_answer_lost"
  | "unpriced_model"
  | "budget_exhausted"
  | "rate_limited"
  | "slots_exhausted"
  | "owner_fenced"
  | "deadline_exceeded"
  | "total_timeout"
  | "connect_timeout"
  | "first_token_timeout"
  | "idle_timeout"
  | "upstream_unreachable"
  | "upstream_rejected"
  | "upstream_rate_limited"
  | "upstream_credentials"
  | "upstream_overloaded"
  | "upstream_failed"
  | "upstream_malformed"
  | "upstream_too_large"
  | "stream_truncated"
  | "stream_differs"
  | "overloaded"
  | "target_unavailable"
  | "target_limited"
  | "shutting_down"
  | "storage_unavailable"
  | "storage_unusable"
  | "not_found"
  | "already_exists"
  | "invalid_argument"
  | "internal";

export const errorCatalogue: Readonly<Record<ErrorCode, ErrorKind>> = {
  invalid_json: kind(400, "caller", "never", "The body is not valid JSON; the message gives line and column."),
  invalid_encoding: kind(400, "caller", "never", "The body is not valid UTF-8; the message gives the byte offset."),
  duplicate_field: kind(400, "caller", "never", "An object in the body names the same field twice."),
  nesting_too_deep: kind(400, "caller", "never", "The body nests arrays and objects deeper than `limits.jsonDepth`."),
  missing_field: kind(400, "caller", "never", "A required field is absent."),
  invalid_value: kind(400, "caller", "never", "A field has the wrong type or a value outside its range."),
  unsupported_parameter: kind(
    400,
    "caller",
    "never",
    "The target cannot carry this field; leaving it out would change the answer.",
  ),
  unsupported_capability: kind(
    400,
    "caller",
    "never",
    "No configured target of the model can serve what the request asks for.",
  ),
  invalid_header: kind(400, "caller", "never", "A request header has a value that cannot be used."),
  missing_api_key: kind(401, "caller", "never", "No API key was sent."),
  invalid_api_key: kind(401, "caller", "never", "The API key is not known."),
  expired_api_key: kind(401, "caller", "never", "The API key has expired."),
  revoked_api_key: kind(401, "caller", "never", "The API key was revoked."),
  model_not_allowed: kind(403, "caller", "never", "The key's allow-list does not contain the model."),
  model_not_found: kind(404, "caller", "never", "No alias or provider serves the model; near names are suggested."),
  route_not_found: kind(404, "caller", "never", "No such path."),
  method_not_allowed: kind(405, "caller", "never", "The path exists, but not for this method."),
  header_timeout: kind(408, "caller", "never", "The request's head did not arrive within `server.headerTimeoutMs`."),
  body_timeout: kind(408, "caller", "never", "The body did not arrive within `server.bodyTimeoutMs`."),
  body_too_large: kind(413, "caller", "never", "The body is larger than `limits.bodyBytes`."),
  unsupported_media_type: kind(415, "caller", "never", "The body's content type or encoding is not accepted."),
  headers_too_large: kind(
    431,
    "caller",
    "never",
    "The headers are larger than `limits.headerBytes` or more than `limits.headerCount`.",
  ),
  malformed_http: kind(400, "caller", "never", "The request is not valid HTTP/1.1."),
  client_closed: kind(499, "caller", "never", "The caller closed the connection before the answer was complete."),
  idempotency_mismatch: kind(
    422,
    "caller",
    "never",
    "The `Idempotency-Key` was used for a request with another method, path or body.",
  ),
  idempotency_running: kind(
    409,
    "caller",
    "same-target",
    "The request with this `Idempotency-Key` is still running, and its answer cannot be followed from here; `retry-after` says when to ask again.",
  ),
  idempotency_answer_lost: kind(
    409,
    "caller",
    "never",
    "The request with this `Idempotency-Key` was answered, but its answer is not kept: it was larger than `idempotency.answerBytes`, or the store was out of reach and `limits.heldBytes` had no room for it.",
  ),
  unpriced_model: kind(
    400,
    "operator",
    "never",
    "The model, or one that may serve in its place, has no price, and `prices.unknownModel` refuses such calls: all, or those that a budget of money could not limit.",
  ),
  budget_exhausted: kind(
    402,
    "caller",
    "never",
    "A money, token or request budget is used up; `x-headgate-allowance` names it. With `retry-after` only where the rest is merely held by requests in flight.",
  ),
  rate_limited: kind(
    429,
    "caller",
    "same-target",
    "A rate of requests or tokens is exceeded; `x-headgate-allowance` names it and `retry-after` says when there is room.",
  ),
  slots_exhausted: kind(
    429,
    "caller",
    "same-target",
    "As many requests as an allowance permits are running at the same time; `x-headgate-allowance` names it.",
  ),
  owner_fenced: kind(
    503,
    "gateway",
    "same-target",
    "This process was out of touch with the store for longer than its lease and must begin anew; nothing was called.",
  ),
  deadline_exceeded: kind(504, "caller", "never", "The caller's own deadline passed."),
  total_timeout: kind(504, "upstream", "other-target", "The answer was not complete within `timeouts.totalMs`."),
  connect_timeout: kind(504, "upstream", "other-target", "No connection to the provider within `timeouts.connectMs`."),
  first_token_timeout: kind(
    504,
    "upstream",
    "other-target",
    "No output from the provider within `timeouts.firstTokenMs`.",
  ),
  idle_timeout: kind(504, "upstream", "other-target", "The provider fell silent for `timeouts.idleMs` in mid-answer."),
  upstream_unreachable: kind(
    502,
    "upstream",
    "same-target",
    "The provider could not be reached, or reset the connection before answering.",
  ),
  upstream_rejected: kind(
    400,
    "caller",
    "never",
    "The provider refused the request; its status and message are passed on.",
  ),
  upstream_rate_limited: kind(
    429,
    "upstream",
    "other-target",
    "The provider is rate limiting; `retry-after` is passed on.",
  ),
  upstream_credentials: kind(502, "operator", "other-target", "The provider refused the gateway's own credential."),
  upstream_overloaded: kind(529, "upstream", "other-target", "The provider says that it is overloaded."),
  upstream_failed: kind(502, "upstream", "same-target", "The provider answered with a server error."),
  upstream_malformed: kind(502, "upstream", "same-target", "The provider's answer could not be understood."),
  upstream_too_large: kind(502, "upstream", "never", "The provider's answer is larger than `limits.responseBytes`."),
  stream_differs: kind(
    502,
    "gateway",
    "other-target",
    "An attempt that was to continue a broken stream said something else than what had been sent. Seen in records only: callers are told why the stream broke.",
  ),
  stream_truncated: kind(
    502,
    "upstream",
    "same-target",
    "The provider's answer ended, or its connection broke, before it said that it was finished.",
  ),
  overloaded: kind(
    503,
    "gateway",
    "same-target",
    "The gateway, or the provider asked for, is at its configured limit; `retry-after` says when to try again.",
  ),
  target_unavailable: kind(
    503,
    "gateway",
    "same-target",
    "Every target that could serve the request is left alone for a moment, because calls of it have failed of late; `retry-after` says until when. Nothing was called.",
  ),
  target_limited: kind(
    429,
    "gateway",
    "same-target",
    "No target can serve the request for a moment, because a provider limits its rate: it has asked for a pause, or calls leave for it at the pace that it takes. `retry-after` says when to try again. Nothing was called.",
  ),
  shutting_down: kind(503, "gateway", "same-target", "The gateway is shutting down."),
  storage_unavailable: kind(
    503,
    "gateway",
    "same-target",
    "The record of the request could not be committed. Before the call: it was not made. After it: the provider answered and bills it, the answer is withheld, and the record is written as soon as the store takes it.",
  ),
  storage_unusable: kind(
    500,
    "operator",
    "never",
    "The store cannot be opened or was written by a newer program; the message says why.",
  ),
  not_found: kind(
    404,
    "caller",
    "never",
    "An operation names something that does not exist: a tenant, a key, an allowance.",
  ),
  already_exists: kind(409, "caller", "never", "An operation would create a name that is taken."),
  invalid_argument: kind(400, "caller", "never", "An argument of an operation has a value that cannot be used."),
  internal: kind(500, "gateway", "same-target", "A bug in the gateway; the log has the cause under the request id."),
};

export interface ErrorOptions {
  /** Overrides the catalogue's: an allowance for some models only may leave others. */
  readonly retry?: Retry;
  /** Overrides the catalogue's status: only for an upstream refusal, whose own status is passed on. */
  readonly status?: number;
  /** The field, header or flag at fault, as the person wrote it: `messages[2].content`. */
  readonly param?: string;
  /** Methods that the path takes; becomes `allow`. */
  readonly allow?: string;
  /** The name of the allowance that refused; becomes `x-headgate-allowance`. */
  readonly allowance?: string;
  /** Milliseconds after which trying again can help; becomes `retry-after` and `retry-after-ms`. */
  readonly retryAfterMs?: number;
  /** What the provider said in `x-should-retry`; becomes that header. */
  readonly shouldRetry?: boolean;
  /** The provider's own error body in its own words, where one was received. */
  readonly upstream?: { readonly type: string | null; readonly code: string | null };
  readonly cause?: unknown;
}

export class HeadgateError extends Error {
  override readonly name = "HeadgateError";
  readonly code: ErrorCode;
  readonly fault: Fault;
  readonly retry: Retry;
  readonly status: number;
  readonly param: string | null;
  readonly allow: string | null;
  readonly allowance: string | null;
  readonly retryAfterMs: number | null;
  /** `null`: the provider did not say. */
  readonly shouldRetry: boolean | null;
  readonly upstream: { readonly type: string | null; readonly code: string | null } | null;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const entry = errorCatalogue[code];
    this.code = code;
    this.fault = entry.fault;
    this.retry = options.retry ?? entry.retry;
    this.status = options.status ?? entry.status;
    this.param = options.param ?? null;
    this.allow = options.allow ?? null;
    this.allowance = options.allowance ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.shouldRetry = options.shouldRetry ?? null;
    this.upstream = options.upstream ?? null;
  }
}

/** Turns whatever was thrown into a catalogue error; anything unknown is our own bug and becomes `internal`. */
export function toHeadgateError(thrown: unknown): HeadgateError {
  if (thrown instanceof HeadgateError) return thrown;
  return new HeadgateError(
    "internal",
    "The gateway failed on this request. The operator finds the cause in the log under the request id.",
    {
      cause: thrown,
    },
  );
}
