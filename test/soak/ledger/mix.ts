/**
 * What the callers of a soak ask for: request number i of a seed is always the same, whatever came before it.
 */
import type { FaultName } from "../../../src/simulator/faults.ts";
import { Random } from "../../../src/simulator/answer/random.ts";
import type { Leaving, Plan } from "../plan.ts";
import type { SoakPlace } from "./place.ts";
import { composeScript, faultNames, silentFaults } from "./scripts.ts";

const FAULTY_SHARE = 0.3;
const LEAVING_SHARE = 0.18;
const DEADLINE_SHARE = 0.02;
const MESSAGES_SHARE = 0.3;
const KNUTH = 2_654_435_761;
const CHAT = "/v1/chat/completions";
const MESSAGES = "/v1/messages";

export function planRequest(place: SoakPlace, seed: number, index: number): Plan {
  const random = new Random(seed ^ Math.imul(index + 1, KNUTH));
  // Neighbouring seeds give neighbouring first numbers.
  random.next();
  const draw = random.next();
  if (draw < 0.04) return planBadRequest(place, random, index);
  if (draw < 0.1) return planEmbeddings(place, random, index);
  if (draw < 0.105) return { ...base(place, random, index, "models"), method: "GET", path: "/v1/models" };
  return planChat(place, random, index);
}

function base(place: SoakPlace, random: Random, index: number, kind: string): Plan {
  return {
    index,
    kind,
    method: "POST",
    path: CHAT,
    key: random.pick(place.keys),
    headers: random.next() < DEADLINE_SHARE ? { "x-headgate-deadline-ms": String(20 + random.below(300)) } : {},
    body: null,
    stream: false,
    fault: null,
    leaving: null,
    pauseMs: 0,
  };
}

function planChat(place: SoakPlace, random: Random, index: number): Plan {
  const fault = random.next() < FAULTY_SHARE ? random.pick(faultNames) : null;
  const wire = random.pick(["sim", "claude"] as const);
  const stream = random.next() < 0.6;
  const leaving = random.next() < LEAVING_SHARE ? planLeaving(random, stream) : null;
  const paced = leaving !== null || fault === "ignore-cancellation" || random.next() < 0.4;
  const tools = random.next() < 0.15;
  const script = composeScript(random, { fault, paced, endpoint: wire === "claude" ? "messages" : "chat", tools });
  const model =
    random.next() < 0.02 ? "either" : `${chooseProvider(random, wire, fault)}/${chooseModel(random, wire)}:${script}`;
  const asksMessages = random.next() < MESSAGES_SHARE;
  const fields = asksMessages ? messagesFields(random, stream, tools) : chatFields(random, stream, tools);
  return {
    ...base(place, random, index, `${asksMessages ? "messages" : "chat"} ${wire} ${stream ? "stream" : "whole"}`),
    path: asksMessages ? MESSAGES : CHAT,
    body: JSON.stringify({ model, ...fields }),
    stream,
    fault,
    leaving,
  };
}

function planLeaving(random: Random, stream: boolean): Leaving {
  const draw = random.next();
  if (draw < 0.03) return { when: "upload" };
  if (draw < 0.06) return { when: "stalled", ms: 20 + random.below(60) };
  if (stream && draw < 0.6) return { when: "chunk", count: 1 + random.below(12) };
  return { when: "after", ms: random.below(40) };
}

function chooseProvider(random: Random, wire: "sim" | "claude", fault: FaultName | null): string {
  if (fault !== null && silentFaults.has(fault)) return `${wire}-hasty`;
  if (random.next() < 0.005) return "nowhere";
  return random.next() < 0.35 ? `${wire}-drain` : wire;
}

/** The cheapest model has rates that do not come out in whole nano-dollars. */
function chooseModel(random: Random, wire: "sim" | "claude"): string {
  if (random.next() < 0.35) return "sim-mini";
  return wire === "claude" ? "sim-claude" : "sim-chat";
}

function chatFields(random: Random, stream: boolean, tools: boolean): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = { messages: messages(random) };
  if (stream) fields["stream"] = true;
  if (stream && random.next() < 0.5) fields["stream_options"] = { include_usage: true };
  if (random.next() < 0.2) fields["max_completion_tokens"] = 1 + random.below(60);
  if (random.next() < 0.03) fields["n"] = 2;
  if (random.next() < 0.1) fields["user"] = `user-${random.below(50)}`;
  if (tools) {
    fields["tools"] = [weatherTool];
    if (random.next() < 0.3) fields["tool_choice"] = "required";
  } else if (random.next() < 0.05) {
    fields["response_format"] = {
      type: "json_schema",
      json_schema: { name: "place", strict: true, schema: placeSchema },
    };
  }
  return fields;
}

/** Of the Messages API. */
function messagesFields(random: Random, stream: boolean, tools: boolean): Readonly<Record<string, unknown>> {
  const bound = random.next() < 0.2 ? 1 + random.below(60) : 4096;
  const fields: Record<string, unknown> = { max_tokens: bound, messages: turns(random) };
  if (stream) fields["stream"] = true;
  if (random.next() < 0.4) fields["system"] = prose(random, 1 + random.below(30));
  if (random.next() < 0.1) fields["metadata"] = { user_id: `user-${random.below(50)}` };
  if (tools) {
    const { name, description, parameters } = weatherTool.function;
    fields["tools"] = [{ name, description, input_schema: parameters }];
    if (random.next() < 0.3) fields["tool_choice"] = { type: "any" };
  }
  return fields;
}

const placeSchema = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};
const weatherTool = {
  type: "function",
  function: { name: "weather", description: "The weather of a place.", parameters: placeSchema },
};

function messages(random: Random): unknown[] {
  const list = turns(random);
  if (random.next() < 0.4) list.unshift({ role: "system", content: prose(random, 1 + random.below(30)) });
  return list;
}

/** Of the user and the assistant, as both APIs have them. */
function turns(random: Random): unknown[] {
  const list: unknown[] = [{ role: "user", content: prose(random, 1 + random.below(60)) }];
  if (random.next() < 0.2) {
    list.push({ role: "assistant", content: prose(random, 1 + random.below(20)) });
    list.push({ role: "user", content: "And then? 水門 🌊" });
  }
  return list;
}

function prose(random: Random, words: number): string {
  return Array.from({ length: words }, () => random.pick(["water", "gate", "river", "größe", "川", "flow"])).join(" ");
}

function planEmbeddings(place: SoakPlace, random: Random, index: number): Plan {
  const fault = random.next() < FAULTY_SHARE ? random.pick(faultNames) : null;
  const script = composeScript(random, { fault, paced: random.next() < 0.2, endpoint: "embeddings", tools: false });
  const input = random.next() < 0.5 ? prose(random, 5) : [prose(random, 3), prose(random, 9)];
  return {
    ...base(place, random, index, "embeddings"),
    path: "/v1/embeddings",
    body: JSON.stringify({
      model: `${chooseProvider(random, "sim", fault)}/sim-embed:${script}`,
      input,
      dimensions: 8,
    }),
    fault,
    leaving: random.next() < LEAVING_SHARE ? planLeaving(random, false) : null,
  };
}

function planBadRequest(place: SoakPlace, random: Random, index: number): Plan {
  const plan = base(place, random, index, "bad");
  const body = { model: "sim/sim-chat:tokens=3", messages: [{ role: "user", content: "Hello" }] };
  const bad: readonly Partial<Plan>[] = [
    { key: null, body: JSON.stringify(body) },
    { key: place.revokedKey, body: JSON.stringify(body) },
    { key: place.limitedKey, body: JSON.stringify({ ...body, model: "claude/sim-claude" }) },
    { body: JSON.stringify({ ...body, model: "sim/no-such-model" }) },
    { body: JSON.stringify({ ...body, model: "no-such-model" }) },
    { body: JSON.stringify({ ...body, model: "sim/sim-chat:no-such-directive=1" }) },
    { body: JSON.stringify({ ...body, messages: [] }) },
    { body: JSON.stringify({ ...body, messages: "Hello" }) },
    { body: JSON.stringify({ ...body, temperature: 9 }) },
    { body: JSON.stringify({ ...body, model: "claude/sim-claude", n: 3 }) },
    { body: JSON.stringify(body).slice(0, -4) },
    { body: `${JSON.stringify(body).slice(0, -1)},"model":"sim/sim-mini"}` },
    { body: `${"[".repeat(400)}${"]".repeat(400)}` },
    { body: JSON.stringify({ ...body, padding: "x".repeat(70_000) }) },
    { body: "" },
    { body: JSON.stringify(body), headers: { "content-type": "text/plain" } },
    { body: JSON.stringify(body), headers: { "x-headgate-deadline-ms": "soon" } },
    { path: "/v1/completions", body: JSON.stringify(body) },
    { method: "GET" },
  ];
  return { ...plan, ...random.pick(bad) };
}
