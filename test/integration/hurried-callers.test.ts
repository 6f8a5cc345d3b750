/** Callers with little time learn little about a target, and others do not suffer for what those could not wait for. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, test } from "node:test";
import { defaultProvider } from "../../src/config/defaults.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startLocalServer } from "../support/local-server.ts";
import { send, type Reply } from "../support/simulator-client.ts";

/** Failures in a row after which a target is left alone. */
const FAILURES_IN_ROW = 5;
const HURRY_MS = 200;
/** Answers after which it is known how long a target takes, whatever one or two of them took. */
const KNOWN_AFTER = 45;
/** Half of it is for the other target, and all of it is not enough for the slow one. */
const BARELY_MS = 1_200;
/** Half of it is much more than a quick target takes on a busy machine. */
const ENOUGH_MS = 3_000;
const SLOW = "simulator/sim-chat:tokens=3,ttft=1500";

function ask({ url, key }: TestGateway, model: string, stream: boolean, deadlineMs: number | null): Promise<Reply> {
  const hurry = deadlineMs === null ? {} : { "x-headgate-deadline-ms": String(deadlineMs) };
  return send(`${url}/v1/chat/completions`, {
    body: { model, stream, messages: [{ role: "user", content: "Hi" }] },
    headers: { authorization: `Bearer ${key}`, ...hurry },
  });
}

/** As many as have a target left alone, if they are told of failures. */
function askAtOnce(place: TestGateway, model: string, stream: boolean, deadlineMs: number): Promise<readonly Reply[]> {
  return Promise.all(Array.from({ length: FAILURES_IN_ROW + 1 }, () => ask(place, model, stream, deadlineMs)));
}

for (const stream of [false, true]) {
  describe(`callers in a hurry who ask for ${stream ? "streams" : "whole answers"}`, () => {
    test("do not have a target left alone that takes its usual time", async () => {
      await using place = await startTestGateway();
      for (const reply of await askAtOnce(place, SLOW, stream, HURRY_MS)) {
        assert.deepEqual([reply.status, reply.headers["x-headgate-error-code"]], [504, "deadline_exceeded"]);
      }
      assert.equal((await ask(place, SLOW, stream, null)).status, 200);
    });

    test("do not either where another target answers in time", async () => {
      const targets = [
        { model: SLOW, weight: 1e6 },
        { model: "simulator/sim-mini:tokens=3", weight: 1e-6 },
      ];
      await using place = await startTestGateway({ config: { models: { it: { targets } } } });
      for (const reply of await askAtOnce(place, "it", stream, BARELY_MS)) {
        assert.equal(reply.headers["x-headgate-model"], "simulator/sim-mini:tokens=3");
      }
      assert.equal((await ask(place, "it", stream, null)).headers["x-headgate-model"], SLOW);
    });

    test("have one left alone that says nothing for much longer than it used to take", async () => {
      let answers = KNOWN_AFTER;
      await using provider = await startLocalServer((request, response) => {
        request.resume();
        if (answers-- > 0) answer(response, stream);
      });
      const own = defaultProvider("openai-compatible", { baseUrl: `${provider.url}/v1` });
      const targets = [
        { model: "own/m", weight: 1e6 },
        { model: "simulator/sim-mini:tokens=3", weight: 1e-6 },
      ];
      await using place = await startTestGateway({ config: { providers: { own }, models: { it: { targets } } } });
      for (let caller = 0; caller < KNOWN_AFTER; caller++) {
        assert.equal((await ask(place, "it", stream, null)).headers["x-headgate-model"], "own/m");
      }
      for (const reply of await askAtOnce(place, "it", stream, ENOUGH_MS)) assert.equal(reply.status, 200);
      const told = (await ask(place, "it", stream, ENOUGH_MS)).headers["x-headgate-attempts"];
      assert.equal(told, "own/m=target_unavailable, simulator/sim-mini:tokens=3=answered");
    });
  });
}

function answer(response: ServerResponse, stream: boolean): void {
  const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 };
  const said = { role: "assistant", content: "Hi" };
  if (!stream) {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ choices: [{ index: 0, finish_reason: "stop", message: said }], usage }));
    return;
  }
  response.setHeader("content-type", "text/event-stream");
  response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: said, finish_reason: null }] })}\n\n`);
  response.end(
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage })}\n\ndata: [DONE]\n\n`,
  );
}
