/** Bugs in the way from call to call: who is called, when, how often, and what becomes of those that are not wanted. */
import type { Mutation } from "../../support/seeds/workshop.ts";

const course = "src/exchange/course/course.ts";
const itinerary = "src/exchange/course/itinerary.ts";
const breaker = "src/routing/health/breaker.ts";
const leg = "src/exchange/course/leg.ts";

export const courseMutations: readonly Mutation[] = [
  {
    name: "the loser of a race is not cancelled",
    file: course,
    find: "if (other !== leg) other.lose(leg);",
    replace: "if (other === leg) other.lose(leg);",
  },
  {
    name: "a call is made again after output was shown",
    file: course,
    find: "    this.#win(leg);\n    if (this.continues === null) openStreamHead(exchange);",
    replace: "    if (this.continues === null && !exchange.responder.headSent) openStreamHead(exchange);",
  },
  {
    name: "a request ends when the first of two calls has failed",
    file: course,
    find: "for (let leg = this.#running[0]; leg !== undefined; leg = this.#running[0]) await leg.over;",
    replace: "await this.#running[0]?.over;",
  },
  {
    name: "calls are not counted",
    file: itinerary,
    find: "    this.#attemptsLeft--;\n",
    replace: "",
  },
  {
    name: "a request that was refused is tried elsewhere",
    file: itinerary,
    find: '      case "final":\n        this.#attemptsLeft = 0;\n        return;',
    replace: '      case "final":\n        place.isExcluded = true;\n        return;',
  },
  {
    name: "a target that was silent is called again",
    file: "src/exchange/course/verdict.ts",
    find: '    case "idle_timeout":\n',
    replace: '    case "idle_timeout":\n      return "again";\n',
  },
  {
    name: "a credential that was refused is presented again",
    file: "src/exchange/course/verdict.ts",
    find: '      return "credential";',
    replace: '      return "again";',
  },
  {
    name: "what a provider asks to wait is not waited for",
    file: "src/dialects/retry-advice.ts",
    find: "...(retryAfterMs === null ? {} : { retryAfterMs }),",
    replace: "",
  },
  {
    name: "calls are made again without a budget",
    file: "src/routing/health/retry-budget.ts",
    find: "if (percent <= 0 || retries >= Math.max(RETRIES_MIN, (requests * percent) / 100)) return false;",
    replace: "",
  },
  {
    name: "a budget of retries is a share of all that is called",
    file: "src/routing/health/retry-budget.ts",
    find: "retries >= Math.max(RETRIES_MIN, (requests * percent) / 100)",
    replace: "retries >= Math.max(RETRIES_MIN, requests)",
  },
  {
    name: "a hedge takes nothing from the budget of retries",
    file: itinerary,
    find: "(isFailing || this.#mayRetry(place))",
    replace: "(isFailing || place.failures === 0)",
  },
  {
    name: "a request that an SDK repeats takes nothing from the budget for that",
    file: itinerary,
    find: "if (wasRetry && !health.spendRetry(budgetPercent, this.#nowMs)) return false;",
    replace: "",
  },
  {
    name: "what a provider asks everybody to wait is waited for by one",
    file: breaker,
    find: "const untilMs = nowMs + askedMs;",
    replace: "const untilMs = nowMs;",
  },
  {
    name: "a pass is not given back",
    file: leg,
    find: "    this.#pass?.leave(this.#tokensUsed(), outcome);\n",
    replace: "",
  },
  {
    name: "a call leaves before its hold is committed",
    file: leg,
    find: "await deps.journal.open(prepared.hold);",
    replace: "void deps.journal.open(prepared.hold).catch(() => {});",
  },
  {
    name: "a call that was cancelled while its hold was written is made all the same",
    file: leg,
    find: "if (this.isCancelled || this.#isPassed()) {",
    replace: "if (this.#isPassed()) {",
  },
  {
    name: "a call that was not made counts",
    file: leg,
    find: "    this.open = open;\n",
    replace: "    this.open = open;\n    if (this.isCancelled || this.#isPassed()) exchange.attempts.push(open);\n",
  },
  {
    name: "a caller's leave does not reach the provider",
    file: leg,
    find: "else if (first) attempt.cancel(this.#drainMs());",
    replace: "",
  },
  {
    name: "a target is called as usual however often it fails",
    file: breaker,
    find: "if (!this.#hasTooMany(nowMs)) return;",
    replace: "if (nowMs >= 0) return;",
  },
  {
    name: "a target that is down is called by who has no other",
    file: breaker,
    find: "if (!this.#isDown) return Math.max(nowMs, this.#limitedUntilMs);",
    replace: "if (nowMs >= 0) return Math.max(nowMs, this.#limitedUntilMs);",
  },
  {
    name: "a target whose time is over is probed by everybody",
    file: breaker,
    find: "this.#probing < this.#rules.probes * 2 ** this.#answers",
    replace: "this.#probing >= 0",
  },
  {
    name: "a target that failed is called again at once",
    file: "src/exchange/course/backoff.ts",
    find: "return Math.max(random() * bound, retryAfterMs ?? 0);",
    replace: "return Math.max(0 * random() * bound, retryAfterMs ?? 0);",
  },
  {
    name: "fallbacks come before targets",
    file: itinerary,
    find: "const stop = this.#rotated() ?? this.#nextOf(false) ?? this.#nextOf(true);",
    replace: "const stop = this.#rotated() ?? this.#nextOf(true) ?? this.#nextOf(false);",
  },
  {
    name: "a target that was left alone stays so",
    file: breaker,
    find: "if (nowMs < fromMs) return fromMs;",
    replace: "if (this.#isTripped) return Infinity;",
  },
  {
    name: "a wait between two calls goes on after the caller has left",
    file: "src/exchange/course/pause.ts",
    find: "    this.#timer.cancel();\n    this.#end();",
    replace: "",
  },
  {
    name: "a wait between two calls goes by the wall clock",
    file: "src/exchange/course/pause.ts",
    find: "clock.monotonicMs() + wholeMs;\n    this.#timer = clock.setTimer(this.#fired, wholeMs);\n  }\n\n  cancel(): void {\n    this.#timer.cancel();\n    this.#end();\n  }\n\n  readonly #fired = (): void => {\n    const leftMs = this.#dueMs - this.#clock.monotonicMs();",
    replace:
      "clock.wallMs() + wholeMs;\n    this.#timer = clock.setTimer(this.#fired, wholeMs);\n  }\n\n  cancel(): void {\n    this.#timer.cancel();\n    this.#end();\n  }\n\n  readonly #fired = (): void => {\n    const leftMs = this.#dueMs - this.#clock.wallMs();",
  },
  {
    name: "heartbeats go on",
    file: course,
    find: "heartbeat?.stop();",
    replace: "",
  },
];
