/**
 * Callers who all want to be served at once and do what they are told: wait as long as a refusal says, try again, give
 * up where it says that trying again cannot help.
 */
import { createSystemClock } from "../../src/kernel/clock.ts";
import { send, type Reply } from "../support/simulator-client.ts";

export interface CallersOptions {
  readonly count: number;
  readonly key: string;
  readonly ask: (caller: number) => Asking;
  /** Where requests may go, asked anew for each try. */
  readonly urls: () => readonly string[];
  /** Told of each caller that was served. */
  readonly served: (count: number) => void;
}

/** A caller's request, the same in each try. */
export interface Asking {
  readonly path: string;
  readonly body: object;
}

export interface CallersReport {
  readonly served: number;
  /** Told that the budget is used up. */
  readonly refused: number;
  /** Served in part: their process died, or the budget ended in the middle of a stream. */
  readonly broken: number;
  /** Refusals that asked to come back. */
  readonly askedToWait: number;
  /** Gave up after `TRIES_MAX`. */
  readonly gaveUp: number;
  /** Anything that nobody should see: status and body. */
  readonly unexpected: readonly string[];
}

const TRIES_MAX = 60;
const RECONNECT_MS = 100;

const clock = createSystemClock();

/** As long as a refusal says. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(resolve, ms);
  });
}

interface Counts {
  served: number;
  refused: number;
  broken: number;
  askedToWait: number;
  gaveUp: number;
  unexpected: string[];
}

export async function runCallers(options: CallersOptions): Promise<CallersReport> {
  const counts: Counts = { served: 0, refused: 0, broken: 0, askedToWait: 0, gaveUp: 0, unexpected: [] };
  await Promise.all(Array.from({ length: options.count }, (_, caller) => runCaller(options, caller, counts)));
  return counts;
}

async function runCaller(options: CallersOptions, caller: number, counts: Counts): Promise<void> {
  const { path, body } = options.ask(caller);
  for (let turn = 0; turn < TRIES_MAX; turn++) {
    const urls = options.urls();
    const reply = await send(`${urls[(caller + turn) % urls.length]}${path}`, {
      headers: { authorization: `Bearer ${options.key}`, "content-type": "application/json" },
      body,
    });
    const waitMs = judge(reply, counts);
    if (waitMs === null) {
      if (reply.status === 200) options.served(counts.served);
      return;
    }
    await wait(waitMs);
  }
  counts.gaveUp++;
}

/** Counts what the caller saw; milliseconds until the next try, or `null` if there is none. */
function judge(reply: Reply, counts: Counts): number | null {
  if (reply.status === 0) return RECONNECT_MS;
  if (reply.status === 200) {
    const whole = reply.complete && !reply.text.includes('"error"');
    counts[whole ? "served" : "broken"]++;
    return null;
  }
  const retryAfterMs = Number(reply.headers["retry-after-ms"] ?? Number.NaN);
  if ([402, 429, 503].includes(reply.status) && Number.isFinite(retryAfterMs)) {
    counts.askedToWait++;
    return retryAfterMs;
  }
  if (reply.status === 402) counts.refused++;
  else counts.unexpected.push(`${reply.status} ${reply.text.slice(0, 300)}`);
  return null;
}
