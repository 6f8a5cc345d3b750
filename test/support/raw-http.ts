/**
 * An HTTP/1.1 client that sends whatever bytes it is told to and shows what came back, for requests that no proper
 * client would make. It reads responses one after the other, so that pipelining can be seen.
 */
import { connect, type Socket } from "node:net";

export interface RawResponse {
  readonly status: number;
  /** Names in lower case; of a repeated name the last value. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Whether the body ended as HTTP says it should. */
  readonly complete: boolean;
}

export interface RawConnection extends Disposable {
  readonly socket: Socket;
  write(bytes: string | Uint8Array): void;
  /** The next final response, in order; `null` when the connection closed without one. */
  read(): Promise<RawResponse | null>;
  /** Interim responses (1xx) seen so far. */
  readonly interim: readonly number[];
  readonly closed: Promise<void>;
  readonly received: () => Buffer;
}

export function connectRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const arrived = new Arrivals(socket);
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve({
        socket,
        write: (bytes) => void socket.write(bytes),
        read: () => arrived.next(),
        interim: arrived.interim,
        closed: arrived.closed,
        received: () => arrived.unread,
        [Symbol.dispose]: () => void socket.destroy(),
      });
    });
  });
}

/** One request on a connection of its own; the answer, or `null` if the connection closed without one. */
export async function exchangeRaw(url: string, bytes: string | Uint8Array): Promise<RawResponse | null> {
  using connection = await connectRaw(url);
  connection.write(bytes);
  return await connection.read();
}

class Arrivals {
  readonly interim: number[] = [];
  readonly closed: Promise<void>;
  unread: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    const over = Promise.withResolvers<void>();
    this.closed = over.promise;
    const end = (): void => {
      this.#ended = true;
      this.#wake();
      over.resolve();
    };
    socket.on("data", (chunk: Buffer) => {
      this.unread = Buffer.concat([this.unread, chunk]);
      this.#wake();
    });
    socket.on("end", end);
    socket.on("error", end);
    socket.on("close", end);
  }

  async next(): Promise<RawResponse | null> {
    for (;;) {
      const found = readResponse(this.unread, this.#ended);
      if (found === null && this.#ended) return null;
      if (found === null) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      this.unread = this.unread.subarray(found.length);
      if (found.response.status >= 200) return found.response;
      this.interim.push(found.response.status);
    }
  }
}

interface Found {
  readonly response: RawResponse;
  /** In bytes, head included. */
  readonly length: number;
}

function readResponse(bytes: Buffer, ended: boolean): Found | null {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const [statusLine = "", ...lines] = bytes.subarray(0, headEnd).toString("latin1").split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? 0);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const start = headEnd + 4;
  if (status < 200 || status === 204) return found(status, headers, Buffer.alloc(0), true, start);
  if (headers["transfer-encoding"] === "chunked") return readChunked(bytes, start, ended, status, headers);
  const length = headers["content-length"];
  const end = length === undefined ? bytes.length : start + Number(length);
  if (length === undefined ? !ended : bytes.length < end && !ended) return null;
  return found(status, headers, bytes.subarray(start, end), length === undefined || bytes.length >= end, end);
}

function readChunked(
  bytes: Buffer,
  start: number,
  ended: boolean,
  status: number,
  headers: Record<string, string>,
): Found | null {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(bytes.subarray(at, lineEnd).toString("latin1"), 16);
    const end = lineEnd + 2 + size;
    if (lineEnd < 0 || bytes.length < end + 2) {
      return ended ? found(status, headers, Buffer.concat(parts), false, bytes.length) : null;
    }
    if (size === 0) return found(status, headers, Buffer.concat(parts), true, end + 2);
    parts.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}

function found(
  status: number,
  headers: Record<string, string>,
  body: Buffer,
  complete: boolean,
  length: number,
): Found {
  return { response: { status, headers, body, complete }, length };
}
