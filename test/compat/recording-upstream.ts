/**
 * A provider that says what it is told to and keeps what it was asked, byte for byte. For what the simulator cannot
 * show: how a request looked on the wire, and answers with fields that the simulator does not make.
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { startLocalServer } from "../support/local-server.ts";

export interface RecordedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RecordedReply {
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Each is written by itself. */
  readonly pieces: readonly (string | Buffer)[];
}

export interface RecordingUpstream extends AsyncDisposable {
  readonly url: string;
  /** Answers all that comes from now on; forgets what came before. */
  answerWith(reply: RecordedReply): void;
  /** The one request since then. Throws if there was none, or more. */
  only(): RecordedRequest;
}

export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  let reply: RecordedReply = { contentType: "application/json", pieces: ["{}"] };
  let requests: RecordedRequest[] = [];
  const record = async (request: IncomingMessage): Promise<void> => {
    requests.push({ path: request.url ?? "", headers: request.headers, body: await buffer(request) });
  };
  const server = await startLocalServer((request, response) => {
    void record(request).then(() => {
      response.writeHead(200, { "content-type": reply.contentType, ...reply.headers });
      for (const piece of reply.pieces) response.write(piece);
      response.end();
    });
  });
  return {
    url: server.url,
    answerWith(next) {
      reply = next;
      requests = [];
    },
    only() {
      const [request, ...others] = requests;
      if (request === undefined || others.length > 0) throw new Error(`${requests.length} requests came, not one`);
      return request;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
