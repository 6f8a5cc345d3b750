/**
 * An answer that several requests get. The exchange that leads it makes the answer and has this in place of its own
 * caller's responder; its caller and everybody who joined read from the log.
 *
 *   open ──▶ closed to joiners ──▶ ended: the last bytes go to the leader's caller, the outcome to those who joined
 *     └───────(nobody reads any more: the leader is cancelled)───────▲
 *
 * Invariant: the last bytes are held back until `end`, so that whatever has to be committed before the caller sees the
 * answer as complete can be.
 */
import type { HeadgateError } from "../../../kernel/errors.ts";
import type { KeptAnswer } from "../../../storage/answers/answers.ts";
import type { AnswerMemory } from "../../../streaming/answer-memory.ts";
import type { Responder } from "../../responder.ts";
import { AnswerLog, type LogReader, type LogReaderOptions } from "./answer-log.ts";

/** The exchange that makes the answer. */
export interface Leader {
  readonly requestId: string;
  /** There is room for more of the answer. */
  goOn(): void;
  /** Nobody reads any more. */
  deserted(): void;
}

/** Where an answer comes from and what it cost. */
export type AnswerSource = Omit<KeptAnswer, "kind" | "body">;

export type SharedEnd =
  | {
      readonly how: "answered";
      readonly source: AnswerSource;
      /** Of an answer that was no stream. */
      readonly body: Uint8Array | null;
      /** The bytes that end a stream. */
      readonly tail: Uint8Array | null;
    }
  /** `isOwn`: it is about the leader's own caller, budget or time, so that others may fare better. */
  | {
      readonly how: "failed";
      readonly source: AnswerSource;
      readonly failure: HeadgateError;
      readonly isOwn: boolean;
    };

/** Headers that belong to the answer, whoever it is given to. */
const headersOfAnswers: ReadonlySet<string> = new Set([
  "x-headgate-provider",
  "x-headgate-model",
  "x-headgate-attempts",
  "x-headgate-upstream-request-id",
  "x-headgate-dropped",
  "x-headgate-clamped-output-tokens",
]);

type LastWords =
  | { readonly kind: "whole"; readonly status: number; readonly headers: string[]; readonly body: Uint8Array }
  | { readonly kind: "end"; readonly tail: Uint8Array | null }
  | { readonly kind: "destroy" };

export class SharedAnswer implements Responder {
  readonly leader: Leader;
  readonly ended: Promise<SharedEnd>;
  readonly #log: AnswerLog;
  readonly #caller: Responder;
  readonly #callersReader: LogReader;
  readonly #resolve: (end: SharedEnd) => void;
  #status = 200;
  #headers: string[] = [];
  #lastWords: LastWords | null = null;
  #isClosed = false;

  constructor(leader: Leader, caller: Responder, keepBytes: number, memory: AnswerMemory) {
    this.leader = leader;
    const { promise, resolve } = Promise.withResolvers<SharedEnd>();
    this.ended = promise;
    this.#resolve = resolve;
    this.#caller = caller;
    this.#log = new AnswerLog(keepBytes, memory);
    this.#callersReader = this.#log.join({
      responder: caller,
      begin: () => caller.start(this.#status, [...this.#headers]),
      cut: () => caller.destroy(),
    });
  }

  get headSent(): boolean {
    return this.#log.hasBegun;
  }

  get bytesOut(): number {
    return this.#log.bytes;
  }

  get unreadBytes(): number {
    return this.#log.unreadBytes;
  }

  /** Of the answer, alternating names and values; known once it has begun or is there as a whole. */
  get headersOfAnswer(): readonly string[] {
    const own: string[] = [];
    for (let index = 0; index < this.#headers.length; index += 2) {
      const name = this.#headers[index] ?? "";
      if (headersOfAnswers.has(name)) own.push(name, this.#headers[index + 1] ?? "");
    }
    return own;
  }

  /** Whether a stream has begun. */
  get hasBegun(): boolean {
    return this.#log.hasBegun;
  }

  /** Who comes now reads from the beginning. */
  get isJoinable(): boolean {
    return !this.#isClosed && this.#log.isWhole;
  }

  /** Nobody joins any more, and `ended` is near. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The whole body, or the whole stream; `null`: there is none, or no longer. */
  get contents(): Uint8Array | null {
    const last = this.#lastWords;
    if (last?.kind === "whole") return last.body;
    if (last?.kind !== "end" || !this.#log.isWhole) return null;
    return last.tail === null ? this.#log.contents() : Buffer.concat([this.#log.contents(), last.tail]);
  }

  send(status: number, headers: string[], body: Uint8Array): void {
    this.#headers = headers;
    this.#lastWords = { kind: "whole", status, headers, body };
  }

  start(status: number, headers: string[]): void {
    this.#status = status;
    this.#headers = headers;
    this.#log.begin();
  }

  write(bytes: Uint8Array): boolean {
    return this.#log.append(bytes);
  }

  /** Of a stream; what it ends with is held back like the rest. */
  end(tail: Uint8Array | null): void {
    this.#lastWords = { kind: "end", tail };
  }

  destroy(): void {
    this.#lastWords = { kind: "destroy" };
  }

  /** Whoever has room lets an answer go on that waited for the others. */
  join(options: LogReaderOptions): LogReader {
    const { hasRoom } = this.#log;
    const reader = this.#log.join(options);
    if (!hasRoom && this.#log.hasRoom) this.leader.goOn();
    return reader;
  }

  /** It does not want the rest. */
  leave(reader: LogReader): void {
    this.#log.leave(reader);
    if (this.#log.readerCount === 0) this.leader.deserted();
  }

  /** The leader's own caller is gone; whether others are there. */
  callerLeft(): boolean {
    this.#log.leave(this.#callersReader);
    return this.#log.readerCount > 0;
  }

  /** The leader's own caller if that one has left while the answer goes on; `null`: it is there. */
  get callerThatLeft(): Responder | null {
    return this.#log.has(this.#callersReader) ? null : this.#caller;
  }

  /** One of the readers has room again; the leader's caller without `reader`. */
  drained(reader: LogReader = this.#callersReader): void {
    reader.drained();
    if (this.#log.hasRoom) this.leader.goOn();
  }

  /** From now on nobody joins. */
  close(): void {
    this.#isClosed = true;
  }

  /** Called once, when all that has to be committed is. */
  finish(end: SharedEnd): void {
    this.close();
    this.#resolve(end);
    this.#log.release();
    if (!this.#log.has(this.#callersReader)) return;
    const last = this.#lastWords;
    if (last === null || last.kind === "destroy") {
      this.#caller.destroy();
    } else if (last.kind === "whole") {
      this.#caller.send(last.status, last.headers, last.body);
    } else {
      this.#callersReader.readToEnd();
      this.#caller.end(last.tail);
    }
  }

  /** What ended it, as those who joined need it. */
  get lastWords(): { readonly body: Uint8Array | null; readonly tail: Uint8Array | null } {
    const last = this.#lastWords;
    return { body: last?.kind === "whole" ? last.body : null, tail: last?.kind === "end" ? last.tail : null };
  }
}
