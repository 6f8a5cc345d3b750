import type { ServerResponse } from "node:http";
import type { Responder } from "../exchange/responder.ts";

/** The caller's side on node:http. Whole responses leave in one write with their length. */
export class NodeResponder implements Responder {
  readonly #response: ServerResponse;
  bytesOut = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get headSent(): boolean {
    return this.#response.headersSent;
  }

  get unreadBytes(): number {
    return this.#response.writableLength;
  }

  send(status: number, headers: string[], body: Uint8Array): void {
    headers.push("content-length", String(body.byteLength));
    this.bytesOut += body.byteLength;
    this.#response.writeHead(status, headers);
    this.#response.end(body);
  }

  start(status: number, headers: string[]): void {
    this.#response.writeHead(status, headers);
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
}
