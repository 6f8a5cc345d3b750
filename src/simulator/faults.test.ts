import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { parseJson } from "../../test/support/simulator-calls.ts";
import { eventData, send, turns, type Reply, type SendOptions } from "../../test/support/simulator-client.ts";
import { eventually } from "../../test/support/eventually.ts";
import { createVirtualClock } from "../../test/support/virtual-clock.ts";
import { createSystemClock } from "../kernel/clock.ts";
import { faultCatalogue, type FaultName } from "./faults.ts";
import type { InvoiceLine } from "./invoice.ts";
import { startSimulator, type Simulator } from "./simulator.ts";

const MEGABYTE = 1_048_576;

let simulator: Simulator;
before(async () => {
  simulator = await startSimulator({ clock: createSystemClock() });
});
afterEach(() => simulator.reset());
after(() => simulator[Symbol.asyncDispose]());

/** A streamed answer of 20 tokens and 7 of input, unless the script says otherwise. */
function stream(script: string, options: SendOptions = {}): Promise<Reply> {
  const body = {
    model: `sim-chat:tokens=20,input=7,${script}`,
    stream: true,
    messages: [{ role: "user", content: "Hi" }],
  };
  return send(`${simulator.url}/v1/chat/completions`, {
    headers: { authorization: "Bearer key-west" },
    body,
    ...options,
  });
}

function whole(script: string, options: SendOptions = {}): Promise<Reply> {
  const body = { model: `sim-chat:tokens=20,input=7,${script}`, messages: [{ role: "user", content: "Hi" }] };
  return send(`${simulator.url}/v1/chat/completions`, {
    headers: { authorization: "Bearer key-west" },
    body,
    ...options,
  });
}

function messages(script: string): Promise<Reply> {
  const headers = { "x-api-key": "key-west", "anthropic-version": "2023-06-01" };
  const body = {
    model: `sim-claude:tokens=20,${script}`,
    stream: true,
    max_tokens: 100,
    messages: [{ role: "user", content: "Hi" }],
  };
  return send(`${simulator.url}/v1/messages`, { headers, body });
}

/** Text tokens that arrived in whole events. */
function tokensIn(text: string): number {
  return eventData(text).filter((data) => /"content":"[^"]/.test(data) && data.endsWith("}")).length;
}

function bill(): [InvoiceLine["ended"], number, number] {
  const lines = simulator.invoice();
  assert.equal(lines.length, 1, "one line on the invoice");
  const [line] = lines;
  return [line?.ended ?? "fault", line?.input ?? 0, line?.output ?? 0];
}

const hangUpAtOnce = { onChunk: (_: Buffer, leave: () => void) => leave() };

/** One test for each name of the catalogue; the test below this table proves that none is missing. */
const outcomes: Readonly<Record<FaultName, () => Promise<void>>> = {
  async refuse() {
    assert.equal((await send(await simulator.refusedUrl())).errorCode, "ECONNREFUSED");
  },
  async status() {
    for (const status of [400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529]) {
      const reply = await stream(`status=${status}`);
      assert.equal(reply.status, status);
      assert.equal(typeof parseJson(reply.text).error.message, "string");
    }
    assert.equal((await stream("status=429,retry-after=7")).headers["retry-after"], "7");
    assert.equal((await stream("status=429,retry-after=none")).headers["retry-after"], undefined);
    assert.ok(Number((await stream("status=429,retry-after=far")).headers["retry-after"]) > 10_000_000);
    assert.match((await stream("status=503,retry-after=date")).headers["retry-after"] ?? "", /^\w{3}, .* GMT$/);
    assert.equal((await stream("status=429,retry-after=reset:61")).headers["x-ratelimit-reset-requests"], "1m1s");
    const { headers } = await messages("status=429,retry-after=reset");
    assert.deepEqual([headers["anthropic-ratelimit-requests-remaining"], headers["retry-after"]], ["0", undefined]);
    assert.match(String(headers["anthropic-ratelimit-requests-reset"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(parseJson((await messages("status=529")).text).error.type, "overloaded_error");
    assert.deepEqual(simulator.invoice(), []);
  },
  async "bad-key"() {
    assert.equal((await stream("fault=bad-key:west")).status, 401);
    assert.equal((await stream("fault=bad-key:east")).status, 200);
  },
  async "context-length"() {
    assert.equal(parseJson((await stream("fault=context-length")).text).error.code, "context_length_exceeded");
    assert.match(parseJson((await messages("fault=context-length")).text).error.message, /^prompt is too long/);
  },
  async "content-filter"() {
    const reply = await whole("fault=content-filter");
    assert.deepEqual([reply.status, parseJson(reply.text).error.code], [400, "content_filter"]);
  },
  async flapping() {
    const statuses: number[] = [];
    for (let index = 0; index < 6; index++) statuses.push((await whole("fault=flapping:3")).status);
    assert.deepEqual(statuses, [200, 200, 503, 200, 200, 503]);
  },
  async "html-instead-of-json"() {
    const reply = await whole("fault=html-instead-of-json");
    assert.deepEqual([reply.status, reply.headers["content-type"]], [200, "text/html"]);
    assert.match(reply.text, /^<!DOCTYPE html>/);
    assert.deepEqual(simulator.invoice(), []);
  },
  async "reset-before-response"() {
    const reply = await stream("fault=reset-before-response");
    assert.deepEqual([reply.status, reply.errorCode], [0, "ECONNRESET"]);
    assert.deepEqual(simulator.invoice(), []);
  },
  async "black-hole"() {
    let leave = (): void => undefined;
    const reply = stream("fault=black-hole", { onStart: (act) => (leave = act) });
    await eventually("one request is running", () => simulator.stats().running === 1);
    leave();
    assert.equal((await reply).status, 0);
    await eventually("one answer was cancelled", () => simulator.stats().cancelled === 1);
    assert.deepEqual(bill(), ["cancelled", 7, 0]);
  },
  async "slow-headers"() {
    const clock = createVirtualClock();
    const slow = await startSimulator({ clock });
    await using _ = slow;
    let answered = false;
    const body = {
      model: "sim-chat:tokens=1,fault=slow-headers:700",
      stream: true,
      messages: [{ role: "user", content: "Hi" }],
    };
    const reply = send(`${slow.url}/v1/chat/completions`, { headers: { authorization: "Bearer k" }, body }).then(
      (result) => {
        answered = true;
        return result;
      },
    );
    await eventually("one request is running", () => slow.stats().running === 1);
    clock.advance(690);
    await turns(20);
    assert.equal(answered, false);
    clock.advance(20);
    assert.equal((await reply).status, 200);
  },
  async "headers-then-silence"() {
    let leave = (): void => undefined;
    const reply = stream("fault=headers-then-silence", { onStart: (act) => (leave = act) });
    await eventually("one request is running", () => simulator.stats().running === 1);
    leave();
    assert.equal((await reply).text, "");
    await eventually("one answer was cancelled", () => simulator.stats().cancelled === 1);
    assert.deepEqual(bill(), ["cancelled", 7, 0]);
  },
  async "one-token-then-silence"() {
    const reply = await stream("fault=one-token-then-silence", {
      onChunk: (received, leave) => (tokensIn(received.toString()) === 1 ? leave() : undefined),
    });
    assert.equal(tokensIn(reply.text), 1);
    await eventually("one answer was cancelled", () => simulator.stats().cancelled === 1);
    assert.deepEqual(bill(), ["cancelled", 7, 1]);
  },
  async "reset-after-headers"() {
    const reply = await stream("fault=reset-after-headers");
    assert.deepEqual([reply.status, reply.text, reply.errorCode], [200, "", "ECONNRESET"]);
    assert.deepEqual(bill(), ["fault", 7, 0]);
  },
  async "cut-mid-token"() {
    const reply = await stream("fault=cut-mid-token@10");
    assert.deepEqual([tokensIn(reply.text), reply.complete], [10, false]);
    assert.ok(!reply.text.endsWith("\n\n"));
    assert.deepEqual(bill(), ["fault", 7, 11]);
    simulator.reset();
    assert.equal((await whole("fault=cut-mid-token")).complete, false);
    assert.deepEqual(bill(), ["fault", 7, 20]);
  },
  async "cut-between-events"() {
    const reply = await stream("fault=cut-between-events@3");
    assert.deepEqual([tokensIn(reply.text), reply.complete], [3, false]);
    assert.ok(reply.text.endsWith("\n\n"));
    assert.deepEqual(bill(), ["fault", 7, 3]);
  },
  async "no-finish"() {
    const reply = await stream("fault=no-finish@4");
    assert.deepEqual([tokensIn(reply.text), reply.complete], [4, true]);
    assert.doesNotMatch(reply.text, /"finish_reason":"|\[DONE\]/);
    assert.equal(parseJson((await whole("fault=no-finish")).text).choices[0].finish_reason, null);
  },
  async "error-event-after-200"() {
    const reply = await stream("fault=error-event-after-200@2");
    assert.equal(parseJson(eventData(reply.text).at(-1) ?? "").error.type, "server_error");
    assert.deepEqual([tokensIn(reply.text), reply.complete], [2, true]);
    assert.match(
      (await messages("fault=error-event-after-200@2")).text,
      /event: error\ndata: .*"overloaded_error".*\n\n$/,
    );
    const body = await whole("fault=error-event-after-200");
    assert.deepEqual([body.status, parseJson(body.text).error.type], [200, "server_error"]);
  },
  async "invalid-json"() {
    const broken = eventData((await stream("fault=invalid-json@2")).text).filter(
      (data) => data !== "[DONE]" && !data.endsWith("}"),
    );
    assert.equal(broken.length, 1);
    assert.throws(() => parseJson(broken[0] ?? ""), SyntaxError);
    assert.deepEqual(bill(), ["fault", 7, 20]);
    const body = await whole("fault=invalid-json");
    assert.equal(body.complete, true);
    assert.throws(() => parseJson(body.text), SyntaxError);
  },
  async "invalid-utf8"() {
    for (const reply of [await stream("fault=invalid-utf8@2"), await whole("fault=invalid-utf8")]) {
      const bytes = Buffer.concat(reply.chunks);
      assert.equal(bytes.filter((byte) => byte === 0xff).length, 1);
      assert.equal(reply.complete, true);
    }
  },
  async "huge-event"() {
    const reply = await stream("fault=huge-event:2@1");
    const longest = Math.max(...eventData(reply.text).map((data) => data.length));
    assert.ok(longest > 2 * MEGABYTE);
    assert.equal(eventData(reply.text).at(-1), "[DONE]");
  },
  async "no-terminal-marker"() {
    const reply = await stream("fault=no-terminal-marker");
    assert.match(reply.text, /"finish_reason":"stop"/);
    assert.doesNotMatch(reply.text, /\[DONE\]/);
    assert.equal(reply.complete, true);
    const anthropic = await messages("fault=no-terminal-marker");
    assert.match(anthropic.text, /event: message_delta/);
    assert.doesNotMatch(anthropic.text, /message_stop/);
  },
  async "no-usage"() {
    assert.equal(parseJson((await whole("fault=no-usage")).text).usage, undefined);
    assert.doesNotMatch((await messages("fault=no-usage")).text, /usage/);
    assert.equal(simulator.invoice().length, 2);
  },
  async "ignore-cancellation"() {
    await stream("rate=400,fault=ignore-cancellation", hangUpAtOnce);
    await eventually("one answer is complete", () => simulator.stats().complete === 1);
    assert.deepEqual(bill(), ["complete", 7, 20]);
  },
  async "wrong-content-type"() {
    const reply = await stream("fault=wrong-content-type");
    assert.equal(reply.headers["content-type"], "text/plain");
    assert.equal(eventData(reply.text).at(-1), "[DONE]");
  },
  async gzip() {
    for (const reply of [await stream("fault=gzip"), await whole("fault=gzip")]) {
      assert.equal(reply.headers["content-encoding"], "gzip");
      assert.match(gunzipSync(Buffer.concat(reply.chunks)).toString("utf8"), /"finish_reason":"stop"/);
    }
  },
  async "slow-drip"() {
    const reply = await whole("fault=slow-drip:50");
    assert.equal(parseJson(reply.text).usage.completion_tokens, 20);
    assert.ok(reply.chunks.length > 4, `${reply.chunks.length} pieces`);
    assert.ok(reply.chunks.every((chunk) => chunk.length <= 50 * 20));
  },
  async bom() {
    const reply = await stream("fault=bom");
    assert.deepEqual([...Buffer.concat(reply.chunks).subarray(0, 3)], [0xef, 0xbb, 0xbf]);
    assert.equal(tokensIn(reply.text), 20);
  },
  async crlf() {
    const reply = await stream("fault=crlf");
    assert.equal(reply.text.replaceAll("\r\n", "").includes("\n"), false);
    assert.equal(tokensIn(reply.text), 20);
  },
  async "split-utf8"() {
    const reply = await stream("rate=500,fault=split-utf8");
    const endsInside = (chunk: Buffer): boolean => !Buffer.from(chunk.toString("utf8")).equals(chunk);
    assert.ok(reply.chunks.some(endsInside));
    assert.doesNotMatch(reply.text, /\ufffd/);
    assert.equal(tokensIn(reply.text), 20);
  },
  async "many-events-per-packet"() {
    const reply = await stream("rate=500,fault=many-events-per-packet:10");
    assert.ok(eventData(reply.chunks[0]?.toString() ?? "").length >= 10);
    assert.equal(eventData(reply.text).at(-1), "[DONE]");
  },
  async comments() {
    const reply = await stream("fault=comments");
    assert.equal(reply.text.match(/^: simulated comment$/gm)?.length, 20);
    assert.equal(tokensIn(reply.text), 20);
    assert.ok(((await messages("fault=comments")).text.match(/^event: ping$/gm)?.length ?? 0) >= 20);
  },
  async "gzip-bomb"() {
    const reply = await whole("fault=gzip-bomb:3");
    const bytes = Buffer.concat(reply.chunks);
    assert.ok(bytes.length < 20_000, `${bytes.length} bytes on the wire`);
    assert.ok(parseJson(gunzipSync(bytes).toString("utf8")).choices[0].message.content.length === 3 * MEGABYTE);
  },
  async "huge-body"() {
    const reply = await whole("fault=huge-body:3");
    assert.equal(parseJson(reply.text).choices[0].message.content.length, 3 * MEGABYTE);
  },
};

describe("the fault", () => {
  for (const name of Object.keys(faultCatalogue) as FaultName[]) {
    test(`${name}: ${faultCatalogue[name].summary}`, () => outcomes[name]());
  }
});

describe("faults", () => {
  test("strike only the first requests, or every k-th, if the script says so", async () => {
    const statuses = async (script: string): Promise<number[]> => {
      const seen: number[] = [];
      for (let index = 0; index < 4; index++) seen.push((await whole(script)).status);
      return seen;
    };
    assert.deepEqual(await statuses("status=500,first=2"), [500, 500, 200, 200]);
    assert.deepEqual(await statuses("status=500,every=2"), [200, 500, 200, 500]);
  });

  test("a compressed stream longer than every buffer on its way comes to its end", async () => {
    const reply = await stream("tokens=5000,fault=gzip");
    assert.equal(reply.complete, true);
    assert.equal(tokensIn(gunzipSync(Buffer.concat(reply.chunks)).toString("utf8")), 5000);
  });

  test("a reader that takes nothing stops the generation, and so the bill", async () => {
    let leave = (): void => undefined;
    const reply = stream("tokens=200000", { readNothing: true, onStart: (act) => (leave = act) });
    await eventually("one request is running", () => simulator.stats().running === 1);
    await turns(200);
    leave();
    await reply;
    await eventually("no request is running", () => simulator.stats().running === 0);
    const [ended, , output] = bill();
    assert.equal(ended, "cancelled");
    assert.ok(output > 0 && output < 100_000, `${output} tokens`);
  });
});
