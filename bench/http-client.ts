/**
 * A load generator's HTTP/1.1 client on bare sockets: one request in flight per connection, request bytes made once but
 * for a number, no parsing beyond what tells where a response ends. It shares a core with the simulator, so it must cost
 * little.
 */
import { connect, type Socket } from "node:net";

export interface LoadTarget {
  readonly host: string;
  readonly port: number;
  /** The whole request as it goes on the wire; wherever `NUMBER_PLACE` stands, each has a number of its own. */
  readonly request: Uint8Array;
  readonly numbers: NumberSource;
}

/** What tells requests apart that are equal otherwise. */
export const NUMBER_PLACE = "0000000000";

/** Numbers that were not given before, as wide as their place. */
export class NumberSource {
  #last = 0;

  next(): string {
    return String(++this.#last).padStart(NUMBER_PLACE.length, "0");
  }
}

export interface BodySink {
  /** Bytes of a chunked body, framing included, as they come. */
  onBody?(chunk: Buffer): void;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const CHUNKED_END = Buffer.from("0\r\n\r\n");

/** One keep-alive connection. `exchange` resolves with the status once the whole response is in. */
export class LoadConnection {
  readonly #target: LoadTarget;
  /** Its own, for one request is in flight at a time. */
  readonly #request: Buffer;
  readonly #numberPlaces: readonly number[];
  #socket: Socket | null = null;
  #buffer: Buffer = Buffer.alloc(0);
  #status = 0;
  #remaining = -1;
  #chunked = false;
  #inBody = false;
  #sink: BodySink | null = null;
  #settle: { resolve: (status: number) => void; reject: (error: Error) => void } | null = null;

  constructor(target: LoadTarget) {
    this.#target = target;
    this.#request = Buffer.from(target.request);
    this.#numberPlaces = numberPlacesIn(this.#request);
  }

  async open(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect(this.#target.port, this.#target.host, resolve);
    socket.setNoDelay(true);
    socket.on("error", (error) => {
      reject(error);
      this.#fail(error);
    });
    socket.on("close", () => this.#fail(new Error("connection closed in mid-response")));
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#socket = socket;
    await promise;
  }

  exchange(sink: BodySink | null = null): Promise<number> {
    this.#sink = sink;
    this.#inBody = false;
    const number = this.#target.numbers.next();
    for (const place of this.#numberPlaces) this.#request.write(number, place, "latin1");
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket?.write(this.#request);
    });
  }

  close(): void {
    this.#settle = null;
    this.#socket?.destroy();
  }

  #read(chunk: Buffer): void {
    let data = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    this.#buffer = Buffer.alloc(0);
    if (!this.#inBody) {
      const end = data.indexOf(HEAD_END);
      if (end === -1) {
        this.#buffer = data;
        return;
      }
      this.#readHead(data.toString("latin1", 0, end));
      data = data.subarray(end + 4);
    }
    if (this.#chunked) this.#readChunked(data);
    else this.#readSized(data);
  }

  #readHead(head: string): void {
    this.#status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    this.#chunked = length === null;
    this.#remaining = length === null ? -1 : Number(length[1]);
    this.#inBody = true;
  }

  #readSized(data: Buffer): void {
    this.#remaining -= data.length;
    if (this.#remaining <= 0) this.#done();
  }

  /** A chunked body ends with the five bytes of the empty chunk; framing inside the body cannot imitate them here. */
  #readChunked(data: Buffer): void {
    if (data.length > 0) this.#sink?.onBody?.(data);
    const tail = data.length >= 5 ? data.subarray(data.length - 5) : data;
    if (tail.equals(CHUNKED_END) || (tail.length < 5 && CHUNKED_END.subarray(5 - tail.length).equals(tail)))
      this.#done();
  }

  #done(): void {
    const settle = this.#settle;
    this.#settle = null;
    this.#inBody = false;
    settle?.resolve(this.#status);
  }

  #fail(error: Error): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.reject(error);
  }
}

function numberPlacesIn(request: Buffer): readonly number[] {
  const places: number[] = [];
  const { length } = NUMBER_PLACE;
  for (let at = request.indexOf(NUMBER_PLACE); at !== -1; at = request.indexOf(NUMBER_PLACE, at + length))
    places.push(at);
  return places;
}

/** A POST with a JSON body as wire bytes. */
export function postBytes(options: {
  readonly host: string;
  readonly path: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}): Uint8Array {
  const body = Buffer.from(options.body);
  const head = [
    `POST ${options.path} HTTP/1.1`,
    `host: ${options.host}`,
    `authorization: Bearer ${options.key}`,
    "content-type: application/json",
    ...Object.entries(options.headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
    "",
    "",
  ].join("\r\n");
  return Buffer.concat([Buffer.from(head), body]);
}
