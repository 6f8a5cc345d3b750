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
    name: "a key is not remembered while its request runs",
    file: keyed,
    find: "    this.#running.set(keyHash, { shared, fingerprint, isOwner: owner.promise });\n",
    replace: "",
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
  {
    name: "an answer is made although its last reader has left",
    file: `${joint}/shared-answer.ts`,
    find: "    if (this.#log.readerCount === 0) this.leader.deserted();\n",
    replace: "",
  },
  {
    name: "a stream that is given again is called JSON",
    file: `${joint}/join.ts`,
    find: "exchange.answer = { status: 200, body, isStream: exchange.view?.stream === true };",
    replace: "exchange.answer = { status: 200, body };",
  },
];
