import { fc } from "./properties.ts";
/** Streams as providers send them, made at random, together with what each of their events says. */

export type ProviderDialect = "openai-chat" | "anthropic-messages";

/** `nothing`: part of the protocol, without output. `error` and `invalid` end a stream badly wherever they come. */
export type Saying = "comment" | "nothing" | "output" | "usage" | "finish" | "end" | "error" | "invalid";

export interface ProviderEvent {
  /** With the blank line that ends it. */
  readonly raw: string;
  readonly says: Saying;
  readonly text: string;
  /** What it adds to the arguments of the stream's only tool call. */
  readonly args: string;
  /** Only the marker can follow it, if the provider has said why it stopped. */
  readonly isLast: boolean;
}

export interface ProviderStream {
  readonly dialect: ProviderDialect;
  readonly events: readonly ProviderEvent[];
}

type Lines = readonly (readonly [field: string, value: string])[];

/** What a model may say, and what looks like something else in a stream. */
export const spoken: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
  fc.constantFrom("data: ", "[DONE]", "\n\n", '"', "Grüße 🌍", "event: error\n"),
);

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: spoken },
    { weight: 2, arbitrary: fc.constantFrom<Step>({ kind: "comment" }, { kind: "nothing" }) },
  ),
  { maxLength: 12 },
);

/** A stream in the making. */
export interface Script {
  readonly dialect: ProviderDialect;
  readonly said: readonly Step[];
  /** In pieces; none: the answer calls no tool. */
  readonly args: readonly string[];
  readonly usage: boolean;
  /** What the provider leaves out. */
  readonly left: Saying | null;
  readonly newline: "\n" | "\r\n";
}

/** Text, or an event without any. */
type Step = string | { readonly kind: "comment" | "nothing" };

/** Text, perhaps a tool call, a finish reason, perhaps usage, a terminal marker. */
export function writeStream({ dialect, said, args, usage, left, newline }: Script): ProviderStream {
  const event: MakeEvent = (lines, says, text = "", added = "") => ({
    raw: lines.map(([field, value]) => `${field}: ${value}${newline}`).join("") + newline,
    says,
    text,
    args: added,
    isLast: says === (dialect === "openai-chat" ? "usage" : "finish"),
  });
  const wire = dialect === "openai-chat" ? chat : messages;
  return { dialect, events: wire(event, said, args, usage).filter(({ says }) => says !== left) };
}

export const providerStreams: fc.Arbitrary<ProviderStream> = fc
  .record({
    dialect: fc.constantFrom<ProviderDialect>("openai-chat", "anthropic-messages"),
    said: steps,
    args: fc.array(spoken, { maxLength: 4 }),
    usage: fc.boolean(),
    left: fc.constantFrom<Saying | null>(null, null, null, "end", "finish"),
    newline: fc.constantFrom<"\n" | "\r\n">("\n", "\r\n"),
  })
  .map(writeStream);

/** What breaks a stream in the middle, in both dialects' forms. */
export function brokenEvent(dialect: ProviderDialect, says: "error" | "invalid"): ProviderEvent {
  const error = JSON.stringify({ type: "error", error: { type: "overloaded_error", message: "overloaded" } });
  const name = dialect === "openai-chat" ? "" : "event: error\n";
  const raw = says === "error" ? `${name}data: ${error}\n\n` : "data: {oops\n\n";
  return { raw, says, text: "", args: "", isLast: false };
}

type MakeEvent = (lines: Lines, says: Saying, text?: string, args?: string) => ProviderEvent;
type Wire = (event: MakeEvent, said: readonly Step[], args: readonly string[], usage: boolean) => ProviderEvent[];

const chat: Wire = (event, said, args, usage) => {
  const chunk = (delta: object, reason: string | null = null): Lines => [
    ["data", JSON.stringify({ id: "c1", model: "m", choices: [{ index: 0, delta, finish_reason: reason }] })],
  ];
  const call = (fields: object): Lines => chunk({ tool_calls: [{ index: 0, ...fields }] });
  const events = [event(chunk({ role: "assistant", content: "" }), "nothing")];
  for (const step of said) {
    if (typeof step === "string") events.push(event(chunk({ content: step }), "output", step));
    else if (step.kind === "comment") events.push(event([["", "waiting"]], "comment"));
    else events.push(event(chunk({}), "nothing"));
  }
  if (args.length > 0) {
    const head = { id: "call_1", type: "function", function: { name: "look", arguments: "" } };
    events.push(event(call(head), "output"));
    for (const piece of args) events.push(event(call({ function: { arguments: piece } }), "output", "", piece));
  }
  events.push(event(chunk({}, args.length > 0 ? "tool_calls" : "stop"), "finish"));
  const totals = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  if (usage) events.push(event([["data", JSON.stringify({ id: "c1", choices: [], usage: totals })]], "usage"));
  events.push(event([["data", "[DONE]"]], "end"));
  return events;
};

const messages: Wire = (event, said, args) => {
  const of = (type: string, fields: object): Lines => [
    ["event", type],
    ["data", JSON.stringify({ type, ...fields })],
  ];
  const start = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    content: [],
    usage: { input_tokens: 3 },
  };
  const delta = (index: number, fields: object): Lines => of("content_block_delta", { index, delta: fields });
  const events = [event(of("message_start", { message: start }), "nothing")];
  events.push(event(of("content_block_start", { index: 0, content_block: { type: "text", text: "" } }), "nothing"));
  for (const step of said) {
    if (typeof step === "string") events.push(event(delta(0, { type: "text_delta", text: step }), "output", step));
    else if (step.kind === "comment") events.push(event([["", "waiting"]], "comment"));
    else events.push(event(of("ping", {}), "nothing"));
  }
  events.push(event(of("content_block_stop", { index: 0 }), "nothing"));
  if (args.length > 0) {
    const block = { type: "tool_use", id: "toolu_1", name: "look", input: {} };
    events.push(event(of("content_block_start", { index: 1, content_block: block }), "output"));
    for (const piece of args) {
      events.push(event(delta(1, { type: "input_json_delta", partial_json: piece }), "output", "", piece));
    }
    events.push(event(of("content_block_stop", { index: 1 }), "nothing"));
  }
  const end = { delta: { stop_reason: args.length > 0 ? "tool_use" : "end_turn" }, usage: { output_tokens: 2 } };
  events.push(event(of("message_delta", end), "finish"), event(of("message_stop", {}), "end"));
  return events;
};
