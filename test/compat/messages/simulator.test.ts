import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Anthropic, { BadRequestError } from "@anthropic-ai/sdk";
import { openMessagesSuite, textOf } from "./suite.ts";

const messages = [{ role: "user" as const, content: "Who are you?" }];
const max_tokens = 2_000;

describe("the simulator, as Anthropic's SDK sees it without a gateway between", () => {
  const suite = openMessagesSuite();

  function direct(): Anthropic {
    return new Anthropic({ baseURL: suite.gateway.simulator.url, apiKey: "sk-sim-direct", maxRetries: 0 });
  }

  test("answers, streams and thinks like the API that it stands for, and like itself through the gateway", async () => {
    const model = "sim-claude:seed=3,reasoning=6";
    const whole = await direct().messages.create({ model, max_tokens, messages });
    assert.match(whole._request_id ?? "", /^req_/);
    assert.deepEqual(
      whole.content.map(({ type }) => type),
      ["thinking", "text"],
    );
    const streamed = await direct().messages.stream({ model, max_tokens, messages }).finalMessage();
    assert.deepEqual(streamed.content, whole.content);
    const through = await suite.anthropic.messages.create({
      model: `simulator-anthropic/${model}`,
      max_tokens,
      messages,
    });
    assert.equal(textOf(through), textOf(whole));
    assert.deepEqual(through.content, whole.content);
  });

  test("refuses in the shape that the SDK reads", async () => {
    await assert.rejects(
      direct().messages.create({ model: "sim-claude:status=400", max_tokens, messages }),
      (error) => error instanceof BadRequestError && error.type === "invalid_request_error",
    );
  });
});
