/** How long a request may take: by its caller, by an SDK that says so by itself, by policy; and what the provider gets of it. */
import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { after, before, describe, test } from "node:test";
import { InternalServerError, OpenAI } from "openai";
import { defaultProvider, withProvider } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import { eventually } from "../support/eventually.ts";
import { evidenceOf, type RequestRow } from "../support/evidence.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { type LocalServer, startLocalServer } from "../support/local-server.ts";
import { connectRaw } from "../support/raw-http.ts";
import { send, type Reply } from "../support/simulator-client.ts";

const DEADLINE_MS = 1_000;
/** Before it by more than timers are early. */
const IN_TIME_US = (DEADLINE_MS - 10) * 1000;
/** A machine that is busy may use up the reserve now and then, and not each time. */
const TRIES = 5;
/** In seconds, as the SDKs send it: rounded down. */
const SDK_TIMEOUT_MS = 1_900;
const SDK_HEADER_MS = 1_000;
const TOTAL_MS = 400;
/** So much later than it should something may happen on a machine that is busy. */
const LATE_MS = 3_000;
const EARLY_MS = 300;

const messages = [{ role: "user" as const, content: "Hi" }];

/** A call at the provider, which never answers. */
interface Seen {
  readonly headers: IncomingHttpHeaders;
  /** Until its connection was closed; `null`: it is open. */
  openForMs: number | null;
}

let place: TestGateway;
let provider: LocalServer;
/** By the model that was asked for: each test has one of its own. */
const seen = new Map<string, Seen>();

before(async () => {
  provider = await startLocalServer((request, response) => {
    const beganMs = performance.now();
    const body: Buffer[] = [];
    request.on("data", (bytes: Buffer) => body.push(bytes));
    request.on("end", () => {
      const call: Seen = { headers: request.headers, openForMs: null };
      seen.set(JSON.parse(Buffer.concat(body).toString()).model, call);
      response.on("close", () => (call.openForMs = performance.now() - beganMs));
    });
  });
  const credentials = [{ name: "only", key: createSecret("sk-silent", "test") }];
  const silent = defaultProvider("openai-compatible", { baseUrl: `${provider.url}/v1`, credentials });
  const hurried = { ...silent, timeouts: { ...silent.timeouts, totalMs: TOTAL_MS } };
  place = await startTestGateway({ config: { providers: { silent, hurried } } });
  await ask({ model: "simulator/sim-chat" });
});
after(async () => {
  await place[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

interface Ask {
  readonly model: string;
  readonly stream?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

function ask({ model, stream = false, headers = {} }: Ask): Promise<Reply> {
  return send(`${place.url}/v1/chat/completions`, {
    body: { model, stream, messages },
    headers: { authorization: `Bearer ${place.key}`, ...headers },
  });
}

async function rowWithId(requestId: string): Promise<RequestRow> {
  return (await evidenceOf(place.gateway, requestId)).row;
}

function rowOf({ headers }: Reply): Promise<RequestRow> {
  return rowWithId(String(headers["x-request-id"]));
}

/** What the provider saw of the call of `silent/<model>`, once it is left. */
function callOf(model: string): Promise<{ headers: IncomingHttpHeaders; openForMs: number }> {
  return eventually("the call is left", () => {
    const call = seen.get(model);
    return call === undefined || call.openForMs === null ? null : { ...call, openForMs: call.openForMs };
  });
}

function assertRefused(reply: Reply, status: number, code: string): void {
  assert.deepEqual([reply.status, reply.headers["x-headgate-error-code"]], [status, code], reply.text);
}

describe("the time that a request has", { concurrency: true }, () => {
  for (const stream of [false, true]) {
    describe(`a deadline for ${stream ? "a stream" : "a whole answer"}`, { concurrency: true }, () => {
      test("ends the call and the answer before it, and the record says how long it was", async () => {
        let tookUs = Infinity;
        for (let tried = 0; tried < TRIES && tookUs >= IN_TIME_US; tried++) {
          const model = `own-${stream}-${tried}`;
          const headers = { "x-headgate-deadline-ms": String(DEADLINE_MS) };
          const reply = await ask({ model: `silent/${model}`, stream, headers });
          assertRefused(reply, 504, "deadline_exceeded");
          assert.ok((await callOf(model)).openForMs < DEADLINE_MS + LATE_MS);
          const row = await rowOf(reply);
          assert.deepEqual([row.deadline_us, row.ending, row.attempts], [DEADLINE_MS * 1000, "timeout", 1]);
          assert.ok(row.total_us > (DEADLINE_MS - EARLY_MS) * 1000, `given up after ${row.total_us} µs`);
          tookUs = row.total_us;
        }
        assert.ok(tookUs < IN_TIME_US, `${tookUs} µs at the last`);
      });

      test("comes before what an SDK says by itself", async () => {
        const headers = { "x-headgate-deadline-ms": String(TOTAL_MS), "x-stainless-timeout": "600" };
        const reply = await ask({ model: `silent/both-${stream}`, stream, headers });
        assertRefused(reply, 504, "deadline_exceeded");
        assert.equal((await rowOf(reply)).deadline_us, TOTAL_MS * 1000);
      });

      test("that is over before the body has come is told then, and nobody is called", async () => {
        using connection = await connectRaw(place.url);
        const body = JSON.stringify({ model: `silent/late-${stream}`, stream, messages });
        const head = `host: test\r\nauthorization: Bearer ${place.key}\r\ncontent-length: ${body.length}`;
        const headers = `${head}\r\nexpect: 100-continue\r\nx-headgate-deadline-ms: 40`;
        connection.write(`POST /v1/chat/completions HTTP/1.1\r\n${headers}\r\n\r\n`);
        const reading = connection.read();
        await eventually("the body is waited for", () => connection.interim.includes(100));
        connection.write(body.slice(0, -1));
        const answer = await reading;
        assert.deepEqual([answer?.status, answer?.headers["x-headgate-error-code"]], [504, "deadline_exceeded"]);
        assert.match(answer?.body.toString() ?? "", /\(x-headgate-deadline-ms: 40 ms\) was over before the body/);
        const row = await rowWithId(String(answer?.headers["x-request-id"]));
        assert.deepEqual([row.deadline_us, row.attempts], [40_000, 0]);
        assert.equal(seen.has(`late-${stream}`), false);
      });
    });
  }

  test("a deadline that leaves no time to call anybody is told as that, however near it is", async () => {
    for (const deadlineMs of [1, 2, 3]) {
      const reply = await ask({ model: "silent/hasty", headers: { "x-headgate-deadline-ms": String(deadlineMs) } });
      assert.equal(reply.status, 504);
      assert.equal(reply.headers["x-headgate-error-code"], "deadline_exceeded");
    }
  });

  test("a provider sees nothing of deadlines, of SDKs, or of the gateway's own headers", async () => {
    const sdk = { "x-stainless-timeout": "1", "x-stainless-retry-count": "0", "x-stainless-lang": "js" };
    await ask({
      model: "silent/seen",
      headers: { ...sdk, "x-headgate-deadline-ms": "150", "x-headgate-priority": "batch" },
    });
    const { headers } = await callOf("seen");
    assert.equal(headers.authorization, "Bearer sk-silent");
    assert.deepEqual(
      Object.keys(headers).filter((name) => /deadline|timeout|stainless|headgate/.test(name)),
      [],
    );
  });

  test("a deadline that a saturated target cannot meet is told at once, while longer ones wait", async () => {
    const { config } = place.gateway;
    const box = { ...config.providers["simulator"]!, concurrency: 1 };
    place.gateway.replaceConfig(withProvider(config, "box", box));
    const model = "box/sim-chat:tokens=2,ttft=300";
    const line = Array.from({ length: 5 }, () => ask({ model }));
    await Promise.race(line);
    const reply = await ask({ model, headers: { "x-headgate-deadline-ms": "800" } });
    // Who waits until the deadline is over is told 504.
    assertRefused(reply, 503, "overloaded");
    assert.match(reply.text, /its deadline allows/);
    assert.ok(Number(reply.headers["retry-after"]) >= 1);
    const row = await rowOf(reply);
    assert.deepEqual([row.attempts, row.deadline_us], [0, 800_000]);
    for (const { status } of await Promise.all(line)) assert.equal(status, 200);
  });

  /** It sends the timeout of a request, not that of the client (openai-node, `buildHeaders`). */
  describe("the timeout of a request by OpenAI's SDK", { concurrency: true }, () => {
    let client: OpenAI;
    before(() => {
      client = new OpenAI({ baseURL: `${place.url}/v1`, apiKey: place.key, maxRetries: 0 });
    });
    const timeout = SDK_TIMEOUT_MS;

    test("is known to the gateway, which tells before it what became of a whole answer", async () => {
      const asked = client.chat.completions.create({ model: "silent/sdk-whole", messages }, { timeout });
      const failure: unknown = await asked.catch((thrown: unknown) => thrown);
      assert.ok(failure instanceof InternalServerError, String(failure));
      assert.deepEqual([failure.status, failure.code], [504, "deadline_exceeded"]);
      assert.match(failure.message, /x-stainless-timeout: 1000 ms/);
      assert.ok((await callOf("sdk-whole")).openForMs < SDK_HEADER_MS + LATE_MS);
      const { row } = await evidenceOf(place.gateway, failure.headers.get("x-request-id") ?? "");
      assert.equal(row.deadline_us, SDK_HEADER_MS * 1000);
    });

    test("is for the beginning of a stream only: one that has begun goes on for longer", async () => {
      const model = "simulator/sim-chat:tokens=24,rate=10";
      const beganMs = performance.now();
      const { data, response } = await client.chat.completions
        .create({ model, messages, stream: true }, { timeout })
        .withResponse();
      const chunks = await Array.fromAsync(data);
      assert.ok(performance.now() - beganMs > SDK_TIMEOUT_MS);
      assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, "stop");
      const { row } = await evidenceOf(place.gateway, response.headers.get("x-request-id") ?? "");
      assert.deepEqual([row.ending, row.deadline_us], ["complete", SDK_HEADER_MS * 1000]);
    });

    test("ends a stream that does not begin", async () => {
      const asked = client.chat.completions.create({ model: "silent/sdk-stream", messages, stream: true }, { timeout });
      await assert.rejects(asked, { status: 504, code: "deadline_exceeded" });
      assert.ok((await callOf("sdk-stream")).openForMs < SDK_HEADER_MS + LATE_MS);
    });
  });

  describe("policy (`timeouts.totalMs`)", () => {
    test("bounds a request without a deadline, which has none in its record", async () => {
      const reply = await ask({ model: "hurried/unhurried" });
      assertRefused(reply, 504, "total_timeout");
      assert.ok((await callOf("unhurried")).openForMs < TOTAL_MS + LATE_MS);
      assert.equal((await rowOf(reply)).deadline_us, null);
    });

    test("is not loosened by a longer deadline, and a shorter one counts", async () => {
      const longer = await ask({ model: "hurried/any", headers: { "x-headgate-deadline-ms": "60000" } });
      assertRefused(longer, 504, "total_timeout");
      const shorter = await ask({ model: "hurried/any", headers: { "x-headgate-deadline-ms": "100" } });
      assertRefused(shorter, 504, "deadline_exceeded");
    });
  });
});
