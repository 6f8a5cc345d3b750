/**
 * A whole answer as a `Message` (anthropic-sdk-typescript, resources/messages/messages.ts). Reasoning becomes thinking
 * blocks with what its provider wants back in the signature; a refusal's words are its `stop_details`.
 */
import { HeadgateError } from "../../../kernel/errors.ts";
import type { CanonicalResponse, Item, OpaqueState, Part } from "../../canonical.ts";
import type { RequestView, UsageCount } from "../../dialect.ts";
import { parseExactJson } from "../../exact-json.ts";
import { encodeCallId } from "../call-id.ts";
import { encodeUsage } from "../encode-usage.ts";
import { encodeSignature } from "../foreign-signature.ts";
import { opaqueKinds } from "../response.ts";
import { encodeStop } from "../stop-reason.ts";
import { restoreToolName } from "../tool-name.ts";

const ID_PREFIX = "msg_";

/** Ids keep the provider's own, behind the prefix by which clients know a message. */
export function encodeId(id: string): string {
  return id.startsWith(ID_PREFIX) ? id : ID_PREFIX + id;
}

/** Throws `upstream_malformed` for a tool call whose arguments are no JSON object though the answer was not cut. */
export function encodeResponse(response: CanonicalResponse, view: RequestView, count?: UsageCount): Uint8Array {
  const { items, finish, usage } = response;
  const content: object[] = [];
  let refusal = "";
  for (const item of items) {
    if (item.type === "message") refusal += pushText(item.parts, content);
    else if (item.type === "reasoning") pushReasoning(item, content);
    else if (item.type === "tool-call") content.push(encodeCall(item, view, finish.reason === "length"));
    else throw cannotCarry("a tool result");
  }
  const hasCalls = items.some(({ type }) => type === "tool-call");
  const body = {
    id: encodeId(response.id),
    type: "message",
    role: "assistant",
    model: response.model,
    content,
    ...encodeStop(finish, { hasCalls, refusal }),
    usage: encodeUsage(usage, count),
  };
  return Buffer.from(JSON.stringify(body));
}

/** Whether state is a redacted block of this dialect, which stands by itself. */
export function isRedacted({ origin, kind }: OpaqueState): boolean {
  return origin === "anthropic-messages" && kind === opaqueKinds.redacted;
}

/** Returns what it refused with. Empty text says nothing, and the API takes none back. */
function pushText(parts: readonly Part[], content: object[]): string {
  let refusal = "";
  for (const part of parts) {
    if (part.type === "refusal") refusal += part.text;
    else if (part.type !== "text") throw cannotCarry(`a part of the type ${part.type}`);
    else if (part.text !== "") content.push({ type: "text", text: part.text });
  }
  return refusal;
}

function pushReasoning({ text, opaque }: Item & { type: "reasoning" }, content: object[]): void {
  const signing = opaque.filter((state) => !isRedacted(state));
  if (text !== "" || signing.length > 0) {
    content.push({ type: "thinking", thinking: text, signature: encodeSignature(signing) });
  }
  for (const state of opaque) {
    if (isRedacted(state)) content.push({ type: "redacted_thinking", data: state.value });
  }
}

function encodeCall(call: Item & { type: "tool-call" }, view: RequestView, wasCut: boolean): object {
  const { callId, arguments: text } = call;
  const name = restoreToolName(call.name, view);
  return { type: "tool_use", id: encodeCallId(callId), name, input: parseInput(name, text, wasCut) };
}

/** What the length limit cut is not JSON, and not to be used either: the API gives an empty object then. */
function parseInput(name: string, text: string, wasCut: boolean): unknown {
  if (text.trim() === "") return {};
  let input: unknown;
  try {
    input = parseExactJson(text);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
  }
  if (typeof input === "object" && input !== null && !Array.isArray(input)) return input;
  if (wasCut) return {};
  throw new HeadgateError(
    "upstream_malformed",
    `The model called the tool ${name} with arguments that are not a JSON object, which a message cannot carry.`,
  );
}

function cannotCarry(what: string): HeadgateError {
  return new HeadgateError("unsupported_capability", `The answer holds ${what}, which a message cannot carry.`);
}
