/** Bugs in the end of a request: what is settled, recorded and said, and in which order. */
import type { Mutation } from "../../support/seeds/workshop.ts";

const conclude = "src/exchange/conclusion/conclude.ts";
const settle = "src/exchange/conclusion/settle.ts";
const settlement = "src/accounting/settlement.ts";

export const conclusionMutations: readonly Mutation[] = [
  {
    name: "an answer is ended before its record is committed",
    file: conclude,
    find: "  const committed = await commit(deps, exchange, record, entries, taking);\n  respond(exchange, committed ? end : renderEnd(exchange), entries);",
    replace:
      "  respond(exchange, end, entries);\n  const committed = await commit(deps, exchange, record, entries, taking);",
  },
  {
    name: "the hold of a call that was cancelled stays",
    file: conclude,
    find: "      entries.push(settleAttempt(open, settledAtMs));",
    replace: '      if (open.attempt.state !== "cancelled") entries.push(settleAttempt(open, settledAtMs));',
  },
  {
    name: "allowances are charged twice",
    file: conclude,
    find: "moves.push(...reservation.settle(demandOf(open, entry)));",
    replace: "const taken = reservation.settle(demandOf(open, entry));\n      moves.push(...taken, ...taken);",
  },
  {
    name: "a reservation is not told that it is committed",
    file: conclude,
    find: "for (const reservation of reservations) reservation.committed();",
    replace: "",
  },
  {
    name: "what is committed late frees nothing",
    file: "src/exchange/late-reservations.ts",
    find: '=== "settled"',
    replace: '=== "abandoned"',
  },
  {
    name: "a caller who left is recorded as served",
    file: conclude,
    find: '  if (cause === "caller-gone") {\n    exchange.failure = callerGone();\n  } else',
    replace: "",
  },
  {
    name: "the record of a stream that broke says that it is complete",
    file: "src/exchange/conclusion/record.ts",
    find: '  if (failure === null) return "complete";',
    replace: '  if (failure === null || failure.code === "stream_truncated") return "complete";',
  },
  {
    name: "a refused call is charged",
    file: settlement,
    find: "if (!end.sent || (end.refused && !end.refusedByServer)) return nothing(price);",
    replace: "if (!end.sent) return nothing(price);",
  },
  {
    name: "output that was not reported is free",
    file: settlement,
    find: "usage.outputTokens += Math.max(0, meterOutput(reading.outputBytes, outputEvents) - totalOutputTokens(usage));",
    replace: "",
  },
  {
    name: "what a provider reports is not believed",
    file: settlement,
    find: "if (finished && reading.usage !== null && !reading.usageIsDoubtful) {",
    replace:
      "if (finished && reading.usage !== null && !end.stopped && end.complete && !end.drained && end.outputEvents < 40) {",
  },
  {
    name: "a call that a provider saw does not count",
    file: settle,
    find: "if (open === null || entry === null || open.attempt.sentAtMs === null) return null;",
    replace: 'if (open === null || entry === null || open.attempt.state !== "complete") return null;',
  },
  {
    name: "a request that was admitted never leaves",
    file: "src/exchange/run.ts",
    find: "if (admitted) deps.admission.leave();",
    replace: "if (admitted && exchange.failure === null) deps.admission.leave();",
  },
  {
    name: "a shutdown cancels nothing",
    file: "src/exchange/exchange.ts",
    find: "this.#cause ??= cause;",
    replace: 'if (cause === "shutdown") return;\n    this.#cause ??= cause;',
  },
];
