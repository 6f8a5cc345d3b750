/** The `body` faults: bodies too large to take, made of one megabyte sent over and over, at the reader's pace. */
import { gzipSync } from "node:zlib";
import { faultNumber, type Fault } from "../faults.ts";
import type { Call } from "./call.ts";
import { responseHead } from "./whole.ts";

const MEGABYTE = 1_048_576;

/** Sends it instead of the answer; booked as the answer would have been. */
export function sendFlood(call: Call, fault: Fault): void {
  const { facts } = call;
  const { response } = facts;
  const zipped = fault.name === "gzip-bomb";
  // A gzip file may be members one after another: each megabyte is a member of about a kilobyte.
  const wrap = (text: string): Buffer => (zipped ? gzipSync(text) : Buffer.from(text));
  const filler = wrap("a".repeat(MEGABYTE));
  let left = faultNumber(fault, 1024);
  const head = responseHead(facts, "application/json", null);
  if (zipped) head.push("content-encoding", "gzip");
  response.writeHead(200, head);
  response.write(
    wrap(
      `{"id":"${facts.marks.id}","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"`,
    ),
  );
  const pump = (): void => {
    while (left > 0 && !response.destroyed) {
      left--;
      if (!response.write(filler)) return;
    }
    if (left === 0 && !response.writableEnded) response.end(wrap(`"},"finish_reason":"stop"}]}`));
  };
  response.on("drain", pump);
  call.settle("fault", call.fullTokens());
  pump();
}
