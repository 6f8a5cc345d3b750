/** Who asks when, who leaves, and who asks again after an error, as the SDKs do. */
import type { Counts } from "../../support/seeds/counts.ts";
import type { Agenda } from "../../simulation/world/agenda.ts";
import type { Random } from "../../simulation/world/random.ts";
import type { Trace } from "../../simulation/world/trace.ts";
import type { Ask } from "./ask.ts";
import type { Request } from "./request.ts";

export interface TrafficDeps {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly trace: Trace;
  readonly counts: Counts;
  /** `null`: the gateway takes no more connections. */
  readonly serve: (ask: Ask) => Request | null;
  readonly began: (request: Request) => void;
  readonly left: (request: Request) => void;
}

/** openai-node, `shouldRetry`. */
const retriedStatuses: ReadonlySet<number> = new Set([408, 409, 429]);
const BACKOFF_MS = 500;
/** openai-node waits no longer than a minute for what `retry-after` says. */
const ADVICE_MS_MAX = 60_000;

export class Traffic {
  readonly #deps: TrafficDeps;
  #stopped = false;

  constructor(deps: TrafficDeps) {
    this.#deps = deps;
  }

  ask(ask: Ask): Request | null {
    const { agenda, trace, counts, serve, began, left } = this.#deps;
    const request = serve(ask);
    if (request === null) return null;
    counts.add("requests");
    trace.note(request.id, `asks ${ask.model} for ${ask.words} words${ask.stream ? ", streamed" : ""}`);
    began(request);
    if (ask.leavesAfterMs !== null) {
      agenda.after(ask.leavesAfterMs, () => {
        if (!request.leave(agenda.nowMs)) return;
        trace.note(request.id, "leaves");
        counts.add("callers who left");
        left(request);
      });
    }
    return request;
  }

  /** Nobody asks again from now on. */
  stop(): void {
    this.#stopped = true;
  }

  /** To be called when a request is over. */
  askAgain({ ask, inbox }: Request): void {
    const { agenda, random, counts } = this.#deps;
    if (ask.retryCount >= ask.retriesMax || inbox.hasLeft || !isRetried(inbox)) return;
    const adviceMs = Number(inbox.headers.get("retry-after-ms") ?? NaN);
    const waitMs = adviceMs >= 0 && adviceMs < ADVICE_MS_MAX ? adviceMs : BACKOFF_MS * (1 - random.unit() / 4);
    agenda.after(waitMs, () => {
      if (this.#stopped) return;
      counts.add("requests asked again");
      this.ask({ ...ask, retryCount: ask.retryCount + 1 });
    });
  }
}

function isRetried({ endedBy, status, headers }: Request["inbox"]): boolean {
  if (endedBy !== "send" || status === null) return endedBy === "destroy";
  const advice = headers.get("x-should-retry");
  if (advice !== undefined) return advice === "true";
  return retriedStatuses.has(status) || status >= 500;
}
