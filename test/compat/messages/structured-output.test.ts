import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { testBooks } from "../suite.ts";
import { openMessagesSuite, upstreams } from "./suite.ts";

const messages = [{ role: "user" as const, content: "Tell me about the mill." }];
const mill = z.object({
  name: z.string(),
  kind: z.enum(["water", "wind"]),
  wheels: z.array(z.object({ diameter: z.number(), turns: z.boolean() })),
});
const output_config = { format: zodOutputFormat(mill) };
const max_tokens = 1_000;

describe("structured output through Anthropic's SDK", () => {
  const suite = openMessagesSuite();

  for (const upstream of upstreams) {
    test(`of ${upstream.title} is parsed to the schema's type, streamed or not`, async () => {
      const request = { model: upstream.scripted("seed=7"), max_tokens, messages, output_config };
      const whole = await suite.anthropic.messages.parse(request);
      assert.deepEqual(whole.parsed_output, mill.parse(whole.parsed_output));
      const streamed = await suite.anthropic.messages.stream(request).finalMessage();
      assert.deepEqual(streamed.parsed_output, whole.parsed_output);
    });
  }

  testBooks(suite);
});
