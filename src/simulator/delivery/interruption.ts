/**
 * How an `interruption` fault spoils one event, or ends the connection. Connections are ended one turn of the loop
 * later: Node hands what was written in a turn to the socket only at the turn's end.
 */
import type { ServerResponse } from "node:http";
import type { Step } from "../answer/answer.ts";
import type { Fault } from "../faults.ts";

export type Act = "silence" | "reset" | "cut-mid" | "cut" | "end" | "error" | "invalid-json" | "invalid-utf8" | "huge";

export interface Interruption {
  readonly act: Act;
  readonly at: number;
  readonly fault: Fault;
}

const ACTS: Readonly<Partial<Record<Fault["name"], Act>>> = {
  "headers-then-silence": "silence",
  "one-token-then-silence": "silence",
  "reset-after-headers": "reset",
  "cut-mid-token": "cut-mid",
  "cut-between-events": "cut",
  "no-finish": "end",
  "error-event-after-200": "error",
  "invalid-json": "invalid-json",
  "invalid-utf8": "invalid-utf8",
  "huge-event": "huge",
};

/** The first interruption among the faults; one request has at most one. */
export function planInterruption(faults: readonly Fault[]): Interruption | null {
  for (const fault of faults) {
    const act = ACTS[fault.name];
    if (act) return { act, at: fault.at, fault };
  }
  return null;
}

/** The event with its data cut in half: still an event, no longer JSON. */
export function breakJson(event: string): string {
  const start = event.lastIndexOf("data: ");
  return `${event.slice(0, start + 6 + Math.floor((event.length - start - 6) / 2))}\n\n`;
}

/** The text as bytes, with the first byte of the quoted piece replaced by one that UTF-8 never has. */
export function breakUtf8(text: string, escapedPiece: string): Buffer {
  const bytes = Buffer.from(text);
  const quote = bytes.lastIndexOf(`"${escapedPiece}"`);
  bytes[quote < 0 ? Math.floor(bytes.length / 2) : quote + 1] = 0xff;
  return bytes;
}

export function hugeStep(step: Step, megabytes: number): Step {
  const text = "x".repeat(Math.min(256, Math.max(1, megabytes)) * 1_048_576);
  return { ...step, text, escaped: text };
}

/** Resets the connection: what the reader has not yet taken is lost. */
export function resetConnection(response: ServerResponse): void {
  const { socket } = response;
  setImmediate(() => socket?.resetAndDestroy());
}

/** Closes the connection after what was written, without the end of the body that HTTP requires. */
export function cutConnection(response: ServerResponse): void {
  const { socket } = response;
  setImmediate(() => socket?.destroySoon());
}
