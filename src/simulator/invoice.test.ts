import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { send, turns, type SendOptions } from "../../test/support/simulator-client.ts";
import { eventually } from "../../test/support/eventually.ts";
import { createVirtualClock, type VirtualClock } from "../../test/support/virtual-clock.ts";
import { createAnswerIds } from "./ids.ts";
import { Invoice, type InvoiceEntry, type InvoiceLine } from "./invoice.ts";
import { costOf, type Tokens } from "./prices.ts";
import { startSimulator, type Simulator } from "./simulator.ts";

const NOTHING: Tokens = { input: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 0, reasoning: 0 };

describe("costs, against sums done by hand", () => {
  const cases: readonly { model: string; tokens: Partial<Tokens>; nanoUsd: bigint }[] = [
    // 1000 × $1 + 500 × $4 per million = 1,000 + 2,000 millionths of a dollar
    { model: "sim-chat", tokens: { input: 1000, output: 500 }, nanoUsd: 3_000_000n },
    // 10 × 1 + 1000 × 0.10 + 200 × 1.25 + 50 × 2 + 30 × 4 + 20 × 4 = 660 millionths
    {
      model: "sim-chat",
      tokens: { input: 10, cacheRead: 1000, cacheWrite5m: 200, cacheWrite1h: 50, output: 30, reasoning: 20 },
      nanoUsd: 660_000n,
    },
    // 1 × 37.5 nano-dollars, rounded up
    { model: "sim-mini", tokens: { input: 1 }, nanoUsd: 38n },
    // 37.5 + 12.5 + 150: the halves add up before rounding
    { model: "sim-mini", tokens: { input: 1, cacheRead: 1, output: 1 }, nanoUsd: 200n },
    { model: "sim-mini", tokens: { cacheWrite5m: 1, cacheWrite1h: 1 }, nanoUsd: 75n },
    {
      model: "sim-claude",
      tokens: { input: 7, cacheRead: 100, cacheWrite5m: 4, cacheWrite1h: 2, output: 3, reasoning: 5 },
      nanoUsd: 21_000n + 30_000n + 15_000n + 12_000n + 120_000n,
    },
    { model: "sim-embed", tokens: { input: 3 }, nanoUsd: 60n },
    { model: "sim-chat", tokens: {}, nanoUsd: 0n },
    // beyond what a double holds exactly
    { model: "sim-claude", tokens: { output: 999_999_999 }, nanoUsd: 14_999_999_985_000n },
  ];
  for (const { model, tokens, nanoUsd } of cases) {
    test(`${model} ${JSON.stringify(tokens)} costs ${nanoUsd} nano-dollars`, () => {
      assert.equal(costOf(model, { ...NOTHING, ...tokens }), nanoUsd);
    });
  }
});

describe("the books", () => {
  const entry = (number: number): InvoiceEntry => ({
    ...NOTHING,
    input: number,
    number,
    clientRequestId: `client-${number}`,
    apiKey: number % 2 === 0 ? "…even" : "…odd",
    model: "sim-chat",
    endpoint: "chat",
    stream: number % 3 === 0,
    atMs: 1000 + number,
    durationMs: 5,
    ended: "complete",
  });

  test("give every line back as it was written, from the line asked for", () => {
    const ids = createAnswerIds(1);
    const invoice = new Invoice(100_000, ids);
    for (let number = 1; number <= 20_000; number++) invoice.append(entry(number));
    const [line] = invoice.read({ after: 16_999, limit: 1 });
    const { number, ...written } = entry(17_000);
    assert.deepEqual(line, { ...written, line: number, id: ids.idOf(number, "chat"), costNanoUsd: 17_000_000n });
    assert.equal(invoice.read({ key: "even" }).length, 10_000);
    assert.equal(invoice.find("client-3")?.line, 3);
    assert.equal(invoice.find(ids.idOf(12_345, "chat"))?.line, 12_345);
    assert.equal(invoice.find(ids.idOf(12_345, "messages")), null);
  });

  test("find any kept line, the newest of those with one id", () => {
    const ids = createAnswerIds(1);
    const invoice = new Invoice(300_000, ids);
    for (let number = 1; number <= 250_000; number++) {
      const clientRequestId = number % 1000 === 0 ? "again" : `client-${number}`;
      invoice.append({ ...entry(number), clientRequestId: number % 7 === 0 ? null : clientRequestId });
    }
    assert.equal(invoice.find("again")?.line, 250_000);
    for (let number = 1; number <= 250_000; number += 997) {
      assert.equal(invoice.find(ids.idOf(number, "chat"))?.line, number);
      const byClient = number % 7 === 0 || number % 1000 === 0 ? undefined : number;
      assert.equal(invoice.find(`client-${number}`)?.line, byClient);
    }
    assert.equal(invoice.find("client-0"), null);
    assert.equal(invoice.find(ids.idOf(250_001, "chat")), null);
  });

  test("drop the oldest block above the maximum, and keep its cost in the total", () => {
    const invoice = new Invoice(8192, createAnswerIds(1));
    for (let number = 1; number <= 20_000; number++) invoice.append(entry(number));
    assert.equal(invoice.length, 20_000);
    assert.equal(invoice.droppedLines, 16_384);
    assert.equal(invoice.read()[0]?.line, 16_385);
    assert.equal(invoice.find("client-3"), null);
    // 1 + 2 + … + 20,000 input tokens at 1,000 nano-dollars
    assert.equal(invoice.totalCost(), 200_010_000_000n);
  });
});

describe("billing", () => {
  let clock: VirtualClock;
  let simulator: Simulator;
  before(async () => {
    clock = createVirtualClock();
    simulator = await startSimulator({ clock });
  });
  afterEach(() => simulator.reset());
  after(() => simulator[Symbol.asyncDispose]());

  const chat = (model: string, stream: boolean, options: SendOptions = {}): ReturnType<typeof send> =>
    send(`${simulator.url}/v1/chat/completions`, {
      headers: { authorization: "Bearer sk-test-abcd", "x-client-request-id": "attempt-1" },
      body: { model, stream, messages: [{ role: "user", content: "Hi" }] },
      ...options,
    });
  const onlyLine = (): InvoiceLine => {
    const lines = simulator.invoice();
    assert.equal(lines.length, 1);
    return lines[0] as InvoiceLine;
  };

  /** Starts a request, lets the virtual time pass once it is running, hangs up, and waits until that was noticed. */
  async function hangUpAfter(model: string, stream: boolean, ms: number): Promise<InvoiceLine> {
    let leave = (): void => undefined;
    const reply = chat(model, stream, { onStart: (act) => (leave = act) });
    await eventually("one request is running", () => simulator.stats().running === 1);
    clock.advance(ms);
    leave();
    await reply;
    await eventually("one answer was cancelled", () => simulator.stats().cancelled === 1);
    return onlyLine();
  }

  test("a complete answer is billed as its usage says", async () => {
    const { usage } = JSON.parse((await chat("sim-mini:tokens=7,reasoning=3,cache-read=11", false)).text);
    const line = onlyLine();
    assert.equal(usage.prompt_tokens, line.input + line.cacheRead);
    assert.equal(usage.completion_tokens, 10);
    assert.deepEqual([line.output, line.reasoning, line.cacheRead, line.ended], [7, 3, 11, "complete"]);
    assert.deepEqual([line.apiKey, line.clientRequestId, line.model], ["…abcd", "attempt-1", "sim-mini"]);
    assert.equal(line.costNanoUsd, (BigInt(line.input) * 375n + 11n * 125n + 10n * 1500n + 9n) / 10n);
  });

  test("a refusal costs nothing and has no line", async () => {
    await chat("sim-chat:status=503", false);
    assert.deepEqual(simulator.invoice(), []);
    assert.equal(simulator.stats().refused, 1);
  });

  test("a stream left before its first token is billed for its input", async () => {
    const line = await hangUpAfter("sim-chat:tokens=20,ttft=1000,rate=10,input=50", true, 500);
    assert.deepEqual([line.input, line.output, line.ended, line.costNanoUsd], [50, 0, "cancelled", 50_000n]);
  });

  test("a stream left in the middle is billed for the tokens generated until then", async () => {
    // Tokens are due at 1000, 1100, 1200 … ms; the pacer serves up to one millisecond later.
    const line = await hangUpAfter("sim-chat:tokens=20,ttft=1000,rate=10,input=50", true, 1250);
    assert.deepEqual([line.input, line.output, line.ended], [50, 3, "cancelled"]);
  });

  test("reasoning that the wire does not show is billed too", async () => {
    const line = await hangUpAfter("sim-chat:tokens=20,reasoning=5,ttft=1000,rate=10,input=50", true, 1650);
    assert.deepEqual([line.output, line.reasoning], [2, 5]);
  });

  test("a whole answer left before it came is billed for what was generated by then", async () => {
    const line = await hangUpAfter("sim-chat:tokens=20,ttft=1000,rate=10,input=50", false, 1250);
    assert.deepEqual([line.input, line.output, line.ended], [50, 3, "cancelled"]);
  });

  for (const stream of [true, false]) {
    test(`a provider that ignores cancellation bills everything (stream: ${stream})`, async () => {
      let leave = (): void => undefined;
      const reply = chat("sim-chat:tokens=20,rate=10,ttft=100,input=50,fault=ignore-cancellation", stream, {
        onStart: (act) => (leave = act),
      });
      await eventually("one request is running", () => simulator.stats().running === 1);
      clock.advance(250);
      leave();
      await reply;
      for (let step = 0; step < 40; step++) {
        clock.advance(100);
        await turns(1);
      }
      await eventually("no request is running", () => simulator.stats().running === 0);
      assert.equal(onlyLine().output, 20);
    });
  }

  test("one request can be looked up by its own id and by the caller's, once it has ended", async () => {
    const lookUp = (id: string): ReturnType<typeof send> =>
      send(`${simulator.url}/v1/generation?id=${id}`, { headers: { authorization: "Bearer k" } });
    const running = chat("sim-chat:tokens=4,rate=10,input=50,cache-read=6", false);
    await eventually("one request is running", () => simulator.stats().running === 1);
    const early = await lookUp("attempt-1");
    assert.deepEqual([early.status, JSON.parse(early.text).error.code], [404, "generation_running"]);
    clock.advance(2000);
    const { id } = JSON.parse((await running).text);
    for (const key of [id, "attempt-1"]) {
      const { data } = JSON.parse((await lookUp(key)).text);
      assert.deepEqual(
        [data.id, data.native_tokens_prompt, data.native_tokens_cached, data.native_tokens_completion],
        [id, 56, 6, 4],
      );
      assert.equal(data.total_cost, 0.0000666);
    }
    assert.equal(JSON.parse((await lookUp("attempt-2")).text).error.code, "generation_not_found");
  });

  test("the invoice is paged by line and filtered by key", async () => {
    for (let index = 0; index < 3; index++) await chat("sim-chat:tokens=1,input=1", false);
    const page = async (
      query: string,
    ): Promise<{ lines: { line: number; costNanoUsd: string }[]; next_after: number }> =>
      JSON.parse((await send(`${simulator.url}/sim/invoice?${query}`)).text);
    const first = await page("limit=2");
    assert.deepEqual([first.lines.map(({ line }) => line), first.next_after], [[1, 2], 2]);
    const second = await page("after=2&limit=2&key=abcd");
    assert.deepEqual([second.lines.map(({ costNanoUsd }) => costNanoUsd), second.next_after], [["5000"], 3]);
    assert.deepEqual((await page("key=zzzz")).lines, []);
    await send(`${simulator.url}/sim/reset`, { method: "POST" });
    assert.equal(simulator.stats().invoiceLines, 0);
  });
});
