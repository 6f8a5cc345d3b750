/** What a request needs and what a model is known not to do, as bits, so that they compare at once. */
import type { Needs } from "../dialects/dialect.ts";

const names: Readonly<Record<keyof Needs, string>> = {
  tools: "tools",
  parallelTools: "control of parallel tool calls",
  images: "image input",
  audio: "audio",
  documents: "document input",
  jsonSchema: "JSON schema output",
  reasoning: "reasoning",
  logprobs: "log probabilities",
  choices: "several answers to one request",
};

/** Runs for every request. */
export function needBits(needs: Needs): number {
  return (
    (needs.tools ? 1 : 0) |
    (needs.images ? 2 : 0) |
    (needs.audio ? 4 : 0) |
    (needs.documents ? 8 : 0) |
    (needs.jsonSchema ? 16 : 0) |
    (needs.logprobs ? 32 : 0) |
    (needs.parallelTools ? 64 : 0) |
    (needs.reasoning ? 128 : 0) |
    (needs.choices ? 256 : 0)
  );
}

/** The bits of these needs. */
export function bitsOf(lacking: readonly (keyof Needs)[]): number {
  const none = Object.fromEntries(Object.keys(names).map((need) => [need, false])) as unknown as Needs;
  return needBits({ ...none, ...Object.fromEntries(lacking.map((need) => [need, true])) });
}

/** `["tools", "image input"]`. */
export function describeNeeds(bits: number): readonly string[] {
  return (Object.keys(names) as (keyof Needs)[])
    .filter((need) => (bits & bitsOf([need])) !== 0)
    .map((need) => names[need]);
}
