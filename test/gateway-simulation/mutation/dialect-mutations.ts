/** Bugs in what callers of the Messages API are told. */
import type { Mutation } from "../../support/seeds/workshop.ts";

const messages = "src/dialects/anthropic-messages";

export const dialectMutations: readonly Mutation[] = [
  {
    name: "an answer that reached its bound reads as whole in a message",
    file: `${messages}/stop-reason.ts`,
    find: 'return "max_tokens";',
    replace: 'return "end_turn";',
  },
  {
    name: "a block of a message is not closed",
    file: `${messages}/inbound/stream-encoder.ts`,
    find: 'return render("content_block_stop", `{"type":"content_block_stop","index":${this.#block++}}`);',
    replace: 'return render("ping", `{"type":"ping","index":${this.#block++}}`);',
  },
];
