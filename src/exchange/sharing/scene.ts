import type { RequestView } from "../../dialects/dialect.ts";
import type { KeptAnswer } from "../../storage/answers/answers.ts";
import type { AnswerMemory } from "../../streaming/answer-memory.ts";
import type { Principal } from "../../tenancy/principal.ts";
import type { CallerDeadline } from "../deadline.ts";
import type { Exchange } from "../exchange.ts";
import type { CanonicalBody } from "./canonical-body.ts";
import { decodeFailure } from "./kept-failure.ts";
import type { Embedded, Words } from "./meaning/embed.ts";
import type { Share } from "./share.ts";
import { SharedAnswer } from "./joint/shared-answer.ts";

/** One request on its way through what it may share. */
export interface Scene {
  readonly exchange: Exchange;
  readonly view: RequestView;
  readonly body: CanonicalBody;
  readonly principal: Principal;
  readonly share: Share;
  readonly deadline: CallerDeadline;
  /** When everything must be over, by the caller's deadline or the gateway's timeouts; monotonic. */
  readonly dueMs: number;
  /** What words mean, at the payer's expense. Never rejects. */
  readonly embed: (words: Words) => Promise<Embedded>;
  readonly memory: AnswerMemory;
}

/** From now on others can read what the exchange answers, up to `keepBytes` from the beginning. */
export function lead({ exchange, share, memory }: Scene, keepBytes: number): SharedAnswer {
  const shared = new SharedAnswer(share, exchange.responder, keepBytes, memory);
  share.leading = shared;
  exchange.responder = shared;
  return shared;
}

/** The exchange answers with what is kept. `nowMs`: wall time. */
export function answerWith({ exchange, share }: Scene, answer: KeptAnswer, nowMs: number): void {
  const { kind, body } = answer;
  share.take(answer, answer.costNanoUsd, nowMs - answer.atMs);
  if (kind === "failure") exchange.failure = decodeFailure(body);
  else exchange.answer = { status: 200, body, isStream: kind === "stream" };
}
