/**
 * Undoes a content encoding that a provider used although the gateway asked for none. The decoder takes the place of
 * the handler of the raw bytes, and of the call for whoever pauses and resumes: a few compressed bytes can be many
 * others, so that pausing the call alone would stop nothing. The size of what comes out is bounded by whoever receives
 * it, who aborts the call.
 */
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress, type Gunzip } from "node:zlib";
import { HeadgateError } from "../kernel/errors.ts";
import type { UpstreamCall } from "./transport.ts";

export interface DecodedSink {
  onDecoded(chunk: Uint8Array): void;
  onDecodedEnd(): void;
  onDecodedError(error: HeadgateError): void;
}

export interface ContentDecoder {
  write(chunk: Uint8Array): void;
  end(): void;
  /** Delivers nothing until `resume`; the call is paused as soon as the decoder is full. */
  pause(): void;
  resume(): void;
  /** Releases the decoder; nothing is delivered afterwards. */
  destroy(): void;
}

type Decompressor = Pick<Gunzip, "on" | "write" | "end" | "destroy" | "pause" | "resume">;

const decoders: ReadonlyMap<string, () => Decompressor> = new Map<string, () => Decompressor>([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
  ["zstd", createZstdDecompress],
]);

/** `null` for no encoding. Throws `upstream_malformed`, not to be tried again, for one that is not known. */
export function createContentDecoder(
  encoding: string | string[] | undefined,
  call: () => UpstreamCall | null,
  sink: DecodedSink,
): ContentDecoder | null {
  const name = String(encoding ?? "identity")
    .trim()
    .toLowerCase();
  if (name === "identity" || name === "") return null;
  const create = decoders.get(name);
  if (create === undefined) {
    throw new HeadgateError(
      "upstream_malformed",
      `The provider used the content encoding ${JSON.stringify(name.slice(0, 40))}, which the gateway does not know. The operator checks its baseUrl, and what stands in front of it.`,
      { shouldRetry: false },
    );
  }
  const stream = create();
  let destroyed = false;
  stream.on("data", (chunk: Uint8Array) => {
    if (!destroyed) sink.onDecoded(chunk);
  });
  stream.on("end", () => {
    if (!destroyed) sink.onDecodedEnd();
  });
  stream.on("error", (cause) => {
    if (!destroyed)
      sink.onDecodedError(
        new HeadgateError("upstream_malformed", "The provider's compressed answer is damaged.", { cause }),
      );
  });
  stream.on("drain", () => call()?.resume());
  return {
    write(chunk) {
      if (!destroyed && !stream.write(chunk)) call()?.pause();
    },
    end: () => {
      if (!destroyed) stream.end();
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    destroy() {
      destroyed = true;
      stream.destroy();
    },
  };
}
