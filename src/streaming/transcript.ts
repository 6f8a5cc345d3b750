/**
 * What a caller has been shown of an answer, in canonical form, so that another attempt can go on from there
 * (continuation.ts). It is kept for streams whose route wants that, and bounded: what is longer, or finds no memory, is
 * not kept at all. Invariant: what it has counted in the memory is given back when it is closed.
 */
import type { CanonicalEvent, OpaqueState, OutputItemHead } from "../dialects/canonical.ts";
import type { StreamDecoder, StreamEncoder } from "../dialects/dialect.ts";
import type { AnswerMemory } from "./answer-memory.ts";

export interface ShownItem {
  readonly head: OutputItemHead;
  /** Of a message, of reasoning, or the arguments of a tool call. */
  text: string;
  refusal: string;
  readonly opaque: OpaqueState[];
  hasEnded: boolean;
}

type Start = CanonicalEvent & { readonly type: "start" };

export class Transcript {
  readonly items: ShownItem[] = [];
  readonly #charsMax: number;
  readonly #memory: AnswerMemory;
  #start: Start | null = null;
  #chars = 0;
  /** Those that it has recorded itself, and counts: a copy shares the others. */
  #ownChars = 0;
  /** Nothing can follow: it is finished, too long, or not wholly understood. */
  #isClosed = false;

  constructor(charsMax: number, memory: AnswerMemory) {
    this.#charsMax = charsMax;
    this.#memory = memory;
  }

  /** Whether there is a beginning that another attempt can go on from. */
  get isContinuable(): boolean {
    return !this.#isClosed && this.#start !== null && this.items.length > 0;
  }

  /** The beginning of a message that is all there is; `null`: there is something else, or nothing. */
  get plainText(): string | null {
    const [only, ...others] = this.items;
    if (only === undefined || others.length > 0 || only.head.kind !== "message") return null;
    return only.refusal === "" && only.text !== "" && !only.hasEnded ? only.text : null;
  }

  record(event: CanonicalEvent): void {
    if (this.#isClosed) return;
    switch (event.type) {
      case "start":
        this.#start ??= event;
        break;
      case "item-start":
        this.items.push({ head: event.item, text: "", refusal: "", opaque: [], hasEnded: false });
        break;
      case "text-delta":
      case "reasoning-delta":
      case "arguments-delta":
        this.#grow(event.text.length);
        this.#item(event.index).text += event.text;
        break;
      case "refusal-delta":
        this.#grow(event.text.length);
        this.#item(event.index).refusal += event.text;
        break;
      case "reasoning-opaque":
        this.#grow(event.opaque.value.length);
        this.#item(event.index).opaque.push(event.opaque);
        break;
      case "item-end":
        this.#item(event.index).hasEnded = true;
        break;
      case "finish":
        this.close();
        break;
      default:
        break;
    }
  }

  /** Gives up: there is nothing to go on from. To be called at the latest when the exchange is over. */
  close(): void {
    this.#isClosed = true;
    this.#memory.giveBack(this.#ownChars, this.#ownChars);
    this.#ownChars = 0;
    this.items.length = 0;
  }

  copy(): Transcript {
    const copy = new Transcript(this.#charsMax, this.#memory);
    copy.#start = this.#start;
    copy.#chars = this.#chars;
    copy.#isClosed = this.#isClosed;
    for (const item of this.items) copy.items.push({ ...item, opaque: [...item.opaque] });
    return copy;
  }

  /** Brings a fresh encoder to where the one was that showed all this, and returns it. */
  replayInto(encoder: StreamEncoder): StreamEncoder {
    if (this.#start !== null) encoder.encode(this.#start);
    for (const [index, item] of this.items.entries()) {
      encoder.encode({ type: "item-start", index, item: item.head });
      if (item.text !== "") encoder.encode({ type: deltas[item.head.kind], index, text: item.text });
      if (item.refusal !== "") encoder.encode({ type: "refusal-delta", index, text: item.refusal });
      for (const opaque of item.opaque) encoder.encode({ type: "reasoning-opaque", index, opaque });
      if (item.hasEnded) encoder.encode({ type: "item-end", index });
    }
    return encoder;
  }

  #grow(chars: number): void {
    this.#chars += chars;
    if (this.#chars > this.#charsMax || !this.#memory.grow(this.#ownChars, chars)) this.close();
    else this.#ownChars += chars;
  }

  /** Of one that was closed meanwhile nothing is kept. */
  #item(index: number): ShownItem {
    return this.items[index] ?? { head: { kind: "message" }, text: "", refusal: "", opaque: [], hasEnded: false };
  }
}

const deltas = { message: "text-delta", reasoning: "reasoning-delta", "tool-call": "arguments-delta" } as const;

/** Records what a decoder says on its way to the caller. */
export function recordInto(transcript: Transcript, decoder: StreamDecoder): StreamDecoder {
  return {
    decode(json) {
      const said = decoder.decode(json);
      for (const event of said) transcript.record(event);
      return said;
    },
  };
}

/** Reads along with bytes that pass untouched: what it cannot make sense of is none of their business. */
export function readAlong(transcript: Transcript, decoder: StreamDecoder): StreamDecoder {
  const recording = recordInto(transcript, decoder);
  return {
    decode(json) {
      try {
        return recording.decode(json);
      } catch {
        transcript.close();
        return [];
      }
    },
  };
}
