/**
 * Requests that the HTTP parser refuses before there is a request object: header floods, slow heads, garbage. They get
 * the same error shape, a request id and a record, and the connection is closed.
 */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { findDialect } from "../dialects/registry.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { Exchange, type Incoming } from "../exchange/exchange.ts";
import type { Responder } from "../exchange/responder.ts";
import { refuse } from "../exchange/run.ts";
import type { HttpServerDeps } from "./server.ts";

export function answerParserError(deps: HttpServerDeps, error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable || (socket as { bytesWritten?: number }).bytesWritten !== 0) {
    socket.destroy();
    return;
  }
  const head = {
    requestId: deps.ids.next("req"),
    startedAtMs: deps.clock.wallMs(),
    startedMs: deps.clock.monotonicMs(),
  };
  const exchange = new Exchange(
    head,
    unreadable,
    new SocketResponder(socket),
    deps.snapshot(),
    findDialect("openai-chat"),
  );
  void refuse(deps, exchange, refusalOf(error, deps));
}

const unreadable: Incoming = {
  method: "",
  path: "",
  headers: {},
  bodyRead: false,
  readBody: () => Promise.reject(new HeadgateError("internal", "A refused head has no body.")),
};

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
  readonly #socket: Duplex;
  bytesOut = 0;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  send(status: number, headers: string[], body: Uint8Array): void {
    const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`];
    for (let index = 0; index + 1 < headers.length; index += 2) {
      if (headers[index] !== "connection") lines.push(`${headers[index]}: ${headers[index + 1]}`);
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
