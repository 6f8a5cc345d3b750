/** Bugs in the way from what is asked for to who may serve it, and how long. */
import type { Mutation } from "../../support/seeds/workshop.ts";

export const routingMutations: readonly Mutation[] = [
  {
    name: "what a caller requires of a target is not heeded",
    file: "src/routing/requirements.ts",
    find: "if (request.requires.length === 0) return null;",
    replace: "if (request.requires.length > 0) return null;",
  },
  {
    name: "a price ceiling keeps nobody out",
    file: "src/routing/price-ceiling.ts",
    find: "if (bound === null || rate <= bound) return null;",
    replace: "if (bound === null || rate >= 0n) return null;",
  },
  {
    name: "what bounds a single model does not count",
    file: "src/limits/queue/queue.ts",
    find: "return bounded.models.get(model) ?? bounded.whole ??",
    replace: "return bounded.whole ??",
  },
  {
    name: "a target's own timers do not count",
    file: "src/routing/candidate.ts",
    find: "const timeouts = { ...provider.timeouts, ...terms.timeouts };",
    replace: "const timeouts = { ...terms.timeouts, ...provider.timeouts };",
  },
  {
    name: "what an embeddings call has used is not read",
    file: "src/dialects/openai-embeddings/reading.ts",
    find: 'asCount(counts?.["total_tokens"]) ?? asCount(counts?.["prompt_tokens"])',
    replace: 'asCount(counts?.["input_tokens"])',
  },
];
