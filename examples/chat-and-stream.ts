/**
 * The official OpenAI SDK through Headgate: one whole answer, one stream.
 *
 *   HEADGATE_KEY=hg-... node examples/chat-and-stream.ts
 *
 * Only the base URL and the key differ from a program that talks to the provider itself.
 */
import assert from "node:assert/strict";
import OpenAI from "openai";

const { HEADGATE_URL = "http://127.0.0.1:4000", HEADGATE_KEY, HEADGATE_MODEL = "simulator/sim-chat" } = process.env;
const client = new OpenAI({ baseURL: `${HEADGATE_URL}/v1`, apiKey: HEADGATE_KEY });
const messages = [{ role: "user" as const, content: "What is a headgate?" }];

const { data, response } = await client.chat.completions.create({ model: HEADGATE_MODEL, messages }).withResponse();
const [choice] = data.choices;
console.log(choice?.message.content);
console.log(
  `${response.headers.get("x-headgate-model")} took ${response.headers.get("x-headgate-cost-nano-usd")} nano-dollars.`,
);
assert.ok(choice?.message.content);
assert.ok(data.usage && data.usage.completion_tokens > 0);

const stream = await client.chat.completions.create({ model: HEADGATE_MODEL, messages, stream: true });
let text = "";
let finishReason: string | null = null;
for await (const chunk of stream) {
  const piece = chunk.choices[0]?.delta.content ?? "";
  text += piece;
  finishReason = chunk.choices[0]?.finish_reason ?? finishReason;
  process.stdout.write(piece);
}
process.stdout.write("\n");
assert.equal(finishReason, "stop");
assert.ok(text.length > 0);
