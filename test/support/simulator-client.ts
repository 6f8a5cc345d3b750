/** A plain client for tests of wires: shows what came over the socket, the broken endings included. */
import { request, type IncomingHttpHeaders } from "node:http";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly chunks: readonly Buffer[];
  readonly text: string;
  /** Whether the body ended as HTTP says it should. */
  readonly complete: boolean;
  /** The socket's error, `null` if there was none. */
  readonly errorCode: string | null;
}

export interface SendOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is text or bytes. */
  readonly body?: unknown;
  /** Looks at what has come so far; `leave` hangs up. */
  readonly onChunk?: (received: Buffer, leave: () => void) => void;
  /** Takes the head and then reads nothing, so that the sender's buffers fill. */
  readonly readNothing?: boolean;
  /** Given at once: hangs up whenever it is called. */
  readonly onStart?: (leave: () => void) => void;
}

function encodeBody(body: unknown): string | Uint8Array | null {
  if (body === undefined) return null;
  return typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
}

/** Resolves however the exchange ends; a connection that failed before any response has status 0. */
export function send(url: string, options: SendOptions = {}): Promise<Reply> {
  const body = encodeBody(options.body);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let errorCode: string | null = null;
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    let complete = false;
    const outgoing = request(url, {
      agent: false,
      method: options.method ?? (body === null ? "GET" : "POST"),
      headers: { ...options.headers },
    });
    const leave = (): void => void outgoing.destroy();
    outgoing.on("response", (response) => {
      status = response.statusCode ?? 0;
      headers = response.headers;
      response.on("error", (error: NodeJS.ErrnoException) => (errorCode = error.code ?? error.message));
      if (options.readNothing) return;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        options.onChunk?.(Buffer.concat(chunks), leave);
      });
      response.on("end", () => (complete = response.complete));
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => (errorCode = error.code ?? error.message));
    outgoing.on("close", () => {
      // The response's own last events come with the same turn of the loop.
      setImmediate(() =>
        resolve({ status, headers, chunks, text: Buffer.concat(chunks).toString("utf8"), complete, errorCode }),
      );
    });
    options.onStart?.(leave);
    outgoing.end(body ?? undefined);
  });
}

/** Gives the event loop this many turns: for showing that something does not happen. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** The data of the events of an SSE body, in order. */
export function eventData(text: string): string[] {
  return text.split(/\r?\n/).flatMap((line) => (line.startsWith("data: ") ? [line.slice(6)] : []));
}
