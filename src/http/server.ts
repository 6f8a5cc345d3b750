/**
 * The data plane's HTTP server on bare node:http. It turns each request into one exchange with a responder, ties the
 * caller's connection to the exchange's cancellation, and answers what the HTTP parser itself refuses. It knows
 * nothing of providers, prices or dialects beyond the name of the one spoken at a path.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Server as NetServer, type AddressInfo } from "node:net";
import type { Dialect } from "../dialects/dialect.ts";
import { findDialect } from "../dialects/registry.ts";
import type { Clock, Timer } from "../kernel/clock.ts";
import { HeadgateError, toHeadgateError } from "../kernel/errors.ts";
import { Exchange } from "../exchange/exchange.ts";
import { refuse, runExchange, runLocal, type ExchangeDeps } from "../exchange/run.ts";
import type { Snapshot } from "../exchange/snapshot.ts";
import { BodyBudget } from "./body-budget.ts";
import { answerDialect } from "./answer-dialect.ts";
import { answerCostEstimate } from "./cost-estimate.ts";
import { listModels, retrieveModel } from "./models.ts";
import { NodeIncoming } from "./node-incoming.ts";
import { NodeResponder } from "./node-responder.ts";
import { OpenRequest, OpenRequests } from "./open-requests.ts";
import { answerRouteExplain } from "./route-explain.ts";
import { answerTokenCount } from "./token-count.ts";
import { findRoute, pathOf, type Route } from "./routes.ts";
import { answerParserError, refuseOnSocket } from "./unparsed.ts";

export interface HttpServerDeps extends ExchangeDeps {
  /** The snapshot that new requests run on. */
  readonly snapshot: () => Snapshot;
  /** Why the gateway is not ready to serve, or `null`. */
  readonly unreadyReason: () => string | null;
}

export interface HttpServer {
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Stops accepting. Open requests go on until their answers are delivered; each then closes its connection. */
  stopAccepting(): void;
  /** Cancels every exchange still running. What its caller has not taken shortly afterwards is cut off. */
  cancelAll(): void;
  /** Waits until every answer is delivered or lost, and closes what is left of connections. */
  close(): Promise<void>;
}

/** How long the last words of cancelled exchanges may take to their callers. */
const LAST_WORDS_MS = 1_000;

/** Rejects when the port is taken or the address is not this machine's. */
export async function startHttpServer(deps: HttpServerDeps): Promise<HttpServer> {
  const { server: options, limits } = deps.snapshot().config;
  const place: Place = { open: new OpenRequests(), bodies: new BodyBudget() };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void handle(deps, place, request, response);
  };
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
    void refuseOnSocket(deps, socket, failure, { method: "CONNECT", path, headers: request.headers });
  });
  server.on("clientError", (error, socket) => {
    answerParserError(deps, error, socket, place.open.latestOn(socket));
  });
  await listen(server, options.host, options.port);
  return {
    url: urlOf(server.address() as AddressInfo),
    ...createClosing(deps.clock, server, place.open),
  };
}

/** What all requests share. */
interface Place {
  readonly open: OpenRequests;
  readonly bodies: BodyBudget;
}

/**
 * Node takes a connection as idle as soon as its answer was written, though it may not have left yet, and destroys it;
 * so idle connections are closed only while no answer is on its way, and once more after each that has arrived.
 */
function createClosing(clock: Clock, server: Server, open: OpenRequests): Omit<HttpServer, "url"> {
  const closeIdle = (): void => {
    if (!open.delivering) server.closeIdleConnections();
  };
  let lastWords: Timer | null = null;
  return {
    stopAccepting() {
      NetServer.prototype.close.call(server);
      open.drain(closeIdle);
      closeIdle();
    },
    cancelAll() {
      open.cancelAll();
      lastWords ??= clock.setTimer(() => server.closeAllConnections(), LAST_WORDS_MS);
    },
    async close() {
      await open.drained;
      lastWords?.cancel();
      server.close();
      server.closeAllConnections();
    },
  };
}

async function handle(
  deps: HttpServerDeps,
  place: Place,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let open: OpenRequest | null = null;
  try {
    const path = pathOf(request.url ?? "/");
    const route = routeOf(request, path);
    if (!(route instanceof HeadgateError) && (route.kind === "healthz" || route.kind === "readyz")) {
      answerHealth(
        new NodeResponder(response, place.open),
        deps.ids.next("req"),
        route.kind === "healthz" ? null : deps.unreadyReason(),
      );
      return;
    }
    open = openRequest(deps, place, request, response, path);
    await dispatch(deps, open.exchange, request, route);
  } catch (thrown) {
    const { requestId, dialect } = open?.exchange ?? {
      requestId: deps.ids.next("req"),
      dialect: findDialect("openai-chat"),
    };
    answerBug(deps, response, requestId, dialect, thrown);
  } finally {
    if (open !== null) {
      place.open.handled(open);
      limitReading(open);
    }
  }
}

function routeOf(request: IncomingMessage, path: string): Route | HeadgateError {
  try {
    return findRoute(request.method ?? "GET", path);
  } catch (thrown) {
    return toHeadgateError(thrown);
  }
}

/** Whatever a bug throws ends its own request and nothing else. */
function answerBug(
  deps: HttpServerDeps,
  response: ServerResponse,
  requestId: string,
  { inbound }: Dialect,
  thrown: unknown,
): void {
  deps.telemetry.requestBroke(requestId, thrown);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response.shouldKeepAlive = false;
  response.writeHead(500, { "x-request-id": requestId, "content-type": "application/json" });
  response.end(inbound?.encodeError(toHeadgateError(thrown), requestId));
}

/**
 * An answer that the caller does not read waits in memory: no longer than a provider may fall silent. Node restarts
 * the socket's timeout whenever any of it was taken, and closes the connection when it runs out.
 */
function limitReading({ request: { socket }, response, exchange: { snapshot } }: OpenRequest): void {
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
      return runLocal(deps, exchange, (principal) => listModels(exchange, principal));
    case "model":
      return runLocal(deps, exchange, (principal) => retrieveModel(exchange, principal, route.id));
    case "token-count":
      return runLocal(deps, exchange, (principal) => answerTokenCount(exchange, principal));
    case "cost-estimate":
      return runLocal(deps, exchange, (principal) => answerCostEstimate(deps.limits, exchange, principal));
    case "route-explain":
      return runLocal(deps, exchange, (principal) => answerRouteExplain(deps, exchange, principal));
    default:
      return runExchange(deps, exchange);
  }
}

function openRequest(
  deps: HttpServerDeps,
  { open: openRequests, bodies }: Place,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): OpenRequest {
  const snapshot = deps.snapshot();
  const { limits, server } = snapshot.config;
  const { bodyBytes, bufferedBytes } = limits;
  const bodyLimits = { bodyBytes, bufferedBytes, bodyTimeoutMs: server.bodyTimeoutMs };
  const incoming = new NodeIncoming(request, response, path, deps.clock, bodyLimits, bodies);
  const dialect = answerDialect(path, request.headers);
  const head = {
    requestId: deps.ids.next("req"),
    startedAtMs: deps.clock.wallMs(),
    startedMs: deps.clock.monotonicMs(),
  };
  const exchange = new Exchange(head, incoming, new NodeResponder(response, openRequests), snapshot, dialect);
  const open = new OpenRequest(request, response, incoming, exchange);
  openRequests.add(open);
  response.on("drain", () => exchange.resume());
  response.on("close", () => {
    if (!response.writableFinished) exchange.cancel("caller-gone");
    openRequests.closed(open);
  });
  return open;
}

function answerHealth(responder: NodeResponder, requestId: string, unready: string | null): void {
  const body = JSON.stringify(unready === null ? { status: "ok" } : { status: "unavailable", reason: unready });
  const headers = ["x-request-id", requestId, "content-type", "application/json"];
  responder.send(unready === null ? 200 : 503, headers, Buffer.from(body));
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
