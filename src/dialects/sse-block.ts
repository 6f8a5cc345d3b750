/** Reads one block of a server-sent event stream: its lines, up to and including the blank one that ends it. */
import type { SseEvent } from "./sse.ts";

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const BYTE_ORDER_MARK = "\ufeff";

/** `first`: the block begins the stream, where a byte order mark is allowed and has no meaning. */
export function readBlock(raw: Buffer, first: boolean): SseEvent {
  const data = readSingleDataLine(raw);
  if (data !== null) return { event: "", data, comment: false, raw };
  return readLines(raw, first);
}

/** The shape of nearly every event: one line `data: …` and a blank one, with line feeds only. `null` for any other. */
function readSingleDataLine(raw: Buffer): string | null {
  const end = raw.length - 2;
  if (raw[end] !== LF || raw[end + 1] !== LF || !isDataField(raw) || raw.indexOf(LF, 5) !== end) return null;
  const text = raw.toString("utf8", raw[5] === SPACE ? 6 : 5, end);
  return text.includes("\r") ? null : text;
}

/** `data:` */
function isDataField(raw: Buffer): boolean {
  return raw[0] === 0x64 && raw[1] === 0x61 && raw[2] === 0x74 && raw[3] === 0x61 && raw[4] === COLON;
}

function readLines(raw: Buffer, first: boolean): SseEvent {
  const decoded = raw.toString("utf8");
  const text = first && decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
  let event = "";
  let data: string | null = null;
  let start = 0;
  while (start < text.length) {
    let colon = -1;
    let end = start;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === LF || code === CR) break;
      if (code === COLON && colon < 0) colon = end;
    }
    const field = text.slice(start, colon < 0 ? end : colon);
    if (field === "data" || field === "event") {
      let valueStart = colon < 0 ? end : colon + 1;
      if (valueStart < end && text.charCodeAt(valueStart) === SPACE) valueStart++;
      const value = text.slice(valueStart, end);
      if (field === "event") event = value;
      else data = data === null ? value : `${data}\n${value}`;
    }
    start = end + 1;
    if (text.charCodeAt(end) === CR && text.charCodeAt(start) === LF) start++;
  }
  return { event, data: data ?? "", comment: data === null, raw };
}
