import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { defaultProvider, withProvider } from "../../src/config/defaults.ts";
import { captureLog, everyRow } from "../support/evidence.ts";
import { furtherFaults, type FurtherName } from "./further.ts";
import { answered, failed } from "./outcome.ts";
import { openScene, upstreams, type Scene } from "./scene.ts";
import { startUpstream } from "./upstream-server.ts";
import type { Reply } from "../support/simulator-client.ts";
import { listenSilently } from "../support/silent-listener.ts";

let scene: Scene;
before(async () => {
  scene = await openScene();
});
beforeEach(() => scene.test.simulator.reset());
after(() => scene[Symbol.asyncDispose]());

/** The provider of this name is at this address from now on. */
function provide(name: string, baseUrl: string): void {
  const { gateway } = scene.test;
  gateway.replaceConfig(withProvider(gateway.config, name, defaultProvider("openai-compatible", { baseUrl })));
}

async function assertUnreached(model: string, fault: FurtherName, says: RegExp): Promise<void> {
  for (const stream of [false, true]) {
    const reply = await scene.ask({ model, stream });
    assert.match(JSON.parse(reply.text).error.message, says);
    await scene.assertOutcome(reply, furtherFaults[fault].outcome, stream);
  }
}

describe("a provider that cannot be reached costs nothing:", () => {
  test("the connection is refused", async () => {
    provide("refusing", `${await scene.test.simulator.refusedUrl()}/v1`);
    await assertUnreached("refusing/m", "connection refused", /could not be reached.*ECONNREFUSED/);
  });

  test("its name does not resolve", async () => {
    // A label of 64 characters is refused by the resolver itself, without asking anybody.
    provide("nameless", `http://${"a".repeat(64)}.invalid/v1`);
    await assertUnreached("nameless/m", "name unknown", /could not be reached.*(ENOTFOUND|EAI_)/);
  });

  test("it does not speak TLS where TLS is expected", async () => {
    provide("plain", `${scene.test.simulator.url.replace("http:", "https:")}/v1`);
    await assertUnreached("plain/m", "not TLS", /could not be reached.*(SSL|EPROTO)/);
  });

  test("its handshake never ends, within `timeouts.connectMs`", async () => {
    await using silent = await listenSilently();
    provide("handshaking", `https://127.0.0.1:${silent.port}/v1`);
    await assertUnreached("handshaking/m", "endless handshake", /No connection to provider handshaking within 300 ms/);
  });
});

for (const upstream of upstreams) {
  describe(`time runs out at ${upstream}:`, () => {
    for (const stream of [false, true]) {
      test(`the caller's own deadline, ${stream ? "before the first token" : "before the answer"}`, async () => {
        const headers = { "x-headgate-deadline-ms": "200" };
        const startedMs = performance.now();
        const reply = await scene.ask({ upstream, stream, script: "ttft=5000", headers });
        assert.ok(performance.now() - startedMs < 300, "the first token timer would have taken longer");
        await scene.assertOutcome(reply, furtherFaults["deadline before output"].outcome, stream);
      });
    }

    test("the deadline of an SDK, before a stream has begun", async () => {
      const headers = { "x-stainless-timeout": "0.2" };
      const reply = await scene.ask({ upstream, stream: true, script: "ttft=5000", headers });
      await scene.assertOutcome(reply, furtherFaults["deadline before output"].outcome, true);
    });

    test("not by the deadline of an SDK, once a stream has begun: the SDK's own timer has ended by then", async () => {
      const headers = { "x-stainless-timeout": "0.3" };
      const reply = await scene.ask({ upstream, stream: true, script: "tokens=60,rate=100", headers });
      assert.equal(reply.status, 200);
      assert.match(reply.text, /data: \[DONE\]\n\n$/);
      scene.test.simulator.reset();
    });

    test("the deadline of the request, in mid-stream", async () => {
      const headers = { "x-headgate-deadline-ms": "300" };
      const reply = await scene.ask({ upstream, stream: true, script: "tokens=500,rate=100", headers });
      await scene.assertOutcome(reply, furtherFaults["deadline in stream"].outcome, true);
    });
  });
}

describe("time that is up:", () => {
  test("`timeouts.totalMs`, for a stream that never falls silent", async () => {
    await using short = await openScene({ timeouts: { totalMs: 300 } });
    const reply = await short.ask({ stream: true, script: "tokens=500,rate=100" });
    await short.assertOutcome(reply, furtherFaults["total time in stream"].outcome, true);
  });

  test("`timeouts.totalMs`, for a whole answer", async () => {
    await using short = await openScene({ timeouts: { totalMs: 200 } });
    const reply = await short.ask({ script: "tokens=500,rate=100" });
    await short.assertOutcome(reply, furtherFaults["total time"].outcome, false);
  });

  test("a deadline that passes while the body is read calls no provider", async () => {
    const headers = { "x-headgate-deadline-ms": "1", "content-type": "application/json" };
    const filler = "x".repeat(4_000_000);
    const body = { model: "simulator/sim-chat", messages: [{ role: "user", content: filler }] };
    const reply = await scene.ask({ headers, body });
    await scene.assertOutcome(reply, furtherFaults["deadline before call"].outcome, false);
  });

  test("comments alone do not keep a stream alive", async () => {
    await using upstream = await startUpstream((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const chunk = { id: "a", choices: [{ index: 0, delta: { content: "Hi" } }] };
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
      const beat = setInterval(() => response.write(": still here\n\n"), 20);
      response.on("close", () => clearInterval(beat));
    });
    upstream.serveAs(scene.test.gateway, "beating");
    const reply = await scene.ask({ model: "beating/m", stream: true });
    assert.match(reply.text, /: still here\n\n.*idle_timeout/s);
    assert.doesNotMatch(reply.text, /\[DONE\]/);
  });

  /** A provider that says why it stopped, perhaps what was used, and stays open without a terminal marker. */
  async function askOpenEnded(usage: object | null): Promise<{ reply: Reply; tookMs: number; requests: number }> {
    await using upstream = await startUpstream((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const choice = { index: 0, delta: { content: "Hi" }, finish_reason: "stop" };
      response.write(`data: ${JSON.stringify({ id: "a", model: "m", choices: [choice], usage })}\n\n`);
    });
    upstream.serveAs(scene.test.gateway, "open-ended");
    const startedMs = performance.now();
    const reply = await scene.ask({ model: "open-ended/m", stream: true });
    return { reply, tookMs: performance.now() - startedMs, requests: upstream.requests };
  }

  test("a stream that has finished and stays open is complete at once, if its usage is known", async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 };
    const { reply, tookMs, requests } = await askOpenEnded(usage);
    assert.ok(tookMs < 1_000, `${tookMs} ms: not even timeouts.endingMs is waited for`);
    assert.equal(requests, 1);
    assert.equal(reply.text.split("[DONE]").length, 2);
    const { row } = await scene.assertComplete(reply);
    assert.deepEqual([row.basis, row.input_tokens, row.output_tokens], ["reported", 3, 1]);
  });

  test("a stream that has finished and stays open without its usage is complete after `timeouts.endingMs`", async () => {
    const { reply, tookMs } = await askOpenEnded(null);
    assert.ok(tookMs >= 999 && tookMs < 2_000, `${tookMs} ms`);
    assert.equal(reply.text.split("[DONE]").length, 2);
    const { row } = await scene.assertComplete(reply);
    assert.equal(row.basis, "metered");
  });
});

describe("a body without bounds", () => {
  for (const fault of ["gzip-bomb:1024", "huge-body:1024"]) {
    for (const stream of [false, true]) {
      test(`${fault}, asked for ${stream ? "a stream" : "a whole answer"}, takes little memory`, async () => {
        const beforeKb = process.resourceUsage().maxRSS;
        const reply = await scene.ask({ script: `fault=${fault}`, stream });
        const outcome = failed(502, "upstream_too_large", { charged: "input estimate" });
        await scene.assertOutcome(reply, outcome, stream);
        const grownMb = (process.resourceUsage().maxRSS - beforeKb) / 1024;
        assert.ok(grownMb < 100, `memory grew by ${Math.round(grownMb)} MB`);
      });
    }
  }
});

describe("a provider that quotes the gateway's own key in its refusal", () => {
  for (const status of [401, 402, 403]) {
    test(`of status ${status} does not get it to the caller, the log or the store`, async () => {
      const log = captureLog();
      await using quoting = await openScene({}, { logger: log.logger });
      await using upstream = await startUpstream(({ headers }, response) => {
        const error = { message: `Incorrect key: ${headers.authorization}`, type: headers.authorization };
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error }));
      });
      const { gateway } = quoting.test;
      upstream.serveAs(gateway, "quoting", "sk-very-secret-key");
      for (const stream of [false, true]) {
        const reply = await quoting.ask({ model: "quoting/m", stream });
        assert.doesNotMatch(reply.text + JSON.stringify(reply.headers), /very-secret/);
        await quoting.assertOutcome(reply, failed(502, "upstream_credentials"), stream);
      }
      assert.equal(upstream.requests, 2);
      assert.match(log.text(), /upstream_credentials/);
      assert.doesNotMatch(log.text() + (await everyRow(gateway)), /very-secret/);
    });
  }
});

describe("a gateway at its limit", () => {
  test("refuses one request more with 503 and `retry-after`, and calls nobody for it", async () => {
    await using full = await openScene({ limits: { concurrentRequests: 1 } });
    const first = full.ask({ stream: true, script: "tokens=20,rate=100" });
    await full.whenCalled();
    const refused = await full.ask({});
    await full.assertComplete(await first);
    full.test.simulator.reset();
    await full.assertOutcome(refused, furtherFaults["at the limit"].outcome, false);
    await full.assertOutcome(await full.ask({}), answered(), false);
  });
});
