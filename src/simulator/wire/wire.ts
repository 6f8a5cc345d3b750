/**
 * What an API family must know to be simulated: how a request is read, how an answer and its stream are written, and
 * how a refusal looks. Everything else (faults, pace, books) is the same for all of them.
 */
import type { Answer, Ask, Step } from "../answer/answer.ts";
import type { Endpoint } from "../ids.ts";
import type { Tokens } from "../prices.ts";

/** One request's facts that appear on the wire. */
export interface Marks {
  readonly number: number;
  readonly id: string;
  readonly model: string;
  /** Seconds since the Unix epoch. */
  readonly created: number;
}

/** A request as a wire reads it. */
export interface Reading {
  readonly ask: Ask;
  readonly stream: boolean;
  /** Whether the stream reports usage (OpenAI: `stream_options.include_usage`). */
  readonly streamUsage: boolean;
  /** Whether stream chunks are padded (OpenAI: `obfuscation`); the script may turn it on, too. */
  padding: boolean;
  /** Whether reasoning is shown where the API itself would hide it; the script's choice. */
  showReasoning: boolean;
}

export interface Wire {
  readonly endpoint: Endpoint;
  /** Throws `Refusal`. */
  read(
    json: Readonly<Record<string, unknown>>,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): Reading;
  /** The whole answer as JSON. `tokens` is `null` when usage is to be left out. */
  encodeWhole(marks: Marks, answer: Answer, tokens: Tokens | null, reading: Reading): string;
  createStreamEncoder(marks: Marks, answer: Answer, tokens: Tokens | null, reading: Reading): StreamEncoder;
  encodeRefusal(refusal: Refusal, requestId: string): string;
  /** Name and value by turns, without content type and length. */
  readonly responseHeaders: (requestId: string) => string[];
}

/** Writes the events of one stream; each method gives zero or more whole events. */
export interface StreamEncoder {
  /** Before the first token. */
  open(): string;
  /** One token; empty for one that the wire does not show. */
  step(step: Step): string;
  /** Why it stopped. */
  finish(): string;
  /** Usage, where it is an event of its own. */
  usage(): string;
  /** The terminal marker. */
  close(): string;
  /** An error in mid-stream. */
  error(): string;
  /** Something between events that carries nothing. */
  idle(): string;
}

/** The request is refused, before anything is generated; rendered in the shape of the API that was called. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;
  readonly headers: readonly string[];

  constructor(
    status: number,
    message: string,
    options: { param?: string; code?: string; headers?: readonly string[] } = {},
  ) {
    super(message);
    this.status = status;
    this.param = options.param ?? null;
    this.code = options.code ?? null;
    this.headers = options.headers ?? [];
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
