/** One model at one provider, and whether and in which dialect it can serve a request. */
import type { DialectName, Needs, Operation, Quirks } from "../dialects/dialect.ts";
import type { Target } from "./plan.ts";

/** What routing needs to know of a configured provider. */
export interface RoutedProvider {
  /** Its name in the configuration. */
  readonly name: string;
  /** In order of preference. */
  readonly dialects: readonly DialectName[];
  readonly quirks: Quirks;
  /** Models known to be there, for the list and for suggestions. */
  readonly models: readonly string[];
  /** Whether a bare model name can be sent there. */
  knows(model: string): boolean;
  factsOf(model: string): RoutedModelFacts;
}

export interface RoutedModelFacts {
  /** `null`: unknown. */
  readonly maxOutputTokens: number | null;
  /** What the model is known not to do; anything else is let through to it. */
  readonly lacks: readonly (keyof Needs)[];
}

export interface Candidate {
  /** `provider/model`. */
  readonly name: string;
  /** Bits of what it is known to lack, see `needBits`. */
  readonly lacks: number;
  /** The target for a caller's dialect: the same dialect if spoken, else another of the operation; `null` if none is. */
  target(operation: Operation, dialectIn: DialectName): Target | null;
}

const operations: Readonly<Record<DialectName, Operation>> = {
  "openai-chat": "chat",
  "openai-embeddings": "embeddings",
  "anthropic-messages": "chat",
};

const needNames: Readonly<Record<keyof Needs, string>> = {
  tools: "tools",
  images: "image input",
  audio: "audio",
  documents: "document input",
  jsonSchema: "JSON schema output",
  logprobs: "log probabilities",
};

export function createCandidate(provider: RoutedProvider, model: string): Candidate {
  const { maxOutputTokens, lacks } = provider.factsOf(model);
  const name = `${provider.name}/${model}`;
  const facts = { model, maxOutputTokens, quirks: provider.quirks };
  return {
    name,
    lacks: bitsOf((need) => lacks.includes(need)),
    target(operation, dialectIn) {
      const spoken = provider.dialects.filter((each) => operations[each] === operation);
      const dialect = spoken.find((each) => each === dialectIn) ?? spoken[0];
      return dialect === undefined
        ? null
        : { provider: provider.name, name, dialect, facts, timeouts: {}, isFallback: false };
    },
  };
}

/** The needs of a request as bits, so that they compare with a candidate's `lacks` at once. Runs for every request. */
export function needBits(needs: Needs): number {
  return (
    (needs.tools ? 1 : 0) |
    (needs.images ? 2 : 0) |
    (needs.audio ? 4 : 0) |
    (needs.documents ? 8 : 0) |
    (needs.jsonSchema ? 16 : 0) |
    (needs.logprobs ? 32 : 0)
  );
}

/** `tools and image input`. */
export function describeNeedBits(bits: number): string {
  const names = (Object.keys(needNames) as (keyof Needs)[]).filter(
    (need) => (bits & bitsOf((each) => each === need)) !== 0,
  );
  return names.map((need) => needNames[need]).join(" and ");
}

function bitsOf(has: (need: keyof Needs) => boolean): number {
  return needBits({
    tools: has("tools"),
    images: has("images"),
    audio: has("audio"),
    documents: has("documents"),
    jsonSchema: has("jsonSchema"),
    logprobs: has("logprobs"),
  });
}
