/** Requests that show that all is well again, once nothing is wrong any more. */
import { Random } from "../../simulation/world/random.ts";
import { drawAsk, type Ask } from "../callers/ask.ts";
import type { Request } from "../callers/request.ts";
import type { Look } from "./answer-checks.ts";
import { Violation } from "./violation.ts";

const WORDS = 5;
const KEY = "secret-ada";

/** A short one for every model. `after`: the number of the last one before. */
export function probesOf(models: readonly string[], after: number): readonly Ask[] {
  return models.map((model, at) => ({
    ...drawAsk(new Random(at), after + at + 1, { keys: [KEY], models, spanMs: 1 }),
    model,
    key: KEY,
    words: WORDS,
    deadline: null,
    leavesAfterMs: null,
    bodyAfterMs: 0,
    idempotencyKey: null,
    twinsAfterMs: [],
    reading: { kind: "at once" },
    clamps: false,
    retriesMax: 0,
  }));
}

/** Throws a `Violation` unless it is answered, or limited by an allowance. */
export function judgeProbe({ id, inbox }: Request, look: Look): void {
  const isLimited = look === "error" && inbox.headers.has("x-headgate-allowance");
  const isCut = look === "broken off" && inbox.text().includes('"budget_exhausted"');
  if (look === "complete" || isLimited || isCut) return;
  throw new Violation("recovery", `${id} looks ${look}: ${inbox.status} ${inbox.text()}`);
}
