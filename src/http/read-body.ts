/**
 * Reads a request's body within limits of size and time. What is refused is refused as early as it can be known;
 * the connection of a refused body is closed after the answer, since its rest will not be read.
 */
import type { IncomingMessage } from "node:http";
import type { Clock } from "../kernel/clock.ts";
import { HeadgateError } from "../kernel/errors.ts";

export interface BodyLimits {
  readonly bodyBytes: number;
  readonly bodyTimeoutMs: number;
}

/** Throws `body_too_large`, `body_timeout`, `client_closed`, `unsupported_media_type`. */
export function readBody(request: IncomingMessage, clock: Clock, limits: BodyLimits): Promise<Uint8Array> {
  const refusal = refuseByHead(request, limits);
  if (refusal !== null) return Promise.reject(refusal);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = clock.setTimer(
      () =>
        settle(
          new HeadgateError(
            "body_timeout",
            `The body did not arrive within ${limits.bodyTimeoutMs} ms (server.bodyTimeoutMs); ${bytes} bytes of it came.`,
          ),
        ),
      limits.bodyTimeoutMs,
    );
    function settle(failure: HeadgateError | null): void {
      timer.cancel();
      request.off("data", onData).off("end", onEnd).off("close", onClose);
      if (failure === null) {
        resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
        return;
      }
      request.pause();
      reject(failure);
    }
    function onData(chunk: Buffer): void {
      bytes += chunk.byteLength;
      chunks.push(chunk);
      if (bytes > limits.bodyBytes) settle(tooLarge(limits.bodyBytes));
    }
    function onEnd(): void {
      settle(null);
    }
    function onClose(): void {
      settle(new HeadgateError("client_closed", "The caller closed the connection before the body was complete."));
    }
    request.on("data", onData).on("end", onEnd).on("close", onClose);
  });
}

function refuseByHead(request: IncomingMessage, limits: BodyLimits): HeadgateError | null {
  const { headers } = request;
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    return new HeadgateError(
      "unsupported_media_type",
      `The body has content-encoding ${JSON.stringify(encoding.slice(0, 40))}; send it without compression.`,
      {
        param: "content-encoding",
      },
    );
  }
  const type = headers["content-type"];
  if (type !== undefined && !/^application\/([\w.+-]+\+)?json\b/i.test(type)) {
    return new HeadgateError(
      "unsupported_media_type",
      `The body has content-type ${JSON.stringify(type.slice(0, 80))}; send application/json.`,
      {
        param: "content-type",
      },
    );
  }
  if (Number(headers["content-length"] ?? 0) > limits.bodyBytes) return tooLarge(limits.bodyBytes);
  return null;
}

function tooLarge(limit: number): HeadgateError {
  return new HeadgateError("body_too_large", `The body is larger than ${limit} bytes (limits.bodyBytes).`);
}
