/**
 * The simulator: the providers' side of the wire, on a real socket, behaving as scripted. It is what demonstrations,
 * tests and benchmarks talk to. It shares no codec with the gateway, so that it can prove the gateway right, and it
 * keeps its own invoice (invoice.ts) for comparison with the gateway's ledger.
 *
 * Chosen per request: model name and script (script.ts), faults (faults.ts). The same request gives the same answer as
 * long as the seed is the same. It takes any API key, or none, and costs nobody anything.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import type { Clock } from "../kernel/clock.ts";
import { control, readStats, type SimulatorStats } from "./control.ts";
import type { InvoiceLine } from "./invoice.ts";
import { parseScript } from "./script.ts";
import { sendRefusal, serve } from "./serve.ts";
import { Simulation } from "./simulation.ts";
import { createAnthropicWire } from "./wire/anthropic.ts";
import { createEmbeddingsWire } from "./wire/embeddings.ts";
import { createOpenAiWire } from "./wire/openai.ts";
import { Refusal, type Wire } from "./wire/wire.ts";

export interface SimulatorOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default 1. */
  readonly seed?: number;
  /** Lines of the invoice kept; default 2,000,000 (at about 100 bytes each). */
  readonly invoiceLinesMax?: number;
  /** Largest request body in bytes; default 64 MiB. */
  readonly bodyBytes?: number;
  /** The script of requests that bring none, e.g. `ttft=150,rate=80` to type at a human pace. Default empty. */
  readonly defaultScript?: string;
  /** Refuse requests without an API key with 401, as real providers do; default false. Any key will do. */
  readonly requireKey?: boolean;
  /** How long running answers may go on after closing begins, in milliseconds; default 0. */
  readonly closeGraceMs?: number;
}

export interface Simulator extends AsyncDisposable {
  /** Without a trailing slash and without `/v1`. */
  readonly url: string;
  readonly port: number;
  /** The invoice, oldest line first; of one API key if its last characters are given. */
  invoice(options?: { readonly key?: string; readonly after?: number; readonly limit?: number }): InvoiceLine[];
  stats(): SimulatorStats;
  /** Empties the invoice and the counters; running requests go on. */
  reset(): void;
  /** An address on this host where nothing listens, so that connections are refused. */
  refusedUrl(): Promise<string>;
}

const BODY_BYTES_DEFAULT = 64 * 1_048_576;
const INVOICE_LINES_DEFAULT = 2_000_000;
/** Longer than any client keeps an idle connection, so that the simulator is never the one to close it. */
const KEEP_ALIVE_TIMEOUT_MS = 600_000;

/** Listens before it resolves. Rejects with the socket's error if it cannot, and with `ScriptError` for a bad default script. */
export async function startSimulator(
  deps: { readonly clock: Clock },
  options: SimulatorOptions = {},
): Promise<Simulator> {
  const host = options.host ?? "127.0.0.1";
  const defaultScript = options.defaultScript ?? "";
  parseScript("sim-chat", defaultScript);
  const simulation = new Simulation(deps.clock, {
    seed: options.seed ?? 1,
    invoiceLinesMax: options.invoiceLinesMax ?? INVOICE_LINES_DEFAULT,
    defaultScript,
    requireKey: options.requireKey ?? false,
  });
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS, requestTimeout: 0 },
    createHandler(simulation, options.bodyBytes ?? BODY_BYTES_DEFAULT),
  );
  await listen(server, options.port ?? 0, host);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    invoice: (query) => simulation.invoice.read(query),
    stats: () => readStats(simulation),
    reset: () => simulation.reset(),
    refusedUrl: () => findRefusedUrl(host),
    [Symbol.asyncDispose]: () => close(server, deps.clock, options.closeGraceMs ?? 0),
  };
}

function createHandler(
  simulation: Simulation,
  bodyBytesMax: number,
): (request: IncomingMessage, response: ServerResponse) => void {
  const openai = createOpenAiWire(simulation.ids);
  const anthropic = createAnthropicWire(simulation.ids, simulation.seed);
  const generation: Readonly<Record<string, Wire>> = {
    "/v1/chat/completions": openai,
    "/v1/messages": anthropic,
    "/v1/embeddings": createEmbeddingsWire(openai.responseHeaders),
  };
  return (request, response) => {
    const path = request.url ?? "/";
    const wire = generation[path] ?? generation[path.split("?", 1)[0] ?? ""];
    if (wire && request.method === "POST") {
      readBody(simulation, wire, request, response, bodyBytesMax);
      return;
    }
    request.resume();
    try {
      if (wire)
        throw new Refusal(405, `Use POST for ${path}.`, { headers: ["allow", "POST"], code: "method_not_allowed" });
      const known = control(simulation, request, response, new URL(path, "http://simulator"));
      if (!known) throw new Refusal(404, `Unknown path: ${request.method ?? ""} ${path}.`, { code: "unknown_url" });
    } catch (thrown) {
      const refusal =
        thrown instanceof Refusal ? thrown : new Refusal(400, `The request could not be read: ${String(thrown)}`);
      sendRefusal(
        request.headers["anthropic-version"] === undefined ? openai : anthropic,
        response,
        refusal,
        simulation.ids.requestIdOf(simulation.nextNumber()),
      );
    }
  };
}

function readBody(
  simulation: Simulation,
  wire: Wire,
  request: IncomingMessage,
  response: ServerResponse,
  bytesMax: number,
): void {
  let first: Buffer | null = null;
  let parts: Buffer[] | null = null;
  let length = 0;
  request.on("data", (bytes: Buffer) => {
    length += bytes.length;
    if (length > bytesMax) {
      if (response.headersSent) return;
      const refusal = new Refusal(413, `The body is larger than ${bytesMax} bytes.`, {
        headers: ["connection", "close"],
      });
      sendRefusal(wire, response, refusal, simulation.ids.requestIdOf(simulation.nextNumber()));
      parts = null;
    } else if (!first) first = bytes;
    else (parts ??= [first]).push(bytes);
  });
  request.on("end", () => {
    if (length > bytesMax) return;
    serve(simulation, wire, request, response, parts ? Buffer.concat(parts, length) : (first ?? Buffer.alloc(0)));
  });
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Stops accepting, lets running answers go on for the grace, then cuts them; each is booked as cancelled. */
function close(server: Server, clock: Clock, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = graceMs > 0 ? clock.setTimer(() => server.closeAllConnections(), graceMs) : null;
    server.close(() => {
      cut?.cancel();
      resolve();
    });
    server.closeIdleConnections();
    if (!cut) server.closeAllConnections();
  });
}

/** Takes a free port and gives it back: nothing listens there until someone else takes it. */
function findRefusedUrl(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const probe = createTcpServer();
    probe.once("error", reject);
    probe.listen(0, host, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(`http://${host.includes(":") ? `[${host}]` : host}:${port}`));
    });
  });
}
