/** One model at one provider as a route names it, and the target that it is for a request. */
import type { QueueWaitsConfig, TimeoutsConfig } from "../config/config.ts";
import type { DialectName, Needs, Operation, Quirks } from "../dialects/dialect.ts";
import { bitsOf } from "./needs.ts";
import type { Target } from "./plan.ts";
import { hashBytes } from "./rendezvous.ts";

/** What routing needs to know of a configured provider. */
export interface RoutedProvider {
  /** Its name in the configuration. */
  readonly name: string;
  /** In order of preference. */
  readonly dialects: readonly DialectName[];
  readonly quirks: Quirks;
  readonly tags: readonly string[];
  /** The gateway's, with its own laid over them. */
  readonly timeouts: TimeoutsConfig;
  /** The same. */
  readonly queue: QueueWaitsConfig;
  /** Models known to be there, for the list and for suggestions. */
  readonly models: readonly string[];
  /** Whether a bare model name can be sent there. */
  knows(model: string): boolean;
  factsOf(model: string): RoutedModelFacts;
}

export interface RoutedModelFacts {
  /** `null`: unknown. */
  readonly contextTokens: number | null;
  /** Of one answer; `null`: unknown. */
  readonly maxOutputTokens: number | null;
  /** What the model is known not to do; anything else is let through to it. */
  readonly lacks: readonly (keyof Needs)[];
  /** See `TargetFacts`. */
  readonly thinksUnasked?: boolean;
}

/** What a route says of it. */
export interface CandidateTerms {
  /** 0: never taken. Of fallbacks it does not count. */
  readonly weight: number;
  /** Besides the provider's. */
  readonly tags: readonly string[];
  /** Laid over the provider's. */
  readonly timeouts: Partial<TimeoutsConfig>;
  /** The same. */
  readonly queue: Partial<QueueWaitsConfig>;
  readonly isFallback: boolean;
}

export interface Candidate {
  /** `provider/model`. */
  readonly name: string;
  /** Of its name, for rendezvous.ts. */
  readonly hash: number;
  readonly provider: string;
  /** The provider's own name of it. */
  readonly model: string;
  readonly weight: number;
  readonly isFallback: boolean;
  /** Its own and its provider's. */
  readonly tags: readonly string[];
  /** Bits of what it is known to lack, see needs.ts. */
  readonly lacks: number;
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number | null;
  /** The provider's with its own laid over them. */
  readonly timeouts: TimeoutsConfig;
  /** The same. */
  readonly queue: QueueWaitsConfig;
  /** For a caller's dialect: the same dialect if spoken, else another of the operation; `null` if none is. */
  target(operation: Operation, dialectIn: DialectName): Target | null;
}

const operations: Readonly<Record<DialectName, Operation>> = {
  "openai-chat": "chat",
  "openai-embeddings": "embeddings",
  "anthropic-messages": "chat",
};

export function createCandidate(provider: RoutedProvider, model: string, terms: CandidateTerms): Candidate {
  const { contextTokens, maxOutputTokens, lacks, thinksUnasked = false } = provider.factsOf(model);
  const { weight, isFallback } = terms;
  const name = `${provider.name}/${model}`;
  const facts = { model, maxOutputTokens, quirks: provider.quirks, lacks, thinksUnasked };
  const timeouts = { ...provider.timeouts, ...terms.timeouts };
  const queue = { ...provider.queue, ...terms.queue };
  return {
    name,
    hash: hashBytes(Buffer.from(name), 0),
    provider: provider.name,
    model,
    weight,
    isFallback,
    tags: [...new Set([...provider.tags, ...terms.tags])],
    lacks: bitsOf(lacks),
    contextTokens,
    maxOutputTokens,
    timeouts,
    queue,
    target(operation, dialectIn) {
      const spoken = provider.dialects.filter((each) => operations[each] === operation);
      const dialect = spoken.find((each) => each === dialectIn) ?? spoken[0];
      if (dialect === undefined) return null;
      return { provider: provider.name, name, dialect, facts, timeouts, queue, isFallback, contextTokens };
    },
  };
}
