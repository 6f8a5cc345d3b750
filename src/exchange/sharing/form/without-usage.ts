/**
 * A stream as those get it who did not ask for usage in it: without the events that say nothing else. A stream is kept
 * with one of them at its end (kept-stream.ts), so this runs for most streams that are given again, and only what
 * follows the first usage is looked at.
 */
import type { OutboundCodec } from "../../../dialects/dialect.ts";
import { SseParser } from "../../../dialects/sse.ts";

export function withoutUsage(codec: OutboundCodec, body: Uint8Array): Uint8Array {
  const stream = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const usageAt = findUsage(stream);
  if (usageAt < 0) return body;
  const from = eventStart(stream, usageAt);
  const kept = [stream.subarray(0, from)];
  const reader = codec.createStreamReader({}, 1);
  // It was read within `limits.streamEventBytes` when it was made.
  const parser = new SseParser({ eventBytes: Infinity });
  const sink: Parameters<SseParser["push"]>[1] = (event) => {
    if (event.comment || reader.read(event) !== "usage") kept.push(Buffer.from(event.raw));
  };
  parser.push(stream.subarray(from), sink);
  parser.end(sink);
  return Buffer.concat(kept);
}

const LF = 0x0a;
const CR = 0x0d;
/** Without its first quotation mark, which would be found everywhere; what else ends like it does no harm. */
const NAME = Buffer.from('usage"');
const OBJECT = "{".charCodeAt(0);
const between: ReadonlySet<number | undefined> = new Set(Buffer.from(" \t:"));

/** The first member of this name with an object for its value, and not `null`; -1: there is none. */
function findUsage(stream: Buffer): number {
  for (let at = stream.indexOf(NAME); at >= 0; at = stream.indexOf(NAME, at + 1)) {
    let next = at + NAME.byteLength;
    while (between.has(stream[next])) next++;
    if (stream[next] === OBJECT) return at;
  }
  return -1;
}

/** Behind the last blank line before it. */
function eventStart(stream: Buffer, at: number): number {
  let start = at;
  while (start > 0 && !followsBlankLine(stream, start)) start--;
  return start;
}

function followsBlankLine(stream: Buffer, at: number): boolean {
  if (stream[at - 1] !== LF) return false;
  return stream[at - 2] === LF || (stream[at - 2] === CR && stream[at - 3] === LF);
}
