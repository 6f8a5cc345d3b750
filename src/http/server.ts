/**
 * The data plane's HTTP server on bare node:http. It turns each request into one exchange with a responder, ties the
 * caller's connection to the exchange's cancellation, and answers what the HTTP parser itself refuses. It knows
 * nothing of providers, prices or dialects beyond the name of the one spoken at a path.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { findDialect } from "../dialects/registry.ts";
import { HeadgateError, toHeadgateError } from "../kernel/errors.ts";
import { Roster } from "../kernel/roster.ts";
import { Exchange } from "../exchange/exchange.ts";
import { refuse, runExchange, runLocal, type ExchangeDeps } from "../exchange/run.ts";
import type { Snapshot } from "../exchange/snapshot.ts";
import { listModels, retrieveModel } from "./models.ts";
import { NodeIncoming } from "./node-incoming.ts";
import { NodeResponder } from "./node-responder.ts";
import { findRoute, type Route } from "./routes.ts";
import { answerParserError, refuseOnSocket, type LatestRequest } from "./unparsed.ts";

export interface HttpServerDeps extends ExchangeDeps {
  /** The snapshot that new requests run on. */
  readonly snapshot: () => Snapshot;
  /** Why the gateway is not ready to serve, or `null`. */
  readonly unreadyReason: () => string | null;
}

export interface HttpServer {
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Stops accepting; open connections go on until their requests end. */
  stopAccepting(): void;
  /** Cancels every exchange still running. */
  cancelAll(): void;
  /** Closes what is left of connections. */
  close(): Promise<void>;
}

/** Rejects when the port is taken or the address is not this machine's. */
export async function startHttpServer(deps: HttpServerDeps): Promise<HttpServer> {
  const { server: options, limits } = deps.snapshot().config;
  const open: Open = { running: new Roster(), latest: new WeakMap() };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    void handle(deps, open, request, response);
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: options.headerTimeoutMs,
      requestTimeout: 0,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, options.headerTimeoutMs),
      highWaterMark: limits.streamBufferBytes,
      noDelay: true,
      requireHostHeader: false,
    },
    onRequest,
  );
  server.maxConnections = limits.connections;
  server.maxHeadersCount = 0;
  server.on("checkContinue", onRequest);
  server.on("checkExpectation", onRequest);
  server.on("connect", (request, socket) => {
    const failure = new HeadgateError("method_not_allowed", "The gateway is not a proxy: it does not take CONNECT.", {
      allow: "GET, HEAD, POST",
    });
    const path = pathOf(request.url ?? "");
    refuseOnSocket(deps, socket, failure, { method: "CONNECT", path, headers: request.headers });
  });
  server.on("clientError", (error, socket) => {
    answerParserError(deps, error, socket, open.latest.get(socket) ?? null);
  });
  await listen(server, options.host, options.port);
  return {
    url: urlOf(server.address() as AddressInfo),
    stopAccepting() {
      server.close();
      server.closeIdleConnections();
    },
    cancelAll() {
      for (const exchange of open.running.members()) exchange.cancel("shutdown");
    },
    async close() {
      if (server.listening) server.close();
      server.closeAllConnections();
    },
  };
}

interface Open {
  readonly running: Roster<Exchange>;
  readonly latest: WeakMap<Duplex, LatestRequest>;
}

async function handle(
  deps: HttpServerDeps,
  open: Open,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = pathOf(request.url ?? "/");
  let route: Route | HeadgateError;
  try {
    route = findRoute(request.method ?? "GET", path);
  } catch (thrown) {
    route = toHeadgateError(thrown);
  }
  if (!(route instanceof HeadgateError) && (route.kind === "healthz" || route.kind === "readyz")) {
    answerHealth(response, deps.ids.next("req"), route.kind === "healthz" ? null : deps.unreadyReason());
    return;
  }
  const exchange = openExchange(deps, request, response, path, route);
  open.running.add(exchange);
  open.latest.set(request.socket, { request, response, exchange });
  response.on("drain", () => exchange.resume());
  response.on("close", () => {
    if (!response.writableFinished) exchange.cancel("caller-gone");
  });
  try {
    await dispatch(deps, exchange, request, route);
  } finally {
    open.running.delete(exchange);
    limitReading(request, response, exchange);
  }
}

/**
 * An answer that the caller does not read waits in memory: no longer than a provider may fall silent. Node restarts
 * the socket's timeout whenever any of it was taken, and closes the connection when it runs out.
 */
function limitReading({ socket }: IncomingMessage, response: ServerResponse, { snapshot }: Exchange): void {
  if (response.writableFinished || response.writableLength === 0) return;
  socket.setTimeout(snapshot.config.timeouts.idleMs);
  if (snapshot.config.server.keepAliveTimeoutMs === 0) response.once("finish", () => socket.setTimeout(0));
}

function dispatch(
  deps: HttpServerDeps,
  exchange: Exchange,
  request: IncomingMessage,
  route: Route | HeadgateError,
): Promise<void> {
  if (route instanceof HeadgateError) return refuse(deps, exchange, route);
  const { limits } = exchange.snapshot.config;
  if (request.headers.host === undefined && request.httpVersion === "1.1") {
    return refuse(deps, exchange, new HeadgateError("malformed_http", "An HTTP/1.1 request needs a Host header."));
  }
  if (request.rawHeaders.length > limits.headerCount * 2) {
    return refuse(
      deps,
      exchange,
      new HeadgateError(
        "headers_too_large",
        `The request has more than ${limits.headerCount} headers (limits.headerCount).`,
      ),
    );
  }
  switch (route.kind) {
    case "models":
      return runLocal(deps, exchange, (principal) => listModels(exchange.snapshot, principal));
    case "model":
      return runLocal(deps, exchange, (principal) => retrieveModel(exchange.snapshot, principal, route.id));
    default:
      return runExchange(deps, exchange);
  }
}

function openExchange(
  deps: HttpServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  route: Route | HeadgateError,
): Exchange {
  const snapshot = deps.snapshot();
  const { limits, server } = snapshot.config;
  const incoming = new NodeIncoming(request, response, path, deps.clock, {
    bodyBytes: limits.bodyBytes,
    bodyTimeoutMs: server.bodyTimeoutMs,
  });
  const dialect = findDialect(
    !(route instanceof HeadgateError) && route.kind === "inference" ? route.dialect : "openai-chat",
  );
  const head = {
    requestId: deps.ids.next("req"),
    startedAtMs: deps.clock.wallMs(),
    startedMs: deps.clock.monotonicMs(),
  };
  return new Exchange(head, incoming, new NodeResponder(response), snapshot, dialect);
}

function answerHealth(response: ServerResponse, requestId: string, unready: string | null): void {
  const body = JSON.stringify(unready === null ? { status: "ok" } : { status: "unavailable", reason: unready });
  response.writeHead(unready === null ? 200 : 503, {
    "x-request-id": requestId,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

/** Of a request target in origin form, or in absolute form, which a server has to take, too (RFC 9112, 3.2.2). */
function pathOf(target: string): string {
  const url = target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?]*/i, "");
  const query = url.indexOf("?");
  return (query === -1 ? url : url.slice(0, query)) || "/";
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function urlOf(address: AddressInfo): string {
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
