import type { IncomingMessage, ServerResponse } from "node:http";
import type { Responder } from "../exchange/responder.ts";
import { makeHeaderValuesSafe } from "./header-values.ts";
import type { OpenRequests } from "./open-requests.ts";

/**
 * The caller's side on node:http. Whole responses leave in one write with their length. The connection is closed after
 * a response whose request has not come in whole, since its rest will not be read, and during a shutdown.
 */
export class NodeResponder implements Responder {
  readonly #response: ServerResponse;
  readonly #open: OpenRequests;
  bytesOut = 0;

  constructor(response: ServerResponse, open: OpenRequests) {
    this.#response = response;
    this.#open = open;
  }

  get headSent(): boolean {
    return this.#response.headersSent;
  }

  get unreadBytes(): number {
    return this.#response.writableLength;
  }

  send(status: number, headers: string[], body: Uint8Array): void {
    headers.push("content-length", String(body.byteLength));
    this.#writeHead(status, headers);
    this.bytesOut += body.byteLength;
    this.#response.end(body);
  }

  start(status: number, headers: string[]): void {
    this.#writeHead(status, headers);
  }

  write(bytes: Uint8Array): boolean {
    this.bytesOut += bytes.byteLength;
    return this.#response.write(bytes);
  }

  end(bytes: Uint8Array | null): void {
    if (bytes === null) {
      this.#response.end();
      return;
    }
    this.bytesOut += bytes.byteLength;
    this.#response.end(bytes);
  }

  destroy(): void {
    this.#response.destroy();
  }

  #writeHead(status: number, headers: string[]): void {
    makeHeaderValuesSafe(headers);
    if (this.#open.draining || bodyPending(this.#response.req)) this.#response.shouldKeepAlive = false;
    this.#response.writeHead(status, headers);
  }
}

/** Whether something of the request's body has not arrived. A request without a body is complete with its head. */
function bodyPending(request: IncomingMessage): boolean {
  if (request.complete) return false;
  const { headers } = request;
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
