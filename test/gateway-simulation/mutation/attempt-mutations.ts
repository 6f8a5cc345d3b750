/** Bugs in a single call and in the relay of its stream. */
import type { Mutation } from "../../support/seeds/workshop.ts";

const attempt = "src/exchange/attempt/attempt.ts";
const provider = "src/exchange/attempt/provider-side.ts";
const timers = "src/exchange/attempt/timers.ts";
const relay = "src/streaming/relay.ts";

export const attemptMutations: readonly Mutation[] = [
  {
    name: "the caller's deadline is not heeded",
    file: "src/exchange/deadline.ts",
    find: "return startedMs + budgetMs - Math.min(RESERVE_MS, budgetMs * RESERVE_SHARE);",
    replace: "return Infinity;",
  },
  {
    name: "the total time is not heeded",
    file: timers,
    find: "const dueMs = Math.min(this.#phaseDueMs, this.#slowDueMs, this.#bounds.totalDueMs);",
    replace: "const dueMs = Math.min(this.#phaseDueMs, this.#slowDueMs);",
  },
  {
    name: "a whole answer may stall in its middle",
    file: timers,
    find: 'this.#enter("body", idleMs, this.#bounds.firstOutputDueMs);',
    replace: 'this.#enter("body", 0, this.#bounds.firstOutputDueMs);',
  },
  {
    name: "a dial takes no time of the caller's",
    file: timers,
    find: 'this.#enter("connect", this.#timeouts.connectMs, this.#bounds.firstOutputDueMs);',
    replace: 'this.#enter("connect", this.#timeouts.connectMs);',
  },
  {
    name: "another target is called for a caller who has left",
    file: timers,
    find: '    this.#slowDueMs = Infinity;\n    this.#enter("drain", limitMs);',
    replace: '    this.#enter("drain", limitMs);',
  },
  {
    name: "a provider is read on although its caller does not read",
    file: attempt,
    find: "    this.#provider.pause();\n    this.#unreadBytes",
    replace: "    this.#unreadBytes",
  },
  {
    name: "a call that has ended keeps its connection",
    file: provider,
    find: "    this.#call?.abort();\n  }\n}",
    replace: "  }\n}",
  },
  {
    name: "the connection of a complete stream may stay open for ever",
    file: provider,
    find: "return clock.setTimer(() => call?.abort(), delayMs);",
    replace: "return clock.setTimer(() => call?.resume(), delayMs);",
  },
  {
    name: "timers of a call that has ended go on",
    file: attempt,
    find: "    this.#timers.stop();\n",
    replace: "",
  },
  {
    name: "a stream that ends without a reason is complete",
    file: "src/streaming/stream-state.ts",
    find: '  open: {\n    ...absorbing("broken"),',
    replace: '  open: {\n    ...absorbing("broken"),\n    eof: "ended",',
  },
  {
    name: "an error in a stream is not seen",
    file: relay,
    find: '} else if (signal === "error") {\n      this.#failure = this.#options.reader.failure;\n    } else {',
    replace: '} else if (signal === "error") {\n      return;\n    } else {',
  },
  {
    name: "an event that cannot be read is left out",
    file: relay,
    find: '    if (signal === "invalid") {\n      this.#invalidEvents++;',
    replace: '    if (signal === "invalid") {\n      this.#invalidEvents++;\n      return;',
  },
  {
    name: "what a caller did not ask for is handed on",
    file: relay,
    find: 'if (signal === "usage" && this.#options.withholdUsage) return;',
    replace: "",
  },
  {
    name: "a stream is handed on before its commit point",
    file: relay,
    find: '    if (at === "first-output" ||',
    replace: "    if (at !== null ||",
  },
  {
    name: "more is held back than may be",
    file: relay,
    find: "const fits = this.#held.size + bytes.byteLength <= this.#options.commit.heldBytesMax;",
    replace: "const fits = this.#held.size >= 0;",
  },
];
