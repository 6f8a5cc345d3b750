/**
 * Watches a Messages stream for accounting and health, without changing it.
 *
 * Wire facts (`RawMessageStreamEvent` in anthropic-sdk-typescript, and the API's streaming page): `message_start …
 * content_block_start/delta/stop … message_delta … message_stop`, with `ping` anywhere and `error` after a status of
 * 200. New event types may be added at any time: they are progress, never an error.
 */
import { isUtf8 } from "node:buffer";
import type { HeadgateError } from "../../kernel/errors.ts";
import type { ResponseReading, StreamReader, StreamRest, StreamSignal } from "../dialect.ts";
import { emptyReading } from "../empty-reading.ts";
import type { SseEvent } from "../sse.ts";
import { readStreamError } from "./errors.ts";
import { readPricedTier } from "./priced-tier.ts";
import { toFinishReason } from "./stop-reason.ts";
import { UsageTally } from "./usage.ts";
import { asObject, asText, type WireObject } from "../wire-values.ts";

export class MessagesStreamReader implements StreamReader {
  readonly reading: ResponseReading = emptyReading();
  rest: StreamRest = "open";
  /**
   * Until the next block begins, since a server's tool runs when its block has ended; pings come meanwhile. Thinking that
   * is shown is seen.
   */
  isWorking = false;
  readonly #tally = new UsageTally();
  #json: unknown = null;
  #failure: HeadgateError | null = null;

  get json(): unknown {
    return this.#json;
  }

  get failure(): HeadgateError | null {
    return this.#failure;
  }

  read(event: SseEvent): StreamSignal {
    const json = parse(event);
    this.#json = json;
    const type = json?.["type"];
    if (json === null || typeof type !== "string") return "invalid";
    switch (type) {
      case "content_block_delta":
        return this.#readDelta(json);
      case "content_block_start":
        return this.#readBlockStart(json);
      case "message_start":
        return this.#readStart(json);
      case "message_delta":
        return this.#readFinish(json);
      case "message_stop":
        return "end";
      case "error":
        this.#failure = readStreamError(json);
        return "error";
      default:
        return "progress";
    }
  }

  #readStart(json: WireObject): StreamSignal {
    const message = asObject(json["message"]);
    if (message === null) return "invalid";
    this.reading.id = asText(message["id"]);
    this.reading.model = asText(message["model"]);
    this.reading.serviceTier = readPricedTier(asObject(message["usage"]) ?? {});
    this.#absorbUsage(message["usage"]);
    return "progress";
  }

  /** A tool call's name, a redacted block and whatever a block is born with are output; an empty block is not. */
  #readBlockStart(json: WireObject): StreamSignal {
    const block = asObject(json["content_block"]);
    if (block === null) return "invalid";
    this.isWorking = isWorkUnseen(block["type"]);
    const born = (asText(block["text"]) ?? "") + (asText(block["thinking"]) ?? "");
    this.reading.outputBytes += Buffer.byteLength(born);
    if (born !== "" || block["type"] === "tool_use" || block["type"] === "redacted_thinking") return "output";
    return "progress";
  }

  #readDelta(json: WireObject): StreamSignal {
    const delta = asObject(json["delta"]);
    if (delta === null) return "invalid";
    const text = asText(delta["text"]) ?? asText(delta["partial_json"]) ?? asText(delta["thinking"]);
    if (text !== null) {
      if (text === "") return "progress";
      this.reading.outputBytes += Buffer.byteLength(text);
      if (delta["type"] === "thinking_delta") this.isWorking = false;
      return "output";
    }
    return delta["type"] === "signature_delta" || delta["type"] === "citations_delta" ? "output" : "progress";
  }

  #readFinish(json: WireObject): StreamSignal {
    this.#absorbUsage(json["usage"]);
    const reason = asText(asObject(json["delta"])?.["stop_reason"]);
    if (reason === null) return "progress";
    this.reading.finish = toFinishReason(reason);
    if (asObject(json["usage"]) !== null) this.rest = "marker";
    return "finish";
  }

  #absorbUsage(usage: unknown): void {
    this.#tally.absorb(usage);
    this.reading.usage = this.#tally.total();
    this.reading.usageIsDoubtful = this.#tally.isDoubtful;
  }
}

/** Text that was not UTF-8 on the wire is invalid even where it parses: the answer would have a hole. */
function parse(event: SseEvent): WireObject | null {
  if (event.data.includes("\ufffd") && !isUtf8(event.raw)) return null;
  try {
    return asObject(JSON.parse(event.data));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return null;
  }
}

/** Thinking that is not shown, and tools that the provider runs itself. */
function isWorkUnseen(blockType: unknown): boolean {
  return blockType === "thinking" || blockType === "server_tool_use" || blockType === "mcp_tool_use";
}
