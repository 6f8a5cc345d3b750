/**
 * Goes on with a broken stream by another attempt: passes over what the attempt says as long as it repeats, to the
 * letter, what the caller has been shown, and lets through what comes after.
 *
 * Invariant: what was shown and what is let through are together what this attempt says by itself, but for ids of the
 * answer and of tool calls: those shown stand. Nothing is let through while anything shown has not been repeated; the
 * first contradiction throws.
 *
 * An attempt that was given the shown text as its own beginning (a prefill) repeats only that text's trailing white
 * space, which models do not take there.
 *
 * Leaves to the owner: an encoder that was brought to where the broken stream had been (Transcript.replayInto).
 */
import { HeadgateError } from "../kernel/errors.ts";
import type { CanonicalEvent, OpaqueState, OutputItemHead } from "../dialects/canonical.ts";
import type { StreamDecoder } from "../dialects/dialect.ts";
import type { ShownItem, Transcript } from "./transcript.ts";

/** The beginning that an attempt may be given as its own; `null`: more was shown than one message's text. */
export function prefillOf(transcript: Transcript): string | null {
  return transcript.plainText?.trimEnd() || null;
}

export class ContinuingDecoder implements StreamDecoder {
  readonly #decoder: StreamDecoder;
  readonly #repeats: readonly ItemRepeat[];
  #isCaughtUp = false;

  /** `prefill`: the beginning that the attempt was given, by `prefillOf`; `null`: none. */
  constructor(decoder: StreamDecoder, transcript: Transcript, prefill: string | null) {
    this.#decoder = decoder;
    this.#repeats = transcript.items.map((item) => new ItemRepeat(item, prefill));
  }

  /** Throws `stream_differs` at a contradiction, and what the dialect's decoder throws. */
  decode(json: unknown): readonly CanonicalEvent[] {
    const said: CanonicalEvent[] = [];
    for (const event of this.#decoder.decode(json)) this.#follow(event, said);
    return said;
  }

  #follow(event: CanonicalEvent, said: CanonicalEvent[]): void {
    switch (event.type) {
      case "start":
        return;
      case "usage":
        said.push(event);
        return;
      case "finish":
        for (const [index, repeat] of this.#repeats.entries()) {
          if (!repeat.hasEnded) this.#letThrough({ type: "item-end", index }, said);
        }
        this.#letThrough(event, said);
        return;
      default: {
        const repeat = this.#repeats[event.index];
        const news = repeat === undefined ? event : repeat.follow(event);
        if (news !== null) this.#letThrough(news, said);
      }
    }
  }

  #letThrough(event: CanonicalEvent, said: CanonicalEvent[]): void {
    this.#isCaughtUp ||= this.#repeats.every((repeat) => repeat.isWhole);
    if (!this.#isCaughtUp) throw differs();
    said.push(event);
  }
}

type ItemEvent = Extract<CanonicalEvent, { readonly index: number }>;

/** How much of one item that was shown has been repeated. */
class ItemRepeat {
  /** It ended when it was shown, or has by now. */
  hasEnded: boolean;
  readonly #shown: ShownItem;
  #hasBegun: boolean;
  #textChars: number;
  #refusalChars = 0;
  #opaqueCount = 0;

  constructor(shown: ShownItem, prefill: string | null) {
    this.#shown = shown;
    this.hasEnded = shown.hasEnded;
    this.#hasBegun = prefill !== null;
    this.#textChars = prefill?.length ?? 0;
  }

  get isWhole(): boolean {
    const { text, refusal, opaque } = this.#shown;
    if (!this.#hasBegun || this.#textChars < text.length) return false;
    return this.#refusalChars === refusal.length && this.#opaqueCount === opaque.length;
  }

  /** What of the event is new; `null`: nothing. */
  follow(event: ItemEvent): ItemEvent | null {
    const shown = this.#shown;
    switch (event.type) {
      case "item-start":
        if (!isSameHead(event.item, shown.head)) throw differs();
        this.#hasBegun = true;
        return null;
      case "refusal-delta": {
        const repeated = repeatedChars(event.text, shown.refusal, this.#refusalChars);
        this.#refusalChars += repeated;
        return this.#news({ ...event, text: event.text.slice(repeated) });
      }
      case "text-delta":
      case "reasoning-delta":
      case "arguments-delta": {
        const repeated = repeatedChars(event.text, shown.text, this.#textChars);
        this.#textChars += repeated;
        return this.#news({ ...event, text: event.text.slice(repeated) });
      }
      case "reasoning-opaque": {
        const expected = shown.opaque[this.#opaqueCount];
        if (expected === undefined) return this.#news(event);
        if (!isSameState(event.opaque, expected)) throw differs();
        this.#opaqueCount++;
        return null;
      }
      case "item-end":
        if (this.hasEnded) return null;
        this.hasEnded = true;
        return event;
    }
  }

  #news(event: ItemEvent): ItemEvent | null {
    if ("text" in event && event.text === "") return null;
    if (this.hasEnded) throw differs();
    return event;
  }
}

/** How much of `text` repeats `shown` from `from` on. Throws where it says something else. */
function repeatedChars(text: string, shown: string, from: number): number {
  const chars = Math.min(text.length, shown.length - from);
  if (text.slice(0, chars) !== shown.slice(from, from + chars)) throw differs();
  return chars;
}

/** Ids of tool calls are the attempt's own: the one that was shown stands. */
function isSameHead(head: OutputItemHead, shown: OutputItemHead): boolean {
  if (head.kind !== "tool-call" || shown.kind !== "tool-call") return head.kind === shown.kind;
  return head.name === shown.name;
}

function isSameState(state: OpaqueState, shown: OpaqueState): boolean {
  return state.origin === shown.origin && state.kind === shown.kind && state.value === shown.value;
}

function differs(): HeadgateError {
  return new HeadgateError(
    "stream_differs",
    "The attempt that was to continue the stream said something else than what had been sent already.",
  );
}
