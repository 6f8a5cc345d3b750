/**
 * Reasoning of other providers in a caller's thinking blocks. The API's blocks have a signature, which its callers send
 * back unread; where a provider gave no signature of this dialect, what it did give (encrypted reasoning, ids, nothing at
 * all) stands in its place, behind a prefix by which the gateway knows it again. So it returns to the dialect that issued
 * it, and never to the Messages API, which would refuse it.
 */
import { asArray, asObject, asText } from "../wire-values.ts";
import type { OpaqueState } from "../canonical.ts";
import { opaqueKinds } from "./response.ts";

/**
 * Bodies are searched for it: it has no characters that JSON may escape, and begins with one that is rare in texts, so that
 * a megabyte is searched in some hundredths of a millisecond.
 */
const PREFIX = "~headgate:";
const prefixBytes = Buffer.from(PREFIX);

/** The signature of a thinking block for what belongs to one reasoning item, redacted blocks excepted. */
export function encodeSignature(states: readonly OpaqueState[]): string {
  const [first, ...others] = states;
  if (first !== undefined && others.length === 0 && isSignature(first)) return first.value;
  return PREFIX + Buffer.from(JSON.stringify(states)).toString("base64url");
}

/** What `encodeSignature` was given; a signature that says nothing is none. */
export function decodeSignature(signature: string): readonly OpaqueState[] {
  if (!signature.startsWith(PREFIX)) {
    if (signature === "") return [];
    return [{ origin: "anthropic-messages", kind: opaqueKinds.signature, value: signature }];
  }
  return parseStates(Buffer.from(signature.slice(PREFIX.length), "base64url").toString("utf8"));
}

/** Whether it is not one of the Messages API, which would refuse it. */
export function isForeignSignature(signature: unknown): boolean {
  return typeof signature === "string" && signature.startsWith(PREFIX);
}

/** Whether a body may hold a foreign signature of ours, or speaks of one. */
export function mayHoldForeignSignature(body: Uint8Array): boolean {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes(prefixBytes);
}

function isSignature({ origin, kind }: OpaqueState): boolean {
  return origin === "anthropic-messages" && kind === opaqueKinds.signature;
}

/** A caller can send anything: what is not what we wrote is nobody's state. */
function parseStates(text: string): readonly OpaqueState[] {
  let states: readonly unknown[] | null;
  try {
    states = asArray(JSON.parse(text));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return [];
  }
  const read: OpaqueState[] = [];
  for (const state of states ?? []) {
    const fields = asObject(state);
    const origin = asText(fields?.["origin"]);
    const kind = asText(fields?.["kind"]);
    const value = asText(fields?.["value"]);
    if (origin !== null && kind !== null && value !== null) read.push({ origin, kind, value });
  }
  return read;
}
