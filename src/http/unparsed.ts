/**
 * Requests that never become a request of node:http: header floods, slow heads, garbage, `CONNECT`. They get the same
 * error shape, a request id and a record, and the connection is closed. The shape is that of the API whose path the
 * request line names, where that is there to be read.
 *
 * Invariant: responses leave in the order of their requests. What cannot be parsed is answered after whatever is
 * still being answered on the connection; if it is the body of that very request, the request fails with it. A
 * connection that ends in the middle of a body is a caller who left.
 */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { HeadgateError } from "../kernel/errors.ts";
import { Exchange, type Incoming } from "../exchange/exchange.ts";
import type { Responder } from "../exchange/responder.ts";
import { refuse } from "../exchange/run.ts";
import { answerDialect } from "./answer-dialect.ts";
import { makeHeaderValuesSafe } from "./header-values.ts";
import type { OpenRequest } from "./open-requests.ts";
import { pathOf } from "./routes.ts";
import type { HttpServerDeps } from "./server.ts";

/** Of node:http's `clientError`. Without a packet where time ran out. */
interface ParserError extends NodeJS.ErrnoException {
  /** What came last from the connection: what could not be parsed, or a part of it, or more. */
  readonly rawPacket?: Uint8Array;
  /** So much of it was parsed. */
  readonly bytesParsed?: number;
}

/** `latest`: what the connection is busy with; `null` if it is idle. */
export function answerParserError(
  deps: HttpServerDeps,
  error: ParserError,
  socket: Duplex,
  latest: OpenRequest | null,
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const failure = refusalOf(error, deps);
  const head = headIn(error);
  if (latest === null || latest.response.writableFinished) {
    void refuseOnSocket(deps, socket, failure, head);
  } else if (latest.request.complete) {
    latest.response.once("close", () => {
      if (socket.writable) void refuseOnSocket(deps, socket, failure, head);
    });
  } else if (error.code === "HPE_INVALID_EOF_STATE") {
    socket.destroy();
  } else {
    latest.exchange.incoming.refuseBody(failure);
  }
}

interface Head {
  readonly method: string;
  readonly path: string;
  readonly headers: Incoming["headers"];
}

const NO_HEAD: Head = { method: "", path: "", headers: {} };
/** More than any path of ours. */
const REQUEST_LINE_CHARS_MAX = 1_024;
const REQUEST_LINE = /^(?:\r\n)*([A-Z]{1,20}) ([!-~]+) HTTP\/\d\.\d\r\n/;

/** As much of it as can be read: nothing where it came in several packets, or behind another request in one. */
function headIn({ rawPacket, bytesParsed = 0 }: ParserError): Head {
  if (rawPacket === undefined) return NO_HEAD;
  const packet = Buffer.from(rawPacket.buffer, rawPacket.byteOffset, rawPacket.byteLength);
  const line = REQUEST_LINE.exec(packet.toString("latin1", 0, REQUEST_LINE_CHARS_MAX));
  if (line === null || packet.subarray(0, bytesParsed).includes("\r\n\r\n", line[0].length - 2)) return NO_HEAD;
  return { method: line[1] ?? "", path: pathOf(line[2] ?? ""), headers: {} };
}

/** Answers on the bare socket and closes it. Never rejects. */
export async function refuseOnSocket(
  deps: HttpServerDeps,
  socket: Duplex,
  failure: HeadgateError,
  head: Head,
): Promise<void> {
  const started = {
    requestId: deps.ids.next("req"),
    startedAtMs: deps.clock.wallMs(),
    startedMs: deps.clock.monotonicMs(),
  };
  const incoming: Incoming = {
    ...head,
    readBody: () => Promise.reject(new HeadgateError("internal", "A refused head has no body.")),
    refuseBody: () => false,
  };
  const responder = new SocketResponder(socket);
  const exchange = new Exchange(started, incoming, responder, deps.snapshot(), answerDialect(head.path, head.headers));
  try {
    await refuse(deps, exchange, failure);
  } catch (thrown) {
    deps.telemetry.requestBroke(started.requestId, thrown);
    socket.destroy();
  }
}

function refusalOf(error: ParserError, deps: HttpServerDeps): HeadgateError {
  const { limits, server } = deps.snapshot().config;
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return new HeadgateError(
        "headers_too_large",
        `The request's headers are larger than ${limits.headerBytes} bytes (limits.headerBytes).`,
      );
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new HeadgateError(
        "header_timeout",
        `The request's head did not arrive within ${server.headerTimeoutMs} ms (server.headerTimeoutMs).`,
      );
    default:
      return new HeadgateError("malformed_http", "The request is not valid HTTP/1.1.", { cause: error });
  }
}

/** Writes one whole response on a bare socket and closes it. */
class SocketResponder implements Responder {
  readonly headSent = false;
  readonly unreadBytes = 0;
  readonly #socket: Duplex;
  bytesOut = 0;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  send(status: number, headers: string[], body: Uint8Array): void {
    makeHeaderValuesSafe(headers);
    const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`];
    for (let index = 0; index + 1 < headers.length; index += 2) {
      lines.push(`${headers[index]}: ${headers[index + 1]}`);
    }
    lines.push(`content-length: ${body.byteLength}`, "connection: close", "", "");
    this.bytesOut = body.byteLength;
    this.#socket.write(lines.join("\r\n"));
    this.#socket.end(body);
  }

  start(): void {
    this.destroy();
  }

  write(): boolean {
    return true;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
