/**
 * Requests that never become a request of node:http: header floods, slow heads, garbage, `CONNECT`. They get the same
 * error shape, a request id and a record, and the connection is closed.
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
import type { HttpServerDeps } from "./server.ts";

/** `latest`: what the connection is busy with; `null` if it is idle. */
export function answerParserError(
  deps: HttpServerDeps,
  error: NodeJS.ErrnoException,
  socket: Duplex,
  latest: OpenRequest | null,
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const failure = refusalOf(error, deps);
  if (latest === null || latest.response.writableFinished) {
    void refuseOnSocket(deps, socket, failure, NO_HEAD);
  } else if (latest.request.complete) {
    latest.response.once("close", () => {
      if (socket.writable) void refuseOnSocket(deps, socket, failure, NO_HEAD);
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
  const exchange = new Exchange(started, incoming, responder, deps.snapshot(), answerDialect(failure, head.headers));
  try {
    await refuse(deps, exchange, failure);
  } catch (thrown) {
    deps.telemetry.requestBroke(started.requestId, thrown);
    socket.destroy();
  }
}

function refusalOf(error: NodeJS.ErrnoException, deps: HttpServerDeps): HeadgateError {
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
