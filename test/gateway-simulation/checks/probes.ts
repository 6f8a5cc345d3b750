/** Requests that show that all is well again, once nothing is wrong any more. */
import type { Config } from "../../../src/config/config.ts";
import { Random } from "../../simulation/world/random.ts";
import { drawAsk, type Ask } from "../callers/ask.ts";
import type { Request } from "../callers/request.ts";
import { askSources, type Scenario } from "../scenario/scenario.ts";
import type { Look } from "./answer-checks.ts";
import { isServable } from "./eligibility.ts";
import { Violation } from "./violation.ts";

const WORDS = 5;
const KEY = "secret-ada";

/** A short one for every model. */
export function probesOf(scenario: Scenario): readonly Ask[] {
  const { models, embeddingModels, requests } = scenario;
  return [...new Set([...models, ...embeddingModels])].map((model, at) => ({
    ...drawAsk(new Random(at), requests + at + 1, askSources(scenario)),
    speaks: embeddingModels.includes(model) ? "openai-embeddings" : at % 2 === 0 ? "openai-chat" : "anthropic-messages",
    ...(embeddingModels.includes(model) ? { stream: false } : {}),
    model,
    key: KEY,
    words: WORDS,
    deadline: null,
    leavesAfterMs: null,
    bodyAfterMs: 0,
    tags: [],
    idempotencyKey: null,
    twinsAfterMs: [],
    reading: { kind: "at once" },
    clamps: false,
    retriesMax: 0,
  }));
}

/** Throws a `Violation` unless it is answered, or limited by an allowance, or nobody may serve it. */
export function judgeProbe({ id, ask, inbox }: Request, look: Look, config: Config): void {
  const isLimited = look === "error" && inbox.headers.has("x-headgate-allowance");
  const isCut = look === "broken off" && inbox.text().includes('"budget_exhausted"');
  if (!isServable(config, ask)) {
    if (inbox.headers.get("x-headgate-error-code") === "unsupported_capability") return;
    throw new Violation("terms", `${id} looks ${look} though nobody may serve it: ${inbox.status} ${inbox.text()}`);
  }
  if (look === "complete" || isLimited || isCut) return;
  throw new Violation("recovery", `${id} looks ${look}: ${inbox.status} ${inbox.text()}`);
}
