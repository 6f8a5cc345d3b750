/**
 * Whatever comes of a call but an event stream: collected, and read once it is there in whole. It is a refusal, a whole
 * answer, or, where a stream was asked for and the head does not promise one, `unclear` until its first bytes tell.
 */
import type { ResponseReading } from "../../dialects/dialect.ts";
import { emptyReading } from "../../dialects/empty-reading.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { HeadgateError } from "../../kernel/errors.ts";
import type { UpstreamHeaders } from "../../providers/transport.ts";
import { memoryFull, type AnswerMemory } from "../../streaming/answer-memory.ts";
import { readRefusal, readWholeAnswer, tooLarge } from "./answer.ts";
import type { AttemptCall } from "./call.ts";
import { CollectedBody } from "./collected-body.ts";

/** Of a refusal's body only so much is read. */
const REFUSAL_BYTES_MAX = 65_536;

export interface PlainAnswerDeps {
  readonly clock: Clock;
  readonly admission: { readonly answers: AnswerMemory };
}

export class PlainAnswer {
  /** Of a whole answer that was read, or of what had come of one when it broke off. */
  reading: ResponseReading = emptyReading();
  /** The JSON of a whole answer that was read. */
  json: unknown = null;
  /** The status of a refusal, also of one that came in a success. */
  refusedWith: number | null = null;

  readonly #deps: PlainAnswerDeps;
  readonly #call: AttemptCall;
  readonly #status: number;
  readonly #headers: UpstreamHeaders;
  readonly #body: CollectedBody;
  #kind: "refusal" | "whole" | "unclear";

  constructor(deps: PlainAnswerDeps, call: AttemptCall, status: number, headers: UpstreamHeaders) {
    this.#deps = deps;
    this.#call = call;
    this.#status = status;
    this.#headers = headers;
    this.#body = new CollectedBody(deps.admission.answers);
    if (status < 200 || status > 299) {
      this.#kind = "refusal";
      this.refusedWith = status;
    } else {
      this.#kind = call.stream ? "unclear" : "whole";
    }
  }

  /**
   * What came: `answer`, some of a whole one; `closing`, perhaps the end of it; `nothing` of one yet, or no more of it than
   * blanks, which providers send to keep a connection open while they work (DeepSeek: empty lines while a request waits).
   * `stream`: it is an event stream after all, and `bytes` its beginning. An error ends the attempt.
   */
  add(chunk: Uint8Array): "answer" | "closing" | "nothing" | "stream" | HeadgateError {
    if (!this.#body.add(chunk)) {
      this.meterBeginning();
      // Of a refusal what has come is enough to tell.
      return this.#kind === "refusal" ? this.#refusal() : memoryFull(this.#deps.admission.answers);
    }
    if (this.#kind === "refusal") return this.#body.size > REFUSAL_BYTES_MAX ? this.#refusal() : "nothing";
    if (this.#kind === "unclear") {
      const stream = this.#body.looksLikeEventStream();
      if (stream === null) return "nothing";
      if (stream) return "stream";
      this.#kind = "whole";
    }
    if (this.#body.size > this.#call.responseBytesMax) return tooLarge(this.#call);
    const last = chunk.findLast(isNoBlank);
    if (last === undefined) return "nothing";
    return last === CLOSING_BRACE ? "closing" : "answer";
  }

  /** Nothing could follow, although the body has not ended: then it is as if it had. */
  get isClosed(): boolean {
    return this.#kind === "whole" && this.#body.isWholeObject();
  }

  /** Everything has come. Returns why it is no answer to hand on, or throws what a reader of it throws. */
  read(): HeadgateError | null {
    if (this.#kind === "refusal") return this.#refusal();
    const { json, reading, failure, refusedWith } = readWholeAnswer(
      this.#call,
      this.#body.bytes(),
      this.#status,
      this.#headers,
    );
    this.reading = reading;
    this.refusedWith = refusedWith;
    if (failure === null) this.json = json;
    return failure;
  }

  /** What had come of a whole answer when it broke off was generated, and is counted. */
  meterBeginning(): void {
    if (this.#kind !== "whole" || this.#call.outbound.generates === false) return;
    if (this.#body.looksLikeJson()) this.reading.outputBytes = this.#body.size;
  }

  bytes(): Uint8Array {
    return this.#body.bytes();
  }

  /** Nothing of its bytes is needed any more. */
  clear(): void {
    this.#body.clear();
  }

  #refusal(): HeadgateError {
    const wallMs = this.#deps.clock.wallMs();
    return readRefusal(this.#call, this.#body.bytes(), this.#status, this.#headers, wallMs);
  }
}

const CLOSING_BRACE = 0x7d;

/** Blanks are what JSON allows between its parts (RFC 8259, 2). */
function isNoBlank(byte: number): boolean {
  return byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09;
}
