/** Bugs in what requests share: keys, the cache, answers under way. */
import type { Mutation } from "../../support/seeds/workshop.ts";

const keyed = "src/exchange/sharing/keys/keyed.ts";
const unwritten = "src/exchange/sharing/keys/unwritten-answers.ts";
const cached = "src/exchange/sharing/cached.ts";
const identity = "src/exchange/sharing/identity.ts";
const meaning = "src/exchange/sharing/meaning";
const joint = "src/exchange/sharing/joint";

export const sharingMutations: readonly Mutation[] = [
  {
    name: "a request whose key is answered is made again",
    file: keyed,
    find: 'if ("answer" in claimed) {',
    replace: 'if ("answer" in claimed && claimed.answer.kind !== "stream") {',
  },
  {
    name: "an answer under a key that the store does not take is forgotten",
    file: unwritten,
    find: "    if (!unwritten.isOver) this.#hold(unwritten);\n",
    replace: "    if (!unwritten.isOver) this.#end(unwritten);\n",
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
    name: "an idempotency key is the same for all tenants",
    file: identity,
    find: 'hash(["idempotency key", tenantId, idempotencyKey])',
    replace: 'hash(["idempotency key", idempotencyKey])',
  },
  {
    name: "what is cached for a project is given to others",
    file: identity,
    find: "[version, payer.tenantId, payer.projectId, path,",
    replace: "[version, payer.tenantId, path,",
  },
  {
    name: "equal requests under way are made again",
    file: cached,
    find: "if (flight?.isJoinable !== true) return false;",
    replace: "if (flight === null || flight.isJoinable) return false;",
  },
  {
    name: "a caller who wants a new answer gets a kept one",
    file: "src/exchange/sharing/wishes.ts",
    find: "return { mode: own ?? asked, maxAgeMs };",
    replace: 'return { mode: own ?? "use", maxAgeMs };',
  },
  {
    name: "a kept answer is never too old",
    file: "src/exchange/sharing/answer-cache.ts",
    find: "if (cached.expiresAtMs <= nowMs || nowMs - cached.answer.atMs > maxAgeMs) return false;",
    replace: "if (cached.expiresAtMs <= nowMs) return false;",
  },
  {
    name: "whatever is nearest means the same",
    file: `${meaning}/meaning-index.ts`,
    find: "let least = threshold;",
    replace: "let least = threshold - 1;",
  },
  {
    name: "numbers mean nothing",
    file: identity,
    find: '"numbers", ...numbers]',
    replace: '"numbers"]',
  },
  {
    name: "a comparison goes where its request may not",
    file: `${meaning}/embed.ts`,
    find: 'requiredTags(exchange, exchange.view?.model ?? "")',
    replace: 'requiredTags(exchange, "")',
  },
  {
    name: "what a comparison cost is not taken off what it saved",
    file: "src/exchange/sharing/share.ts",
    find: "return toNanoUsd(this.savedNanoUsd - this.embeddingNanoUsd);",
    replace: "return this.savedNanoUsd;",
  },
  {
    name: "who left an answer that others go on reading is recorded as having had it",
    file: "src/exchange/conclusion/record.ts",
    find: "exchange.share?.leading?.callerThatLeft ?? null",
    replace: 'null as Exchange["responder"] | null',
  },
];
