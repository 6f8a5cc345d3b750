/**
 * Relays one provider stream to one caller: splits it into events, lets the dialect's reader judge each, and hands
 * on the provider's own bytes (same dialect) or their translation.
 *
 * Invariants: nothing is handed on before the commit point, so that until then the attempt can still become a plain
 * error (or another attempt); nothing is handed on after the state is terminal; the terminal marker is never handed
 * on here but kept in `tail`, for whoever owns the relay to send once the settlement is committed.
 *
 * Leaves to the owner: timers, back-pressure, the response head, and what a broken stream looks like to the caller.
 */
import type { InvalidEvents } from "../config/config.ts";
import { HeadgateError, toHeadgateError } from "../kernel/errors.ts";
import type { ResponseReading, StreamDecoder, StreamEncoder, StreamReader, UsageCount } from "../dialects/dialect.ts";
import { SseParser, type SseEvent } from "../dialects/sse.ts";
import { memoryFull, type AnswerMemory } from "./answer-memory.ts";
import type { CommitPolicy } from "./commit.ts";
import { HeldBytes } from "./held-bytes.ts";
import { isTerminal, nextStreamState, type StreamInput, type StreamState } from "./stream-state.ts";

export interface RelayOwner extends UsageCount {
  /** The commit point is reached: `relayWrite` follows, with what was held back first. Called at most once. */
  relayCommitted(): void;
  /** Bytes for the caller, in order. */
  relayWrite(bytes: Uint8Array): void;
  /**
   * Something other than a comment arrived from the provider. `output`: something the caller waits for. `isWorking`: the
   * model is at work on something that it does not show.
   */
  relayProgress(output: boolean, isWorking: boolean): void;
  /** The provider said why it stopped: only its terminal marker may still come. */
  relayEnding(): void;
  /** The state is terminal. Called exactly once. */
  relayDone(): void;
}

export interface Translation {
  readonly decoder: StreamDecoder;
  readonly encoder: StreamEncoder;
}

export interface RelayOptions {
  readonly reader: StreamReader;
  /** `null`: same dialect on both sides, bytes pass untouched. */
  readonly translation: Translation | null;
  /** Is given what passes untouched. */
  readonly tap: StreamDecoder | null;
  /** What a complete stream ends with in the caller's dialect, where the provider did not send it. */
  readonly streamEnd: Uint8Array;
  /** Withhold usage-only events: the gateway asked for them, the caller did not. */
  readonly withholdUsage: boolean;
  readonly eventBytesMax: number;
  readonly invalidEvents: InvalidEvents;
  readonly commit: CommitPolicy;
}

const NOTHING = new Uint8Array(0);
/** Completes a last event that the provider did not end with a blank line. */
const EVENT_END = Buffer.from("\n\n");

export class StreamRelay {
  readonly #options: RelayOptions;
  readonly #owner: RelayOwner;
  readonly #parser: SseParser;
  readonly #sink: (event: SseEvent) => void;
  #state: StreamState = "connecting";
  #failure: HeadgateError | null = null;
  #committed = false;
  #muted = false;
  #atEof = false;
  readonly #held: HeldBytes;
  readonly #memory: AnswerMemory;
  #outputSeen = false;
  #run: Uint8Array | null = null;
  #text = "";
  #tail: Uint8Array = NOTHING;
  #invalidEvents = 0;

  constructor(options: RelayOptions, owner: RelayOwner, memory: AnswerMemory) {
    this.#options = options;
    this.#owner = owner;
    this.#memory = memory;
    this.#held = new HeldBytes(memory);
    this.#parser = new SseParser({ eventBytes: options.eventBytesMax });
    this.#sink = (event) => this.#read(event);
  }

  get state(): StreamState {
    return this.#state;
  }

  get reading(): ResponseReading {
    return this.#options.reader.reading;
  }

  /** Why the stream is broken; `null` in any other state. */
  get failure(): HeadgateError | null {
    return this.#failure;
  }

  /** Whether anything was handed on: then the caller has seen a part of this stream. */
  get committed(): boolean {
    return this.#committed;
  }

  get invalidEvents(): number {
    return this.#invalidEvents;
  }

  /** The bytes that end a complete stream; empty unless the state is `ended`. */
  get tail(): Uint8Array {
    return this.#state === "ended" ? this.#tail : NOTHING;
  }

  open(): void {
    this.#step("headers");
  }

  push(chunk: Uint8Array): void {
    if (isTerminal(this.#state)) return;
    try {
      this.#parser.push(chunk, this.#sink);
    } catch (thrown) {
      this.#break(thrown);
    }
    if (this.#state === "whole") this.#step("quiet");
    else this.#flush();
  }

  /** The provider closed the stream in good order. */
  eof(): void {
    if (isTerminal(this.#state)) return;
    this.#atEof = true;
    try {
      this.#parser.end(this.#sink);
    } catch (thrown) {
      this.#break(thrown);
    }
    this.#flush();
    this.#finishWith("eof", truncated("The provider closed the stream without saying that it was finished."));
  }

  /** The connection broke. */
  reset(cause: Error): void {
    this.#finishWith("reset", truncated("The connection to the provider broke in the middle of the stream.", cause));
  }

  /** Silence after the finish reason, or a timer of the attempt: `failure` says which. */
  expire(input: "quiet" | "timeout", failure: HeadgateError): void {
    this.#finishWith(input, failure);
  }

  abort(): void {
    this.#step("abort");
  }

  /** The caller is gone but the stream is read on for its usage: nothing is handed on from here. */
  mute(): void {
    this.#muted = true;
    this.#held.clear();
    this.#run = null;
    this.#text = "";
  }

  /** Hands over what is held back, and everything from here on as it comes. Nothing if that is so already. */
  commit(): void {
    if (this.#committed || this.#muted || isTerminal(this.#state)) return;
    this.#committed = true;
    this.#owner.relayCommitted();
    for (const bytes of this.#held.take()) this.#owner.relayWrite(bytes);
  }

  #finishWith(input: StreamInput, failure: HeadgateError): void {
    if (isTerminal(this.#state)) return;
    const judged = this.#judge(input);
    if (nextStreamState(this.#state, judged) === "broken") this.#failure = failure;
    this.#step(judged);
  }

  /** No stream ends well while a choice lacks its reason, not even one that began after the others were finished. */
  #judge(input: StreamInput): StreamInput {
    return this.#state === "ending" && this.reading.finish === null ? "error" : input;
  }

  #break(thrown: unknown): void {
    if (isTerminal(this.#state)) return;
    this.#failure = toHeadgateError(thrown);
    this.#step("error");
  }

  #read(event: SseEvent): void {
    if (isTerminal(this.#state)) return;
    if (event.comment) {
      // At the end of file it may as well be the beginning of something else, and whatever follows would be glued to it.
      const isPassed = this.#options.translation === null && this.#committed && !this.#atEof;
      if (isPassed && this.#state !== "whole") this.#append(event.raw);
      return;
    }
    const signal = this.#options.reader.read(event);
    // An event that the end of file cut off is no event: the end of file is judged instead.
    if (signal === "invalid" && this.#atEof) return;
    if (signal === "end") {
      this.#readEnd(event);
      return;
    }
    if (this.#state === "whole") return;
    if (signal === "invalid") {
      this.#invalidEvents++;
      if (this.#options.invalidEvents === "skip") return;
      this.#failure = new HeadgateError(
        "upstream_malformed",
        "The provider sent a stream event that cannot be read, so the answer would have a hole.",
      );
    } else if (signal === "error") {
      this.#failure = this.#options.reader.failure;
    } else {
      this.#owner.relayProgress(signal === "output" || signal === "finish", this.#options.reader.isWorking);
      this.#relay(event, signal);
    }
    this.#step(signal);
    if (this.#state === "ending" && this.#isWhole) this.#step("whole");
  }

  /** Usage that is said a second time makes a difference only to a caller who is shown it. */
  get #isWhole(): boolean {
    const { rest } = this.#options.reader;
    if (rest !== "usage") return rest === "marker";
    return this.#options.withholdUsage || this.#options.translation !== null;
  }

  /** The provider's marker also finishes a stream with fewer choices than were asked for, if each has its reason. */
  #readEnd(event: SseEvent): void {
    this.#owner.relayProgress(false, false);
    this.#tail = this.#atEof ? Buffer.concat([event.raw, EVENT_END]) : Buffer.from(event.raw);
    if (this.#state === "open" && this.reading.finish !== null) {
      if (!this.#committed) this.#commitAt("finish");
      this.#step("finish");
    }
    this.#finishWith("end", truncated("The provider ended the stream without saying why it stopped."));
  }

  #relay(event: SseEvent, signal: StreamInput): void {
    if (this.#muted) return;
    const translation = this.#options.translation;
    if (translation === null) {
      if (signal === "usage" && this.#options.withholdUsage) return;
      this.#append(event.raw);
      if (this.#atEof) this.#append(EVENT_END);
      this.#options.tap?.decode(this.#options.reader.json);
    } else {
      for (const said of translation.decoder.decode(this.#options.reader.json))
        this.#text += translation.encoder.encode(said);
    }
    if (!this.#committed) this.#commitAt(signal);
  }

  /** Whether there is anything to hand over: of a translation not every output need have a counterpart. */
  get #hasHeld(): boolean {
    return this.#run !== null || this.#text !== "" || this.#held.size > 0;
  }

  #commitAt(signal: StreamInput): void {
    if ((signal !== "output" && signal !== "finish") || !this.#hasHeld) return;
    this.#outputSeen = true;
    const { at } = this.#options.commit;
    if (at === "first-output" || (at === "window" && signal === "finish")) this.commit();
  }

  /** Adjacent views of one chunk become one write. */
  #append(raw: Uint8Array): void {
    const run = this.#run;
    if (run !== null && run.buffer === raw.buffer && run.byteOffset + run.byteLength === raw.byteOffset) {
      this.#run = new Uint8Array(run.buffer, run.byteOffset, run.byteLength + raw.byteLength);
      return;
    }
    this.#flush();
    this.#run = raw;
  }

  #flush(): void {
    if (this.#text !== "") {
      const bytes = Buffer.from(this.#text);
      this.#text = "";
      this.#hand(bytes);
    }
    if (this.#run !== null) {
      const run = this.#run;
      this.#run = null;
      this.#hand(run);
    }
  }

  #hand(bytes: Uint8Array): void {
    if (this.#muted) return;
    if (this.#committed) {
      this.#owner.relayWrite(bytes);
      return;
    }
    if (isTerminal(this.#state)) return;
    const fits = this.#held.size + bytes.byteLength <= this.#options.commit.heldBytesMax;
    if (fits && this.#held.add(bytes)) return;
    if (this.#options.commit.at === "window" && this.#outputSeen) {
      this.commit();
      this.#owner.relayWrite(bytes);
    } else {
      this.#break(fits ? memoryFull(this.#memory) : tooMuch(this.#options.commit));
    }
  }

  #step(input: StreamInput): void {
    const before = this.#state;
    if (isTerminal(before)) return;
    const state = nextStreamState(before, input);
    if (state === "ended") this.commit();
    this.#state = state;
    if (state !== "broken") this.#failure = null;
    if (state === "ending" && before !== "ending") this.#owner.relayEnding();
    if (!isTerminal(state)) return;
    if (state === "ended") this.#end();
    this.#flush();
    this.#held.clear();
    this.#owner.relayDone();
  }

  #end(): void {
    const translation = this.#options.translation;
    if (translation !== null) this.#tail = Buffer.from(translation.encoder.end(this.#owner));
    else if (this.#tail.byteLength === 0) this.#tail = this.#options.streamEnd;
  }
}

function tooMuch({ at, heldBytesMax }: CommitPolicy): HeadgateError {
  if (at !== "complete")
    return new HeadgateError("upstream_malformed", "The provider sent too much before its first output.");
  const message = `The provider's answer, held back until it is complete, is larger than limits.responseBytes (${heldBytesMax}).`;
  return new HeadgateError("upstream_too_large", message);
}

function truncated(message: string, cause?: Error): HeadgateError {
  return new HeadgateError("stream_truncated", message, cause === undefined ? {} : { cause });
}
