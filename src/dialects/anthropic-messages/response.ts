/**
 * A whole answer (`Message` in anthropic-sdk-typescript, resources/messages/messages.ts).
 *
 * Server-tool blocks, citations and block types unknown to us are left out of a translation: an answer has them only
 * where the request asked for them, and the encoder of this dialect never does. They never become text.
 */
import { HeadgateError } from "../../kernel/errors.ts";
import type { CanonicalResponse, Finish, Item } from "../canonical.ts";
import type { ResponseReading } from "../dialect.ts";
import { readPricedTier } from "./priced-tier.ts";
import { readFinish } from "./stop-reason.ts";
import { UsageTally } from "./usage.ts";
import { asObject, asText, type WireObject } from "../wire-values.ts";

const DIALECT = "anthropic-messages";

/** What `OpaqueState.kind` says of this dialect's state. */
export const opaqueKinds = { signature: "signature", redacted: "redacted_thinking" } as const;

export function readResponse(json: unknown): ResponseReading {
  const { message, content, finish } = openMessage(json);
  const tally = new UsageTally();
  tally.absorb(message["usage"]);
  let outputBytes = 0;
  for (const block of content) outputBytes += generatedBytes(block);
  return {
    id: asText(message["id"]),
    model: asText(message["model"]),
    usage: tally.total(),
    usageIsDoubtful: tally.isDoubtful,
    serviceTier: readPricedTier(asObject(message["usage"]) ?? {}),
    finish: finish.reason,
    outputBytes,
  };
}

export function decodeResponse(json: unknown): CanonicalResponse {
  const { message, content, finish } = openMessage(json);
  const items: Item[] = [];
  for (const block of content) {
    const item = decodeBlock(block);
    if (item !== null) items.push(item);
  }
  const refusal = readRefusal(message);
  if (refusal !== null)
    items.push({ type: "message", role: "assistant", name: null, parts: [{ type: "refusal", text: refusal }] });
  const tally = new UsageTally();
  tally.absorb(message["usage"]);
  return {
    id: asText(message["id"]) ?? "",
    model: asText(message["model"]) ?? "",
    createdMs: null,
    items,
    finish,
    usage: tally.total(),
  };
}

/** The provider's explanation of a refusal (`stop_details`), in a whole message or in the `delta` of `message_delta`. */
export function readRefusal(holder: WireObject): string | null {
  const details = asObject(holder["stop_details"]);
  if (details === null || details["type"] !== "refusal") return null;
  const explanation = asText(details["explanation"]);
  return explanation === "" ? null : explanation;
}

/** One reasoning item per block, so that each signature stays with the very text it signs. */
function reasoningItem(text: string, kind: string, value: string): Item {
  return { type: "reasoning", text, opaque: value === "" ? [] : [{ origin: DIALECT, kind, value }] };
}

function openMessage(json: unknown): { message: WireObject; content: readonly WireObject[]; finish: Finish } {
  const message = asObject(json);
  const blocks = message?.["content"];
  if (message === null || message["type"] !== "message" || !Array.isArray(blocks)) {
    throw malformed("is not a message of the Messages API");
  }
  const content: WireObject[] = [];
  for (const block of blocks as readonly unknown[]) {
    const object = asObject(block);
    if (object === null) throw malformed("holds a content block that is not an object");
    content.push(object);
  }
  const finish = readFinish(message);
  if (finish === null) throw malformed("does not say why it stopped");
  return { message, content, finish };
}

function malformed(what: string): HeadgateError {
  return new HeadgateError("upstream_malformed", `The provider's answer ${what}.`);
}

function decodeBlock(block: WireObject): Item | null {
  switch (block["type"]) {
    case "text":
      return {
        type: "message",
        role: "assistant",
        name: null,
        parts: [{ type: "text", text: asText(block["text"]) ?? "" }],
      };
    case "thinking":
      return reasoningItem(asText(block["thinking"]) ?? "", opaqueKinds.signature, asText(block["signature"]) ?? "");
    case "redacted_thinking":
      return reasoningItem("", opaqueKinds.redacted, asText(block["data"]) ?? "");
    case "tool_use":
      return {
        type: "tool-call",
        callId: asText(block["id"]) ?? "",
        name: asText(block["name"]) ?? "",
        arguments: JSON.stringify(block["input"] ?? {}),
      };
    default:
      return null;
  }
}

/** Bytes of text, reasoning and tool arguments; opaque state is not counted, it is not what is billed. */
function generatedBytes(block: WireObject): number {
  switch (block["type"]) {
    case "text":
      return Buffer.byteLength(asText(block["text"]) ?? "");
    case "thinking":
      return Buffer.byteLength(asText(block["thinking"]) ?? "");
    case "tool_use":
    case "server_tool_use":
      return Buffer.byteLength(JSON.stringify(block["input"] ?? {}));
    default:
      return 0;
  }
}
