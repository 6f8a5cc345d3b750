/**
 * The form of an answer: whole, or a stream, with or without what was used. All say the same, so one answer is kept for
 * all, as it was given; whoever asks for another form gets it made anew: through the canonical form, in the caller's own
 * dialect both ways.
 *
 * Invariant: an answer is not given in another form where that would leave out anything that the caller would have had.
 * Then it counts as not kept.
 */
import { foldAnswer, unfoldAnswer } from "../../../dialects/answer-forms.ts";
import type { CanonicalEvent, CanonicalResponse } from "../../../dialects/canonical.ts";
import type {
  Dialect,
  InboundTranslation,
  OutboundCodec,
  OutboundTranslation,
  RequestView,
} from "../../../dialects/dialect.ts";
import { parseExactJson } from "../../../dialects/exact-json.ts";
import { SseParser, type SseEvent } from "../../../dialects/sse.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { KeptAnswer } from "../../../storage/answers/answers.ts";
import { saysAll } from "./says-all.ts";
import { withoutUsage } from "./without-usage.ts";

export type AnswerForm = "whole" | "stream" | "stream with usage";

type Asked = Pick<RequestView, "stream" | "wantsStreamUsage">;

export function formOf({ stream, wantsStreamUsage }: Asked): AnswerForm {
  if (!stream) return "whole";
  return wantsStreamUsage ? "stream with usage" : "stream";
}

/** The answer in the form that is asked for: itself, where that is its own. `null`: it cannot be given so. */
export function inFormOf(view: RequestView, dialect: Dialect, answer: KeptAnswer): KeptAnswer | null {
  const kind = view.stream ? "stream" : "whole";
  if (kind === answer.kind) {
    if (!view.stream || view.wantsStreamUsage || dialect.outbound === undefined) return answer;
    return { ...answer, body: withoutUsage(dialect.outbound, answer.body) };
  }
  const sides = sidesOf(dialect);
  if (sides === null || !sides.inbound.isPlain(view)) return null;
  try {
    const body = view.stream ? toStream(sides, view, answer) : toWhole(sides, view, answer);
    return body === null ? null : { ...answer, kind, body };
  } catch (thrown) {
    if (thrown instanceof HeadgateError) return null;
    throw thrown;
  }
}

/** The two sides of one dialect, which is the caller's. */
interface Sides {
  readonly codec: OutboundCodec;
  readonly inbound: InboundTranslation;
  readonly outbound: OutboundTranslation;
}

function sidesOf({ inbound, outbound }: Dialect): Sides | null {
  if (outbound?.translation === undefined || inbound?.translation === undefined) return null;
  return { codec: outbound, inbound: inbound.translation, outbound: outbound.translation };
}

function toStream({ inbound, outbound }: Sides, view: RequestView, { body, atMs }: KeptAnswer): Uint8Array | null {
  const answer = parseExactJson(textOf(body));
  const response = outbound.decodeResponse(answer, {});
  const again = parseExactJson(textOf(inbound.encodeResponse(response, view, atMs)));
  return saysAll([again], [answer]) ? Buffer.from(streamOf(inbound, view, response, atMs)) : null;
}

function toWhole(sides: Sides, view: RequestView, { body, atMs }: KeptAnswer): Uint8Array | null {
  const { inbound } = sides;
  const told = readStream(sides, body);
  const response = foldAnswer(told.events);
  // A provider may say what was used with whole answers only.
  if (response === null || response.usage === null) return null;
  const again = streamOf(inbound, { ...view, wantsStreamUsage: true }, response, atMs);
  if (!saysAll(readStream(sides, Buffer.from(again)).chunks, told.chunks)) return null;
  return inbound.encodeResponse(response, view, atMs);
}

/** Its id stands: the caller's dialect is the one that it is kept in. */
function streamOf(inbound: InboundTranslation, view: RequestView, response: CanonicalResponse, atMs: number): string {
  const encoder = inbound.createStreamEncoder(view, atMs, true);
  let stream = "";
  for (const event of unfoldAnswer(response)) stream += encoder.encode(event);
  return stream + encoder.end();
}

interface Told {
  readonly events: readonly CanonicalEvent[];
  /** The wire's own, without those that only keep the connection. */
  readonly chunks: readonly unknown[];
}

function readStream({ codec, outbound }: Sides, stream: Uint8Array): Told {
  const reader = codec.createStreamReader({}, 1);
  const decoder = outbound.createStreamDecoder({});
  const events: CanonicalEvent[] = [];
  const chunks: unknown[] = [];
  forEachEvent(stream, (event) => {
    if (event.comment) return;
    const signal = reader.read(event);
    if (signal === "end") return;
    const said = decoder.decode(reader.json);
    events.push(...said);
    if (said.length > 0 || signal !== "progress") chunks.push(reader.json);
  });
  return { events, chunks };
}

/** It was read within `limits.streamEventBytes` when it was made. */
function forEachEvent(stream: Uint8Array, sink: (event: SseEvent) => void): void {
  const parser = new SseParser({ eventBytes: Infinity });
  parser.push(stream, sink);
  parser.end(sink);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
