/**
 * Everything that is not generation: the model list, the usage lookup, and the simulator's own control endpoints
 * (`/sim/…`, which need no key and exist on no real provider).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { faultCatalogue } from "./faults.ts";
import type { InvoiceLine } from "./invoice.ts";
import { simulatedModels } from "./prices.ts";
import { readApiKey } from "./serve.ts";
import type { Simulation } from "./simulation.ts";
import { Refusal } from "./wire/wire.ts";

const INVOICE_PAGE_LINES = 10_000;
const MODEL_CREATED = 1_767_225_600;

export interface SimulatorStats {
  readonly complete: number;
  readonly cancelled: number;
  readonly fault: number;
  /** Ended without a line: refused, or nothing generated. */
  readonly refused: number;
  readonly running: number;
  readonly invoiceLines: number;
  /** Lines no longer readable because the invoice reached its maximum; their cost is still in the total. */
  readonly droppedLines: number;
  readonly costNanoUsd: bigint;
}

export function readStats(simulation: Simulation): SimulatorStats {
  const { invoice, counts, running } = simulation;
  return {
    ...counts,
    running: running.size,
    invoiceLines: invoice.length,
    droppedLines: invoice.droppedLines,
    costNanoUsd: invoice.totalCost(),
  };
}

/** Answers a control request; `false` if the path is none of them. Throws `Refusal`. */
export function control(simulation: Simulation, request: IncomingMessage, response: ServerResponse, url: URL): boolean {
  if (url.pathname.startsWith("/v1/")) readApiKey(simulation, request);
  const route = `${request.method ?? "GET"} ${url.pathname}`;
  switch (route) {
    case "GET /sim/invoice":
      sendInvoice(simulation, response, url.searchParams);
      return true;
    case "GET /sim/stats":
      sendJson(response, readStats(simulation));
      return true;
    case "POST /sim/reset":
      simulation.reset();
      sendJson(response, { reset: true });
      return true;
    case "GET /sim/faults":
      sendJson(response, { faults: Object.entries(faultCatalogue).map(([name, entry]) => ({ name, ...entry })) });
      return true;
    case "GET /v1/generation":
      sendGeneration(simulation, response, url.searchParams.get("id") ?? "");
      return true;
    case "GET /v1/models":
      sendModels(response, request.headers["anthropic-version"] !== undefined);
      return true;
    default:
      if (request.method !== "GET" || !url.pathname.startsWith("/v1/models/")) return false;
      sendModel(
        response,
        decodeURIComponent(url.pathname.slice("/v1/models/".length)),
        request.headers["anthropic-version"] !== undefined,
      );
      return true;
  }
}

/** `?key=` last characters of an API key, `?after=` the number of a line, `?limit=` at most 10,000. */
function sendInvoice(simulation: Simulation, response: ServerResponse, query: URLSearchParams): void {
  const limit = Math.min(INVOICE_PAGE_LINES, readCount(query, "limit", INVOICE_PAGE_LINES));
  const key = query.get("key");
  const after = readCount(query, "after", 0);
  const lines = simulation.invoice.read({ after, limit, ...(key === null ? {} : { key }) });
  const last = lines.length === limit ? (lines.at(-1)?.line ?? after) : simulation.invoice.length;
  sendJson(response, {
    lines,
    next_after: last,
    total_lines: simulation.invoice.length,
    dropped_lines: simulation.invoice.droppedLines,
  });
}

function readCount(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (!/^\d{1,12}$/.test(text)) throw new Refusal(400, `${name} must be an integer.`, { param: name });
  return Number(text);
}

/** OpenRouter's shape of `GET /api/v1/generation`, plus the cache-write buckets, which it has no fields for. */
function sendGeneration(simulation: Simulation, response: ServerResponse, id: string): void {
  if (id === "")
    throw new Refusal(400, "Give the id of an answer, or your own x-client-request-id, as ?id=.", { param: "id" });
  const line = simulation.invoice.find(id);
  if (line) {
    sendJson(response, { data: describeGeneration(line) });
    return;
  }
  for (const call of simulation.running) {
    if (call.clientRequestId === id || call.id === id) {
      throw new Refusal(404, `Generation ${id} is still running.`, {
        code: "generation_running",
        headers: ["retry-after", "1"],
      });
    }
  }
  throw new Refusal(404, `Generation ${id} not found: it is unknown, or nothing was generated.`, {
    code: "generation_not_found",
  });
}

function describeGeneration(line: InvoiceLine): Readonly<Record<string, unknown>> {
  const prompt = line.input + line.cacheRead + line.cacheWrite5m + line.cacheWrite1h;
  const cost = Number(line.costNanoUsd) / 1e9;
  return {
    id: line.id,
    upstream_id: line.clientRequestId,
    model: line.model,
    created_at: new Date(line.atMs - line.durationMs).toISOString(),
    streamed: line.stream,
    cancelled: line.ended === "cancelled",
    provider_name: "Headgate simulator",
    latency: Math.round(line.durationMs),
    generation_time: Math.round(line.durationMs),
    finish_reason: line.ended === "complete" ? "stop" : null,
    tokens_prompt: prompt,
    tokens_completion: line.output + line.reasoning,
    native_tokens_prompt: prompt,
    native_tokens_completion: line.output + line.reasoning,
    native_tokens_reasoning: line.reasoning,
    native_tokens_cached: line.cacheRead,
    native_tokens_cache_write_5m: line.cacheWrite5m,
    native_tokens_cache_write_1h: line.cacheWrite1h,
    usage: cost,
    total_cost: cost,
    total_cost_nano_usd: line.costNanoUsd,
  };
}

function sendModels(response: ServerResponse, anthropic: boolean): void {
  const data = simulatedModels.map((id) => describeModel(id, anthropic));
  sendJson(
    response,
    anthropic
      ? { data, has_more: false, first_id: simulatedModels[0], last_id: simulatedModels.at(-1) }
      : { object: "list", data },
  );
}

/** A name may carry a script; the model is what stands before it. */
function sendModel(response: ServerResponse, name: string, anthropic: boolean): void {
  const id = name.split(":", 1)[0] ?? "";
  if (!simulatedModels.includes(id))
    throw new Refusal(404, `The model '${name}' does not exist`, { param: "model", code: "model_not_found" });
  sendJson(response, describeModel(id, anthropic));
}

function describeModel(id: string, anthropic: boolean): unknown {
  return anthropic
    ? {
        type: "model",
        id,
        display_name: `Headgate simulator: ${id}`,
        created_at: new Date(MODEL_CREATED * 1000).toISOString(),
      }
    : { id, object: "model", created: MODEL_CREATED, owned_by: "headgate-simulator" };
}

/** Nano-dollars are written as decimal text, so that no reader rounds them. */
function sendJson(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? member.toString() : member));
  response.writeHead(200, ["content-type", "application/json", "content-length", String(Buffer.byteLength(body))]);
  response.end(body);
}
