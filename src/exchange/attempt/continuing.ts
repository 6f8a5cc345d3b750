/**
 * What it takes for one attempt to go on where another broke off (streaming/continuation.ts): a record of what the
 * caller was shown, a request that may carry it as the beginning of the answer, and a relay that passes over it.
 */
import { meterOutput } from "../../accounting/estimate.ts";
import type { CanonicalRequest } from "../../dialects/canonical.ts";
import type {
  InboundCodec,
  OutboundCodec,
  OutboundTranslation,
  RequestView,
  TargetFacts,
} from "../../dialects/dialect.ts";
import type { RoutePolicy } from "../../routing/plan.ts";
import type { AnswerMemory } from "../../streaming/answer-memory.ts";
import { ContinuingDecoder, prefillOf } from "../../streaming/continuation.ts";
import type { RelayOptions } from "../../streaming/relay.ts";
import { readAlong, recordInto, Transcript } from "../../streaming/transcript.ts";
import type { Translator } from "./choose.ts";

/** What the caller has been shown of a stream, as it grows. */
export interface Shown {
  readonly transcript: Transcript;
  /** The answer's id was shown as the provider gave it. */
  readonly idStands: boolean;
}

/** The sides of a call. */
export interface Sides {
  readonly inbound: InboundCodec;
  readonly outbound: OutboundCodec;
  /** `null`: same dialect on both sides. */
  readonly translator: Translator | null;
}

/**
 * What an attempt is to keep of what it shows. `null`: its route does not want that, or the request asks for something
 * that the canonical form does not have, so that nobody could tell whether another attempt repeats it.
 */
export function keepShown(
  { commit }: RoutePolicy,
  { inbound, outbound, translator }: Sides,
  view: RequestView,
  continues: Shown | null,
  charsMax: number,
  memory: AnswerMemory,
): Shown | null {
  if (continues !== null) return { ...continues, transcript: continues.transcript.copy() };
  if (commit.whenBroken !== "continue" || !view.stream || outbound.translation === undefined) return null;
  if (inbound.translation?.isPlain(view) !== true) return null;
  return { transcript: new Transcript(charsMax, memory), idStands: translator === null };
}

/** The request with the shown text as the beginning of its answer. `null`: it has to begin anew. */
export function withPrefill(
  request: CanonicalRequest,
  outbound: OutboundTranslation,
  target: TargetFacts,
  { transcript }: Shown,
): { readonly request: CanonicalRequest; readonly prefill: string } | null {
  const prefill = prefillOf(transcript);
  if (prefill === null || outbound.takesPrefill?.(request, target) !== true) return null;
  const bound = request.maxOutputTokens;
  const spent = meterOutput(Buffer.byteLength(prefill), 0);
  const begun = { type: "message", role: "assistant", name: null, parts: [{ type: "text", text: prefill }] } as const;
  return {
    request: {
      ...request,
      items: [...request.items, begun],
      maxOutputTokens: bound === null ? null : Math.max(1, bound - spent),
    },
    prefill,
  };
}

/** How a stream's events become the caller's. */
export interface Relaying extends Sides {
  readonly view: RequestView;
  readonly target: TargetFacts;
  readonly createdMs: number;
  readonly shown: Shown | null;
  readonly continues: Shown | null;
  /** What of it the attempt was given as its beginning. */
  readonly prefill: string | null;
}

export function relayThrough(parts: Relaying): Pick<RelayOptions, "translation" | "tap"> {
  const { translator, shown, continues } = parts;
  const outbound = translator?.outbound ?? parts.outbound.translation;
  const inbound = translator?.inbound ?? parts.inbound.translation;
  if (outbound === undefined || inbound === undefined || (translator === null && shown === null)) {
    return { translation: null, tap: null };
  }
  const decoder = outbound.createStreamDecoder(parts.target.quirks);
  if (continues !== null && shown !== null) {
    const rest = new ContinuingDecoder(decoder, continues.transcript, parts.prefill);
    const encoder = inbound.createStreamEncoder(parts.view, parts.createdMs, continues.idStands);
    const translation = {
      decoder: recordInto(shown.transcript, rest),
      encoder: continues.transcript.replayInto(encoder),
    };
    return { translation, tap: null };
  }
  if (translator === null) {
    return { translation: null, tap: shown === null ? null : readAlong(shown.transcript, decoder) };
  }
  const encoder = inbound.createStreamEncoder(parts.view, parts.createdMs);
  const recorded = shown === null ? decoder : recordInto(shown.transcript, decoder);
  return { translation: { decoder: recorded, encoder }, tap: null };
}
