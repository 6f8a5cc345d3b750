/** What is cached of a stream: with what was used, whether its caller asked for that or not, for callers who do. */
import type { KeptAnswer } from "../../../storage/answers/answers.ts";
import type { Exchange } from "../../exchange.ts";

/** `tail`: with what it ends as its caller was given it. */
export function withUsage(exchange: Exchange, answer: KeptAnswer, tail: Uint8Array | null): KeptAnswer {
  const end = endWithUsage(exchange);
  if (end === null || tail === null || answer.kind !== "stream") return answer;
  const beginning = answer.body.subarray(0, answer.body.byteLength - tail.byteLength);
  return { ...answer, body: Buffer.concat([beginning, end]) };
}

/** `null`: the stream says it by itself, or nobody knows. */
function endWithUsage({ view, dialect, toldAttempt, startedAtMs }: Exchange): Uint8Array | null {
  const translation = dialect.inbound?.translation;
  const attempt = toldAttempt?.attempt;
  const { id = null, model = null, usage = null } = attempt?.reading ?? {};
  if (translation === undefined || view === null || view.wantsStreamUsage || usage === null) return null;
  const idStands = attempt?.call.translateAnswer === null;
  const encoder = translation.createStreamEncoder({ ...view, wantsStreamUsage: true }, startedAtMs, idStands);
  encoder.encode({ type: "start", id: id ?? "", model: model ?? "", createdMs: null });
  encoder.encode({ type: "usage", usage });
  return Buffer.from(encoder.end());
}
