/**
 * A model calls a function of this program and answers with its result; the same code for every provider, since what
 * a provider needs back between the two calls travels in the messages.
 *
 *   HEADGATE_KEY=hg-... node examples/tools.ts
 */
import assert from "node:assert/strict";
import OpenAI from "openai";
import type { ChatCompletionMessageParam, ChatCompletionTool } from "openai/resources/chat/completions";

const { HEADGATE_URL = "http://127.0.0.1:4000", HEADGATE_KEY, HEADGATE_MODEL = "simulator/sim-chat" } = process.env;
const client = new OpenAI({ baseURL: `${HEADGATE_URL}/v1`, apiKey: HEADGATE_KEY });

const tools: ChatCompletionTool[] = [
  {
    type: "function",
    function: {
      name: "water_level",
      description: "The water level at a gauge of the river, in centimetres.",
      parameters: { type: "object", properties: { gauge: { type: "string" } }, required: ["gauge"] },
    },
  },
];
const messages: ChatCompletionMessageParam[] = [{ role: "user", content: "How high is the river at the mill?" }];

const asked = await client.chat.completions.create({ model: HEADGATE_MODEL, messages, tools, tool_choice: "required" });
const question = asked.choices[0]?.message;
assert.ok(question?.tool_calls?.[0]);
// The whole message goes back as it came: it may hold the model's reasoning, which its provider wants to see again.
messages.push(question);
for (const call of question.tool_calls) {
  assert.ok(call.type === "function");
  const { gauge } = JSON.parse(call.function.arguments) as { gauge: string };
  console.log(`The model asks for the level at ${gauge}.`);
  messages.push({ role: "tool", tool_call_id: call.id, content: `${gauge}: 142 cm, rising` });
}

const answered = await client.chat.completions.create({ model: HEADGATE_MODEL, messages, tools });
const answer = answered.choices[0]?.message.content ?? "";
console.log(answer);
assert.match(answer, /142/);
