/** Whether a caller was told the truth: of its answer, and in the record of it. */
import type { CommitConfig } from "../../../src/config/config.ts";
import type { RequestRecord } from "../../../src/storage/records.ts";
import type { Request } from "../callers/request.ts";
import { readAnswer, type Seen, type SeenStream } from "../callers/seen.ts";
import type { SimulatedCall } from "../providers/call.ts";
import { textOf } from "../providers/wire.ts";
import { Violation } from "./violation.ts";

/** How an answer looked to its caller. */
export type Look = "complete" | "error" | "broken off" | "cut off" | "left" | "killed";

/**
 * Throws a `Violation` for an answer that no caller should get. `at`: the commit point of its route. `calls`: those that
 * may have given it.
 */
export function judgeAnswer(
  request: Request,
  at: CommitConfig["at"],
  calls: readonly SimulatedCall[] = request.calls,
): Look {
  const { inbox } = request;
  if (inbox.hasLeft) return "left";
  const seen = readAnswer(request);
  switch (seen.kind) {
    case "nothing":
      return judgeCut(request);
    case "error":
      return "error";
    case "whole":
      if (inbox.endedBy !== "send") throw truncated(request, "A whole answer was not handed over whole.");
      judgeText(request, seen, calls);
      return "complete";
    case "stream":
      return judgeStream(request, seen, at, calls);
  }
}

/** What its process had said before it died is a part of an answer, and does not look complete. Throws a `Violation`. */
export function judgeKilled(request: Request, calls: readonly SimulatedCall[]): void {
  const seen = readAnswer(request);
  if (seen.kind !== "stream") return;
  if (seen.endsWithMarker) throw truncated(request, "It looks complete though its process died before its end.");
  judgeBeginning(request, seen, calls);
}

function judgeBeginning(request: Request, { text }: SeenStream, calls: readonly SimulatedCall[]): void {
  if (calls.some(({ facts }) => textOf(facts.answer).startsWith(text))) return;
  throw truncated(request, `No provider said what the stream says: ${JSON.stringify(text)}.`);
}

function judgeStream(
  request: Request,
  seen: SeenStream,
  at: CommitConfig["at"],
  calls: readonly SimulatedCall[],
): Look {
  const { inbox, ask } = request;
  judgeBeginning(request, seen, calls);
  if (inbox.endedBy === "destroy") return judgeCut(request);
  if (!ask.wantsUsage && seen.usageEvents > 0) throw new Violation("truncated", `${request.id} got usage unasked.`);
  const isComplete = seen.markers === 1 && seen.endsWithMarker && seen.errorCode === null;
  const isBroken = seen.markers === 0 && seen.errorCode !== null && seen.isWhole;
  if (seen.strayErrors > 0 || isComplete === isBroken) {
    throw new Violation(
      "marker",
      `${request.id} got a stream with ${JSON.stringify({ ...seen, text: seen.text.length })}.`,
    );
  }
  if (isComplete) {
    judgeOrder(request, seen);
    judgeText(request, seen, calls);
  }
  // Once it is complete only the store can still withhold its end, or the deadline of who shares it.
  const isShared = request.exchange.share !== null;
  if (isBroken && !isShared && at === "complete" && seen.text !== "" && seen.errorCode !== "storage_unavailable") {
    throw new Violation("heldBack", `${request.id} got ${JSON.stringify(seen.text)} and then ${seen.errorCode}.`);
  }
  return isComplete ? "complete" : "broken off";
}

/** Anthropic's documentation of streams, "Event types": one message, in it one block after the other; pings anywhere. */
const messageOrder =
  /^message_start (content_block_start (content_block_delta )*content_block_stop )*message_delta message_stop $/;

function judgeOrder({ id, ask }: Request, { order }: SeenStream): void {
  const events = order.replaceAll("ping ", "");
  if (ask.speaks !== "anthropic-messages" || messageOrder.test(events)) return;
  throw new Violation("order", `${id} got ${events}`);
}

/** A connection is cut off only where nobody reads, or nobody is left. */
function judgeCut(request: Request): Look {
  if (request.ask.reading.kind === "slowly") return "cut off";
  throw new Violation("once", `${request.id} was cut off without a word, though its caller read all the time.`);
}

function judgeText(
  request: Request,
  { text, finish }: { readonly text: string; readonly finish: string | null },
  calls: readonly SimulatedCall[],
): void {
  const isSaid = calls.some(({ facts: { answer }, isFinished }) => {
    return isFinished && answer.finish === finish && textOf(answer) === text;
  });
  if (!isSaid) throw truncated(request, `It shows as complete what no provider finished: ${JSON.stringify(text)}.`);
}

function truncated(request: Request, what: string): Violation {
  return new Violation("truncated", `${request.id}: ${what}`);
}

/** The caller left only when all was over but for the store, or when the gateway was giving up by itself. */
function wasThereToTheEnd({ leftAtMs, exchange }: Request, { closedAtMs }: Keeping): boolean {
  return leftAtMs === null || leftAtMs >= closedAtMs || exchange.cancelCause === "shutdown";
}

/** What the store made of a record. */
export interface Keeping {
  /** When it was handed over. */
  readonly closedAtMs: number;
  /** The store has lied about it, so it need not agree with what the caller was told then. */
  readonly isDoubtful: boolean;
}

export function judgeRecord(request: Request, look: Look, record: RequestRecord, keeping: Keeping): void {
  const { inbox, calls } = request;
  const told = (what: string): Violation =>
    new Violation(
      "record",
      `${request.id} looked ${look} but ${what}: ${record.ending} ${record.status} ${record.errorCode}.`,
    );
  const counts = `its record counts ${record.attempts} calls, and it made ${calls.length}`;
  if (record.attempts < calls.length) throw told(counts);
  // What a dead process had not committed is settled as it was held, whatever the caller was told before.
  if (keeping.isDoubtful || (record.ending === "killed" && request.gateway.wasKilled && look !== "complete")) return;
  if (record.attempts > calls.length) throw told(counts);
  const code = inbox.headers.get("x-headgate-error-code") ?? null;
  switch (look) {
    case "complete":
      if (record.ending !== "complete" || record.errorCode !== null || record.status !== 200)
        throw told("its record says");
      break;
    case "error":
      if (record.ending === "complete" || record.status !== inbox.status || record.errorCode !== code) {
        throw told(`was told ${inbox.status} ${code}, and its record says`);
      }
      break;
    case "broken off": {
      const seen: Seen = readAnswer(request);
      const toldCode = seen.kind === "stream" ? seen.errorCode : null;
      if (record.ending === "complete" || record.status !== 200 || record.errorCode !== toldCode) {
        throw told(`was told ${toldCode}, and its record says`);
      }
      break;
    }
    case "cut off":
      if (record.errorCode !== "client_closed") throw told("its record says");
      break;
    case "killed":
      break;
    case "left":
      if (wasThereToTheEnd(request, keeping) || record.ending === "caller-gone") break;
      throw told("its record says");
  }
}
