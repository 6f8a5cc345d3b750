/**
 * Signatures of thinking blocks: opaque to callers, bound to the text they came with, as Anthropic's are. A block that
 * is replayed must carry both unchanged.
 */
import { createHmac } from "node:crypto";

const VERSION = "EqSim1";

export function signThinking(thinking: string, seed: number): string {
  return VERSION + createHmac("sha256", `headgate-simulator-${seed}`).update(thinking).digest("base64");
}

export function isSignatureOf(thinking: string, signature: unknown, seed: number): boolean {
  return signature === signThinking(thinking, seed);
}
