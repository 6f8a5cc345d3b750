/** What a provider's bytes mean when they are not an event stream: a whole answer, a refusal, or something broken. */
import { isUtf8 } from "node:buffer";
import { parseExactJson } from "../../dialects/exact-json.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { ResponseReading } from "../../dialects/dialect.ts";
import { emptyReading } from "../../dialects/empty-reading.ts";
import { ConnectionsInUse, type UpstreamHeaders } from "../../providers/transport.ts";
import type { AttemptCall } from "./call.ts";

interface WholeAnswer {
  readonly json: unknown;
  readonly reading: ResponseReading;
  /** Why it cannot be handed on although it was read and is charged. */
  readonly failure: HeadgateError | null;
  /** The status of an error that came in a success. */
  readonly refusedWith: number | null;
}

/** Throws `upstream_malformed` for what is no answer of the dialect. */
export function readWholeAnswer(
  call: AttemptCall,
  bytes: Uint8Array,
  status: number,
  headers: UpstreamHeaders,
): WholeAnswer {
  const json = parseAnswer(call, bytes);
  const refusedWith = errorStatus(json, status);
  if (refusedWith !== null) {
    const failure = call.outbound.readError(refusedWith, headers, bytes, 0);
    return { json, reading: emptyReading(), failure, refusedWith };
  }
  const reading = call.outbound.readResponse(json, call.target.facts.quirks);
  return { json, reading, failure: call.stream ? notAStream(call) : unfinished(call, reading), refusedWith };
}

/** What generates says why it stopped; an answer that does not is not the whole one. */
function unfinished({ outbound, providerName }: AttemptCall, { finish }: ResponseReading): HeadgateError | null {
  if (finish !== null || outbound.generates === false) return null;
  const message = `Provider ${providerName} answered without saying why it stopped, so its answer may be cut short.`;
  return new HeadgateError("stream_truncated", message);
}

function notAStream(call: AttemptCall): HeadgateError {
  const message = `Provider ${call.providerName} answered a streaming request with something that is not a stream.`;
  return new HeadgateError("upstream_malformed", message);
}

export function tooLarge(call: AttemptCall): HeadgateError {
  const message = `The provider's answer is larger than limits.responseBytes (${call.responseBytesMax}).`;
  return new HeadgateError("upstream_too_large", message);
}

export function readRefusal(
  call: AttemptCall,
  body: Uint8Array,
  status: number,
  headers: UpstreamHeaders,
  wallMs: number,
): HeadgateError {
  if (status >= 300 && status < 400) {
    return new HeadgateError(
      "upstream_malformed",
      `Provider ${call.providerName} answered with a redirect (${status}), which the gateway does not follow. The operator checks its baseUrl.`,
      { shouldRetry: false },
    );
  }
  return call.outbound.readError(status, headers, body, wallMs);
}

/** Undici's code when its own limit of a dial ran out before the attempt's. */
const DIAL_TIMEOUT = "UND_ERR_CONNECT_TIMEOUT";

/** A head that undici's parser cannot read, or that is beyond all measure (undici, lib/core/errors.js). */
function isNoHttp({ name, code }: NodeJS.ErrnoException): boolean {
  return name === "HTTPParserError" || code === "UND_ERR_HEADERS_OVERFLOW";
}

/** The connection failed: before any answer, or (`answered`) in the middle of one. */
export function connectionError(call: AttemptCall, answered: boolean, cause: Error): HeadgateError {
  const { code } = cause as NodeJS.ErrnoException;
  const detail = code === undefined ? "" : ` (${code})`;
  if (answered) {
    return new HeadgateError(
      "stream_truncated",
      `The connection to provider ${call.providerName} broke in the middle of its answer${detail}.`,
      { cause },
    );
  }
  if (cause instanceof ConnectionsInUse) return noConnection(call, cause);
  if (isNoHttp(cause)) {
    const message = `Provider ${call.providerName} answered with something that is not HTTP${detail}. The operator checks its baseUrl.`;
    return new HeadgateError("upstream_malformed", message, { cause });
  }
  if (code === DIAL_TIMEOUT) {
    return new HeadgateError(
      "connect_timeout",
      `No connection to provider ${call.providerName} came about, for as long as the gateway dials at the most. The operator checks its baseUrl and the network.`,
      {
        cause,
      },
    );
  }
  return new HeadgateError(
    "upstream_unreachable",
    `Provider ${call.providerName} could not be reached, or closed the connection before answering${detail}.`,
    { cause },
  );
}

/** The gateway's own lack of room, for which the provider is not to blame. */
function noConnection({ providerName }: AttemptCall, cause: ConnectionsInUse): HeadgateError {
  const message = `All ${cause.most} connections to provider ${providerName} are in use (limits.connectionsPerProvider). Try again in a moment; the operator raises it, or bounds the provider's concurrency, so that requests wait in turn.`;
  return new HeadgateError("overloaded", message, { cause, retryAfterMs: NO_CONNECTION_RETRY_MS });
}

const NO_CONNECTION_RETRY_MS = 1_000;
const BYTE_ORDER_MARK = "\ufeff";

function parseAnswer(call: AttemptCall, bytes: Uint8Array): unknown {
  const malformed = (what: string, cause?: unknown): HeadgateError =>
    new HeadgateError("upstream_malformed", `Provider ${call.providerName} answered with ${what}.`, { cause });
  if (bytes.byteLength === 0) throw malformed("an empty body");
  if (!isUtf8(bytes)) throw malformed("text that is not valid UTF-8");
  try {
    const decoded = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
    const text = decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
    return call.translateAnswer === null ? JSON.parse(text) : parseExactJson(text);
  } catch (cause) {
    throw malformed(bytes[0] === 0x3c ? "a web page instead of JSON" : "something that is not JSON", cause);
  }
}

/**
 * The status of an answer that is an error for all its success: `{"error": {…}}`, or `{"error": "…"}` as some servers
 * put it. A numeric `code` is that status (OpenRouter); else it counts as the provider's own failure.
 */
function errorStatus(json: unknown, status: number): number | null {
  if (typeof json !== "object" || json === null) return null;
  const error = (json as { error?: unknown }).error;
  if (typeof error === "string" ? error === "" : typeof error !== "object" || error === null) return null;
  const code = typeof error === "object" ? (error as { code?: unknown }).code : null;
  if (typeof code === "number" && code >= 400 && code <= 599) return code;
  return status === 200 ? 502 : status;
}
