/** A request that gets the answer which another one is making: the waiting, with its own deadline and its own leaving. */
import type { Clock, Timer } from "../../../kernel/clock.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import { zeroUsd } from "../../../kernel/money.ts";
import { openStreamHead } from "../../conclusion/response-headers.ts";
import { describeDeadline, type CallerDeadline } from "../../deadline.ts";
import type { Exchange } from "../../exchange.ts";
import type { LogReader } from "./answer-log.ts";
import type { Awaited, Share } from "../share.ts";
import type { SharedAnswer } from "./shared-answer.ts";

export interface JoinDeps {
  readonly clock: Clock;
}

/**
 * Leaves the answer, or the failure that both meet, in the exchange. `false`: what was joined failed for reasons of its
 * own, and nothing was said yet. Throws `deadline_exceeded`, and `client_closed` for a caller who reads too slowly.
 */
export async function join(
  { clock }: JoinDeps,
  exchange: Exchange,
  share: Share,
  shared: SharedAnswer,
  deadline: CallerDeadline,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<Awaited>();
  const reader = shared.join({
    responder: exchange.responder,
    begin() {
      const source = { requestId: shared.leader.requestId, headers: shared.headersOfAnswer };
      share.take({ ...source, modelServed: null, provider: null }, zeroUsd, null);
      openStreamHead(exchange);
    },
    cut: () => resolve(tooSlow()),
  });
  share.read({ shared, reader, stop: resolve });
  void shared.ended.then(resolve);
  const timers = watchDeadline(clock, exchange, deadline, resolve);
  const awaited = await promise;
  for (const timer of timers) timer.cancel();
  share.stopReading();
  return end(exchange, share, shared, reader, awaited);
}

function end(exchange: Exchange, share: Share, shared: SharedAnswer, reader: LogReader, awaited: Awaited): boolean {
  if (awaited === null || awaited instanceof HeadgateError) {
    shared.leave(reader);
    if (awaited !== null) throw awaited;
    return true;
  }
  if (awaited.how === "failed") {
    if (awaited.isOwn && !shared.hasBegun) return false;
    reader.readToEnd();
    exchange.failure = awaited.failure;
    return true;
  }
  const { source, body, tail } = awaited;
  share.take(source, source.costNanoUsd, null);
  if (body === null) {
    reader.readToEnd();
    share.tail = tail;
  } else {
    exchange.answer = { status: 200, body, isStream: exchange.view?.stream === true };
  }
  return true;
}

/** As a call of its own would be watched: a stream for its beginning, everything for its end. */
function watchDeadline(
  clock: Clock,
  exchange: Exchange,
  deadline: CallerDeadline,
  resolve: (failure: HeadgateError) => void,
): readonly Timer[] {
  const nowMs = clock.monotonicMs();
  const timers: Timer[] = [];
  const { totalDueMs, firstOutputDueMs } = deadline;
  const message = `${describeDeadline(deadline)} was over before the answer that it shares with another was there. Give it longer, or try again.`;
  const expire = (): void => resolve(new HeadgateError("deadline_exceeded", message));
  if (totalDueMs !== Infinity) timers.push(clock.setTimer(expire, totalDueMs - nowMs));
  if (firstOutputDueMs !== Infinity) {
    timers.push(
      clock.setTimer(() => {
        if (!exchange.responder.headSent) expire();
      }, firstOutputDueMs - nowMs),
    );
  }
  return timers;
}

function tooSlow(): HeadgateError {
  return new HeadgateError("client_closed", "The caller fell too far behind others who get the same answer.");
}
