/** What came to the caller over the socket, against what is expected, in the caller's dialect. */
import assert from "node:assert/strict";
import type { Reply } from "../support/simulator-client.ts";
import type { CallerSees, Outcome } from "./outcome.ts";
import { eventsOf, speeches, terminalsIn, type Caller } from "./speech.ts";

export function assertCaller(
  reply: Reply,
  { caller: sees }: Pick<Outcome, "caller">,
  stream: boolean,
  caller: Caller = "openai-chat",
): void {
  if (sees.kind === "gone") return;
  const { errorOf, terminal } = speeches[caller];
  const terminals = terminalsIn(reply.text, caller);
  if (sees.kind === "cut off") {
    assert.deepEqual([reply.complete, terminals], [false, 0]);
    return;
  }
  assert.equal(reply.complete, true, "the response ends as HTTP says it should");
  switch (sees.kind) {
    case "answer":
      assert.equal(reply.status, 200, reply.text);
      assert.doesNotMatch(reply.text, /"error"/);
      assert.equal(terminals, stream ? 1 : 0);
      if (stream) assert.ok(reply.text.replaceAll("\r\n", "\n").endsWith(terminal), reply.text.slice(-200));
      return;
    case "error": {
      const error = errorOf(JSON.parse(reply.text));
      assert.deepEqual([reply.status, error?.code], [sees.status, sees.code], reply.text);
      assert.equal(error?.request_id, reply.headers["x-request-id"]);
      assertWait(reply.headers["retry-after"], sees);
      return;
    }
    case "broken stream": {
      assert.deepEqual([reply.status, terminals], [200, 0], reply.text);
      const events = eventsOf(reply.text).map(errorOf);
      const last = events.pop();
      assert.equal(last?.code, sees.code);
      assert.equal(last?.request_id, reply.headers["x-request-id"]);
      assert.ok(events.length > 0 && events.every((error) => error === undefined), "one error event, the last");
    }
  }
}

function assertWait(told: unknown, { retryAfter, isMoment = false }: Extract<CallerSees, { kind: "error" }>): void {
  if (retryAfter === undefined) return;
  if (isMoment && told === String(Number(retryAfter) - 1)) return;
  assert.equal(told, retryAfter === null ? undefined : String(retryAfter));
}
