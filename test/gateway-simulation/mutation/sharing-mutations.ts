/** Bugs in what requests share: keys, the cache, answers under way. */
import type { Mutation } from "../../support/seeds/workshop.ts";

const keyed = "src/exchange/sharing/keyed.ts";
const joint = "src/exchange/sharing/joint";

export const sharingMutations: readonly Mutation[] = [
  {
    name: "a request whose key is answered is made again",
    file: keyed,
    find: 'if ("answer" in claimed) {',
    replace: 'if ("answer" in claimed && claimed.answer.kind !== "stream") {',
  },
  {
    name: "who joins a stream misses what was said before",
    file: `${joint}/answer-log.ts`,
    find: "    if (this.#hasBegun) reader.begin();\n    return reader;",
    replace: "    reader.next = this.#chunks.length;\n    if (this.#hasBegun) reader.begin();\n    return reader;",
  },
  {
    name: "an answer that waits for slow readers waits although somebody reads",
    file: `${joint}/shared-answer.ts`,
    find: "    if (!hasRoom && this.#log.hasRoom) this.leader.goOn();\n",
    replace: "",
  },
];
