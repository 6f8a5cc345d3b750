/**
 * Anthropic's SDK through the gateway: a stream with what it used, then a tool that the SDK runs by itself. The model may
 * be anybody's.
 *
 *   HEADGATE_KEY=hg-... node examples/messages.ts
 */
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";

const { HEADGATE_URL = "http://127.0.0.1:4000", HEADGATE_KEY, HEADGATE_MODEL = "simulator/sim-chat" } = process.env;
const client = new Anthropic({ baseURL: HEADGATE_URL, apiKey: HEADGATE_KEY ?? null });
const model = HEADGATE_MODEL;

const stream = client.messages.stream({
  model,
  max_tokens: 500,
  messages: [{ role: "user", content: "What is a headgate?" }],
});
stream.on("text", (text) => process.stdout.write(text));
const { stop_reason: reason, usage } = await stream.finalMessage();
console.log(`\n[${reason}, ${usage.input_tokens} tokens read, ${usage.output_tokens} written]`);
assert.ok(reason === "end_turn" && usage.output_tokens > 0);

const asked: string[] = [];
const waterLevel = betaTool({
  name: "water_level",
  description: "The water level at a gauge of the river, in centimetres.",
  inputSchema: { type: "object", properties: { gauge: { type: "string" } }, required: ["gauge"] },
  run: ({ gauge }) => {
    asked.push(gauge);
    return `${gauge}: 142 cm, rising`;
  },
});
const answer = await client.beta.messages.toolRunner({
  model,
  max_tokens: 500,
  messages: [{ role: "user", content: "How high is the river at the mill?" }],
  tools: [waterLevel],
});
console.log(`The model asked ${asked.length} times, and then said:`, answer.content);
assert.ok(answer.stop_reason === "end_turn");
