import { invalid } from "./request/refusal.ts";

const PREFIX = "hg-";
const PLAIN_CALL_ID = /^(?!hg-)[a-zA-Z0-9_-]+$/;

/**
 * The API takes ids of letters, digits, `_` and `-`; other providers issue ids such as `functions.look_up:0`. An id only
 * ties a result to its call, so any other id is written in base64url behind a prefix of its own, the same way
 * everywhere: different ids stay different. Throws `invalid_value` for an empty one.
 */
export function encodeCallId(callId: string): string {
  if (callId === "") throw invalid("messages.tool_call_id", "A tool call or tool result has an empty id.");
  return PLAIN_CALL_ID.test(callId) ? callId : `${PREFIX}${Buffer.from(callId, "utf16le").toString("base64url")}`;
}

/** The id that `encodeCallId` was given; any id that it did not make is its own. */
export function decodeCallId(wireId: string): string {
  if (!wireId.startsWith(PREFIX)) return wireId;
  const callId = Buffer.from(wireId.slice(PREFIX.length), "base64url").toString("utf16le");
  return callId !== "" && encodeCallId(callId) === wireId ? callId : wireId;
}
