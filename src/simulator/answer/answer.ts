/**
 * What the simulator answers, before any wire shape: `composeAnswer` decides it from the script and the request, and
 * gives it as steps of one token each, in the order a stream sends them. Tokens are counted by one rule on each side:
 * a step is one output (or reasoning) token; input is counted by `countText` from the request's own texts.
 */
import { findFault } from "../faults.ts";
import type { Finish, Script } from "../script.ts";
import { hashText, Random } from "./random.ts";
import { sampleSchema } from "./schema-sample.ts";
import { cutPieces, naturalAnswer, prosePieces, toolResultAnswer } from "./words.ts";

export interface OfferedTool {
  readonly name: string;
  readonly parameters: unknown;
}

/** What an answer depends on, whatever the wire. */
export interface Ask {
  readonly userText: string;
  /** What tools returned after the last assistant turn; empty if the last turn is not about tools. */
  readonly toolResults: readonly string[];
  readonly tools: readonly OfferedTool[];
  readonly toolUse: "auto" | "none" | "required" | { readonly name: string };
  readonly parallelTools: boolean;
  /** The schema that the answer must be valid for, `null` for prose. */
  readonly schema: unknown;
  readonly maxTokens: number | null;
  readonly choices: number;
  /** Counted from the request's texts. */
  readonly inputTokens: number;
  /** The request turned thinking on. */
  readonly thinking: boolean;
}

export interface ToolCall {
  readonly name: string;
  /** JSON. */
  readonly input: string;
}

export interface Choice {
  readonly reasoning: string;
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly finish: Finish;
}

export interface Step {
  readonly kind: "reasoning" | "text" | "call" | "input";
  readonly choice: number;
  /** Which tool call of the choice. */
  readonly call: number;
  /** The piece of text; the tool's name for `call`. */
  readonly text: string;
  /** The same as the inside of a JSON string. */
  readonly escaped: string;
}

export interface Answer {
  readonly choices: readonly Choice[];
  readonly steps: readonly Step[];
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

export const emptyAnswer: Answer = { choices: [], steps: [], outputTokens: 0, reasoningTokens: 0 };

const UNITS_PER_TOKEN = 4;
const THINKING_TOKENS = 24;

/** Input tokens of one text: a quarter of its UTF-16 units, rounded up. */
export function countText(text: string): number {
  return Math.ceil(text.length / UNITS_PER_TOKEN);
}

/** `seed` is the simulator's own; the script's, if it has one, comes on top. */
export function composeAnswer(script: Script, ask: Ask, seed: number): Answer {
  const steps: Step[] = [];
  const choices: Choice[] = [];
  let reasoningTokens = 0;
  for (let index = 0; index < ask.choices; index++) {
    const random = new Random(seed ^ (script.seed ?? 0) ^ hashText(ask.userText) ^ Math.imul(index, 0x9e3779b1));
    const before = steps.length;
    const reasoning = script.reasoning ?? (ask.thinking ? THINKING_TOKENS : 0);
    for (const piece of prosePieces(reasoning, random, false)) pushStep(steps, "reasoning", index, 0, piece);
    const calls = chooseCalls(script, ask, random);
    for (const piece of textPieces(script, ask, random, calls.length)) pushStep(steps, "text", index, 0, piece);
    calls.forEach((call, which) => pushCall(steps, index, which, call));
    const cut = ask.maxTokens !== null && steps.length - before > ask.maxTokens;
    if (cut) steps.length = before + (ask.maxTokens ?? 0);
    const choice = collectChoice(
      steps,
      before,
      script.finish ?? (cut ? "length" : calls.length > 0 ? "tool_calls" : "stop"),
    );
    choices.push(choice.choice);
    reasoningTokens += choice.reasoningTokens;
  }
  return { choices, steps, outputTokens: steps.length - reasoningTokens, reasoningTokens };
}

/** Whether the answer depends on the script alone, so that one can serve every such request. */
export function isFixedAnswer(script: Script, ask: Ask): boolean {
  return (
    script.tokens !== null &&
    ask.tools.length === 0 &&
    ask.toolResults.length === 0 &&
    ask.schema === null &&
    ask.choices === 1 &&
    (ask.maxTokens === null || ask.maxTokens >= script.tokens + (script.reasoning ?? 0)) &&
    (!ask.thinking || script.reasoning !== null)
  );
}

function textPieces(script: Script, ask: Ask, random: Random, calls: number): string[] {
  if (ask.schema !== null && calls === 0) return cutPieces(JSON.stringify(sampleSchema(ask.schema, random)));
  if (script.tokens !== null)
    return prosePieces(script.tokens, random, findFault(script.faults, "split-utf8") !== null);
  if (calls > 0) return [];
  const text =
    ask.toolResults.length > 0 ? toolResultAnswer(ask.toolResults, random) : naturalAnswer(ask.userText, random);
  return cutPieces(text);
}

function chooseCalls(script: Script, ask: Ask, random: Random): ToolCall[] {
  if (ask.tools.length === 0 || ask.toolUse === "none") return [];
  const forced = ask.toolUse !== "auto";
  if (!forced && ask.toolResults.length > 0) return [];
  const wanted = Math.max(script.tools ?? 0, forced ? 1 : 0);
  const count = ask.parallelTools ? wanted : Math.min(wanted, 1);
  const named = typeof ask.toolUse === "object" ? ask.toolUse.name : null;
  const offered = named === null ? ask.tools : ask.tools.filter((tool) => tool.name === named);
  if (offered.length === 0) return [];
  return Array.from({ length: count }, (_, index) => {
    const tool = offered[index % offered.length] as OfferedTool;
    return { name: tool.name, input: JSON.stringify(sampleSchema(tool.parameters ?? {}, random)) };
  });
}

function pushCall(steps: Step[], choice: number, which: number, call: ToolCall): void {
  pushStep(steps, "call", choice, which, call.name);
  for (const piece of cutPieces(call.input)) pushStep(steps, "input", choice, which, piece);
}

function pushStep(steps: Step[], kind: Step["kind"], choice: number, call: number, text: string): void {
  steps.push({ kind, choice, call, text, escaped: JSON.stringify(text).slice(1, -1) });
}

/** The whole of what the steps say, cut short or not. */
function collectChoice(
  steps: readonly Step[],
  from: number,
  finish: Finish,
): { choice: Choice; reasoningTokens: number } {
  let reasoning = "";
  let text = "";
  let reasoningTokens = 0;
  const calls: { name: string; input: string }[] = [];
  for (let index = from; index < steps.length; index++) {
    const step = steps[index] as Step;
    if (step.kind === "reasoning") {
      reasoning += step.text;
      reasoningTokens++;
    } else if (step.kind === "text") text += step.text;
    else if (step.kind === "call") calls.push({ name: step.text, input: "" });
    else (calls.at(-1) as { input: string }).input += step.text;
  }
  return { choice: { reasoning, text, calls, finish }, reasoningTokens };
}
