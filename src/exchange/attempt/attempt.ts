/**
 * One call of one target, from the moment its hold is committed to the moment nothing of it can cost or say anything
 * more. It owns the provider's side and the timers, reads the answer as a stream or as a whole, and ends exactly once, by
 * `done`.
 *
 * What it does not do: decide whether another attempt follows, charge, or write the response's head or end. A
 * stream's bytes go to the `AttemptSink` as they come; its terminal marker stays in `tail` until the exchange has
 * committed the settlement.
 */
import { meterOutput } from "../../accounting/estimate.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import { meterUsage } from "../../accounting/settlement.ts";
import type { ResponseReading } from "../../dialects/dialect.ts";
import { emptyReading } from "../../dialects/empty-reading.ts";
import type { Usage } from "../../kernel/usage.ts";
import type { DecodedSink } from "../../providers/content-decoding.ts";
import type { Transport, UpstreamHandler, UpstreamHeaders } from "../../providers/transport.ts";
import { StreamRelay, type RelayOwner } from "../../streaming/relay.ts";
import type { AttemptCall } from "./call.ts";
import { CommitWindow } from "./commit-window.ts";
import { AttemptTimers, type TimerName } from "./timers.ts";
import { connectionError } from "./answer.ts";
import { ProviderSide } from "./provider-side.ts";
import { PlainAnswer, type PlainAnswerDeps } from "./plain-answer.ts";
import { timeoutError } from "./timeout-error.ts";

export interface AttemptSink {
  /** The first output of a stream has come; it may be held back. */
  attemptBegan(): void;
  /** A stream has reached its commit point; `attemptWrite` follows, with what was held back first. */
  attemptCommitted(): void;
  /** False: the caller reads slowly; `resume` is called when there is room again. */
  attemptWrite(bytes: Uint8Array): boolean;
  /** What was written and waits in memory for the caller. */
  unreadBytes(): number;
  /** The provider has been silent for `slowAfterMs`, and for twice as long, and so on. */
  attemptSlow(): void;
}

/** What grows with a stream's output. */
export interface OutputWatch {
  /** `reached` wants to be called once the output has so many tokens, by our count. */
  readonly dueTokens: number;
  reached(outputTokens: number): void;
}

export interface AttemptDeps extends PlainAnswerDeps {
  readonly transport: Transport;
}

/** `complete`: the provider finished. `failed`: `failure` says why. `cancelled`: by us, before it finished. */
export type AttemptState = "running" | "complete" | "failed" | "cancelled";

export class Attempt implements UpstreamHandler, RelayOwner, DecodedSink {
  readonly call: AttemptCall;
  readonly done: Promise<void>;
  state: AttemptState = "running";
  failure: HeadgateError | null = null;
  /** Monotonic, like all times here. */
  startedAtMs: number | null = null;
  /** When the request was written to a connection: only then can it have cost anything. */
  sentAtMs: number | null = null;
  firstOutputAtMs: number | null = null;
  endedAtMs: number | null = null;
  /** The provider began to answer: the head of a success arrived. */
  answered = false;
  /** We stopped the call before the provider had ended it. */
  stopped = false;
  /** Whether the tail was read after the caller had left. */
  drained = false;
  upstreamRequestId: string | null = null;
  /** Told of a stream's output as it comes. */
  growth: OutputWatch | null = null;
  /** Events of a stream that carried output. */
  outputEvents = 0;

  readonly #deps: AttemptDeps;
  readonly #sink: AttemptSink;
  readonly #timers: AttemptTimers;
  readonly #resolve: () => void;
  readonly #relay: StreamRelay | null;
  readonly #window: CommitWindow | null;
  /** Empty where no stream was asked for. */
  readonly #streamReading: ResponseReading;
  readonly #provider: ProviderSide;
  #streaming = false;
  #plain: PlainAnswer | null = null;
  #unreadBytes = 0;
  #heldBack = false;

  constructor(deps: AttemptDeps, call: AttemptCall, sink: AttemptSink) {
    this.call = call;
    this.#deps = deps;
    this.#sink = sink;
    const { answers } = deps.admission;
    this.#provider = new ProviderSide(deps.clock, call.timeouts.endingMs);
    this.#relay = call.stream ? new StreamRelay(call.relayOptions(), this, answers) : null;
    this.#window =
      this.#relay !== null && call.commit.at === "window"
        ? new CommitWindow(deps.clock, call.commit, () => this.#relay?.commit())
        : null;
    this.#streamReading = this.#relay?.reading ?? emptyReading();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#resolve = resolve;
    this.#timers = new AttemptTimers(deps.clock, call.timeouts, call, (name) => this.#expired(name));
  }

  get reading(): ResponseReading {
    return this.#plain?.reading ?? this.#streamReading;
  }

  countUsage(): Usage {
    return meterUsage({ reading: this.reading, body: this.call.request.body ?? null, outputEvents: this.outputEvents });
  }

  /** The bytes of a whole answer, once `complete`. */
  get body(): Uint8Array | null {
    return this.state === "complete" ? (this.#plain?.bytes() ?? null) : null;
  }

  /** Its JSON. */
  get json(): unknown {
    return this.#plain?.json ?? null;
  }

  /** The provider answered with a status that is not 2xx, or with an error in a success. */
  get refused(): boolean {
    return (this.#plain?.refusedWith ?? null) !== null;
  }

  /** With a status of 500 or more: then it may have worked, and billed, before it failed. */
  get refusedByServer(): boolean {
    return (this.#plain?.refusedWith ?? 0) >= 500;
  }

  /** The bytes that end a complete stream. */
  get tail(): Uint8Array | null {
    return this.#relay?.tail ?? null;
  }

  /** Whether the caller was handed any of a stream: until then another attempt can take this one's place. */
  get committed(): boolean {
    return this.#relay?.committed ?? false;
  }

  get invalidEvents(): number {
    return this.#relay?.invalidEvents ?? 0;
  }

  start(): void {
    this.startedAtMs = this.#deps.clock.monotonicMs();
    this.#timers.start();
    try {
      this.#provider.send(this.#deps.transport, this.call.request, this);
    } catch (cause) {
      this.onError(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }

  /** The caller reads again. */
  resume(): void {
    if (this.state !== "running") return;
    this.#timers.progress(false);
    if (!this.#heldBack) this.#provider.resume();
  }

  /** The provider is not read until `goOn`, whether the caller reads or not. */
  holdBack(): void {
    if (this.state !== "running") return;
    this.#heldBack = true;
    this.#provider.pause();
  }

  /** Ends `holdBack`. A caller who reads slowly pauses the provider again with the next bytes. */
  goOn(): void {
    this.#heldBack = false;
    if (this.state === "running") this.#provider.resume();
  }

  /** Stops the call at once; `drainMs` above 0 reads on silently for so long to learn the usage instead. */
  cancel(drainMs: number): void {
    if (this.state !== "running") return;
    if (drainMs === 0 || this.sentAtMs === null || this.refused) {
      this.#plain?.meterBeginning();
      this.#finish("cancelled", null);
      return;
    }
    this.drained = true;
    this.#relay?.mute();
    this.#timers.drain(drainMs);
    this.goOn();
  }

  /** Ends a stream that may cost no more. One that has said why it stopped is complete all the same. */
  exhaust(failure: HeadgateError): void {
    if (this.state === "running") this.#relay?.expire("timeout", failure);
  }

  onSent(): void {
    this.sentAtMs = this.#deps.clock.monotonicMs();
    this.#timers.sent(this.call.stream);
  }

  onHeaders(status: number, headers: UpstreamHeaders): void {
    if (this.state !== "running") return;
    const idHeader = this.call.requestIdHeader;
    const id = idHeader === null ? undefined : headers[idHeader];
    if (typeof id === "string") this.upstreamRequestId = id.slice(0, 200);
    this.answered = status >= 200 && status <= 299;
    const isStream = this.answered && this.call.stream && isEventStream(headers);
    if (!isStream) this.#plain = new PlainAnswer(this.#deps, this.call, status, headers);
    try {
      this.#provider.decodeBy(headers["content-encoding"], this);
    } catch (thrown) {
      // A refusal is told without its reason.
      if (this.answered || this.#plain === null) this.#fail(thrown);
      else this.#read(this.#plain);
      return;
    }
    if (isStream) this.#openStream();
    if (!this.answered) this.#timers.refused();
  }

  onData(chunk: Uint8Array): void {
    if (!this.#provider.decode(chunk)) this.onDecoded(chunk);
  }

  onEnd(): void {
    if (!this.#provider.endDecoding()) this.onDecodedEnd();
  }

  /** What a decoder still holds is delivered first; it then reports the missing rest itself. */
  onError(error: Error): void {
    this.#provider.close();
    if (this.state !== "running") return;
    if (this.#provider.endDecoding()) return;
    if (this.#streaming) this.#relay?.reset(error);
    else this.#breakOff(connectionError(this.call, this.#plain !== null, error));
  }

  onDecoded(chunk: Uint8Array): void {
    if (this.state !== "running") return;
    if (this.#streaming) this.#relay?.push(chunk);
    else if (this.#plain !== null) this.#collect(this.#plain, chunk);
  }

  onDecodedEnd(): void {
    this.#provider.close();
    if (this.state !== "running") return;
    if (this.#streaming) this.#relay?.eof();
    else if (this.#plain !== null) this.#read(this.#plain);
  }

  onDecodedError(error: HeadgateError): void {
    if (this.state !== "running") return;
    if (this.#streaming) this.#relay?.reset(error);
    else this.#fail(error);
  }

  relayCommitted(): void {
    this.#window?.stop();
    this.#sink.attemptCommitted();
  }

  relayWrite(bytes: Uint8Array): void {
    if (this.#sink.attemptWrite(bytes) || this.state !== "running") return;
    this.#provider.pause();
    this.#unreadBytes = this.#sink.unreadBytes();
    this.#timers.waitForReader();
  }

  relayProgress(output: boolean, isWorking: boolean): void {
    if (output && this.firstOutputAtMs === null) {
      this.firstOutputAtMs = this.#deps.clock.monotonicMs();
      this.#sink.attemptBegan();
    }
    this.#timers.progress(output, isWorking);
    if (output) this.outputEvents++;
    const growth = this.growth;
    if (growth === null && this.#window === null) return;
    const outputTokens = meterOutput(this.#streamReading.outputBytes, this.outputEvents);
    if (output) this.#window?.reached(outputTokens);
    if (growth !== null && outputTokens >= growth.dueTokens) growth.reached(outputTokens);
  }

  relayEnding(): void {
    this.#timers.ending();
  }

  relayDone(): void {
    const relay = this.#relay;
    if (relay === null || relay.state === "cancelled") this.#finish("cancelled", null);
    else if (relay.state === "ended") this.#finish("complete", null);
    else this.#finish("failed", relay.failure);
  }

  #openStream(): void {
    this.#streaming = true;
    this.#relay?.open();
  }

  #collect(plain: PlainAnswer, chunk: Uint8Array): void {
    const next = plain.add(chunk);
    if (next === "answer" || next === "closing") this.#timers.body(next === "closing");
    else if (next === "stream") this.#readAsStream(plain);
    else if (next !== "nothing") this.#fail(next);
  }

  #readAsStream(plain: PlainAnswer): void {
    this.#plain = null;
    this.#openStream();
    this.#relay?.push(plain.bytes());
    plain.clear();
  }

  #read(plain: PlainAnswer): void {
    try {
      const failure = plain.read();
      if (failure === null) this.#finish("complete", null);
      else this.#fail(failure);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #expired(name: TimerName): void {
    if (name === "slow") {
      this.#sink.attemptSlow();
    } else if (name === "ending") {
      if (this.#plain !== null) this.#read(this.#plain);
      else this.#relay?.expire("quiet", timeoutError(name, this.call));
    } else if (name === "closing") {
      if (this.#plain?.isClosed === true) this.#read(this.#plain);
      else this.#timers.body(false);
    } else if (name === "reader") {
      this.#readerExpired();
    } else if (name === "drain") {
      this.#finish("cancelled", null);
    } else if (this.#streaming) {
      this.#relay?.expire("timeout", timeoutError(name, this.call));
    } else {
      this.#breakOff(timeoutError(name, this.call));
    }
  }

  /** What is whole needs no more of a body that does not end as it should. */
  #breakOff(failure: HeadgateError): void {
    if (this.#plain?.isClosed === true) {
      this.#read(this.#plain);
      return;
    }
    this.#plain?.meterBeginning();
    this.#finish("failed", failure);
  }

  /** A caller who took anything in the meantime is slow, not gone. */
  #readerExpired(): void {
    const unreadBytes = this.#sink.unreadBytes();
    if (unreadBytes >= this.#unreadBytes) {
      this.#finish("cancelled", timeoutError("reader", this.call));
      return;
    }
    this.#unreadBytes = unreadBytes;
    this.#timers.waitForReader();
  }

  #fail(thrown: unknown): void {
    this.#finish(
      "failed",
      thrown instanceof HeadgateError
        ? thrown
        : new HeadgateError("internal", "The gateway failed while reading the provider's answer.", { cause: thrown }),
    );
  }

  /** The exchange is over, and with it the need for a whole answer's bytes and for what was shown of a stream. */
  release(): void {
    this.#plain?.clear();
    this.call.shown?.transcript.close();
  }

  #finish(state: "complete" | "failed" | "cancelled", failure: HeadgateError | null): void {
    if (this.state !== "running") return;
    this.state = state;
    this.failure = failure;
    this.endedAtMs = this.#deps.clock.monotonicMs();
    this.stopped = !this.#provider.closed && state !== "complete";
    this.#timers.stop();
    this.#window?.stop();
    if (state !== "complete") this.#forget();
    this.#provider.leave(state === "complete");
    this.#resolve();
  }

  /** What is held of an answer that nobody gets. */
  #forget(): void {
    this.#plain?.clear();
    this.#relay?.mute();
  }
}

function isEventStream(headers: UpstreamHeaders): boolean {
  return String(headers["content-type"] ?? "").startsWith("text/event-stream");
}
