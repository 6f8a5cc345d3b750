/**
 * Watches a chat completion stream for accounting and health, without changing it. `read` runs for every event of
 * every stream: it parses once and allocates nothing else for an ordinary delta.
 *
 * Wire facts: openai-node (`ChatCompletionChunk`); usage comes in a last chunk with empty `choices`, or with any chunk
 * (the last one rules), or as `x_groq.usage`; `service_tier` is the tier that served, whatever was asked; errors after status 200 come as an `error` member (OpenRouter, Azure,
 * Groq), as `event: error`, or as `{"object":"error"}` (vLLM); OpenRouter's finish reason `error` is a failure.
 *
 * A stream is finished when as many choices as were asked for have a finish reason and no other has begun: providers
 * send choices one after the other, too. A choice that is finished stays finished: providers repeat the reason, or send
 * empty deltas after it. A provider that gives fewer choices than asked for says so by its terminal marker only.
 *
 * Nothing follows the chunk of usage that `stream_options` ask for. Some report usage beside the reason first (Groq's
 * `x_groq`), some there alone (DeepSeek): which of the two is not known until the terminal marker.
 */
import { isUtf8 } from "node:buffer";
import type { HeadgateError } from "../../../kernel/errors.ts";
import type { Quirks, ResponseReading, StreamReader, StreamRest, StreamSignal } from "../../dialect.ts";
import { emptyReading } from "../../empty-reading.ts";
import type { SseEvent } from "../../sse.ts";
import { asCount, asObject, type WireObject } from "../../wire-values.ts";
import { toFinishReason } from "../finish-reason.ts";
import { isDoubtful, readUsage, usageIn } from "../usage.ts";
import { readStreamError } from "../../openai-errors/read-error.ts";
import { measureOutput } from "./output.ts";

const DONE = "[DONE]";
const CHOICES_MAX = 1024;
const INVALID = Symbol("invalid");
const NONE: readonly unknown[] = [];

export class ChatStreamReader implements StreamReader {
  readonly isWorking = false;
  readonly reading: ResponseReading = emptyReading();
  readonly #quirks: Quirks;
  readonly #choices: number;
  readonly #open = new Set<number>();
  readonly #finished = new Set<number>();
  /** What the usage that came with or after the last choice leaves to come; `open`: there was none. */
  #restAfterUsage: StreamRest = "open";
  #json: unknown = null;
  #failure: HeadgateError | null = null;

  constructor(quirks: Quirks, choices: number) {
    this.#quirks = quirks;
    this.#choices = choices;
  }

  get json(): unknown {
    return this.#json;
  }

  get failure(): HeadgateError | null {
    return this.#failure;
  }

  get rest(): StreamRest {
    if (this.reading.finish === null || this.#finished.size < this.#choices) return "open";
    return this.#quirks.streamUsage === "never" ? "marker" : this.#restAfterUsage;
  }

  read(event: SseEvent): StreamSignal {
    this.#json = null;
    if (event.comment) return "progress";
    const data = event.data;
    if (data === DONE) return "end";
    const json = parse(event);
    if (json === INVALID) return data.trim() === DONE ? "end" : "invalid";
    this.#json = json;
    if (typeof json !== "object" || json === null || Array.isArray(json)) return "invalid";
    return this.#readChunk(json as WireObject, event.event);
  }

  #readChunk(chunk: WireObject, eventName: string): StreamSignal {
    const error = chunk["error"];
    if ((error !== undefined && error !== null) || eventName === "error" || chunk["object"] === "error") {
      return this.#fail(chunk);
    }
    const reading = this.reading;
    if (reading.id === null) reading.id = nonEmpty(chunk["id"]);
    if (reading.model === null) reading.model = nonEmpty(chunk["model"]);
    if (typeof chunk["service_tier"] === "string") reading.serviceTier = chunk["service_tier"];
    const usage = usageIn(chunk);
    const isTold = typeof usage === "object" && usage !== null;
    const reported = isTold ? readUsage(usage, this.#quirks) : null;
    if (isTold) reading.usageIsDoubtful = isDoubtful(usage);
    if (reported !== null) reading.usage = reported;
    const choices = chunk["choices"] ?? NONE;
    if (!Array.isArray(choices)) return "invalid";
    if (choices.length === 0) {
      if (reported === null) return "progress";
      this.#restAfterUsage = "marker";
      return "usage";
    }
    if (reported === null) this.#restAfterUsage = "open";
    else this.#restAfterUsage = this.#quirks.streamUsage === "always" ? "marker" : "usage";
    return this.#readChoices(choices, chunk);
  }

  #readChoices(choices: readonly unknown[], chunk: WireObject): StreamSignal {
    let signal: StreamSignal = "progress";
    for (let position = 0; position < choices.length; position++) {
      const choice = asObject(choices[position]);
      if (choice === null) return "invalid";
      const index = choiceIndex(choice["index"]);
      const delta = asObject(choice["delta"] ?? choice["message"]);
      const bytes = delta === null ? -1 : measureOutput(delta);
      if (bytes >= 0) {
        this.reading.outputBytes += bytes;
        if (signal === "progress") signal = "output";
      }
      const reason = choice["finish_reason"];
      if (typeof reason !== "string" || reason === "") {
        this.#begin(index);
        continue;
      }
      if (reason === "error") return this.#fail(chunk);
      if (this.#finish(index, reason)) signal = "finish";
    }
    return signal === "finish" && this.#open.size > 0 ? "output" : signal;
  }

  #begin(index: number): void {
    if (this.#finished.has(index) || this.#open.has(index)) return;
    this.#open.add(index);
    this.reading.finish = null;
  }

  /** Whether the whole answer is finished by it. */
  #finish(index: number, reason: string): boolean {
    this.#open.delete(index);
    this.#finished.add(index);
    if (this.#open.size > 0) return false;
    this.reading.finish = toFinishReason(reason);
    return this.#finished.size >= this.#choices;
  }

  #fail(chunk: WireObject): StreamSignal {
    this.#failure = readStreamError(chunk);
    return "error";
  }
}

/** Text that was not UTF-8 on the wire is invalid even where it parses: the answer would have a hole. */
function parse(event: SseEvent): unknown {
  if (event.data.includes("\ufffd") && !isUtf8(event.raw)) return INVALID;
  try {
    return JSON.parse(event.data);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return INVALID;
  }
}

function nonEmpty(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function choiceIndex(value: unknown): number {
  const index = asCount(value) ?? 0;
  return index < CHOICES_MAX ? index : 0;
}
