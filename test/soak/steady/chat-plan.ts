/** Requests for words, as callers of a steady soak write them: in Chat Completions, or in Messages. */
import type { Random } from "../../../src/simulator/answer/random.ts";
import type { SoakKey } from "../keys.ts";
import type { Plan } from "../plan.ts";

export interface Sources {
  readonly seed: number;
  readonly keys: readonly SoakKey[];
}

export type Speech = "chat" | "messages";

export interface ChatOptions {
  readonly stream: boolean;
  readonly text: string;
  readonly speech: Speech;
}

/** Of all who ask for words. */
const MESSAGES_SHARE = 0.35;
/** More than any answer has, for those who have to say it. */
const TOKENS_MAX = 4_096;

export function speechOf(random: Random): Speech {
  return random.next() < MESSAGES_SHARE ? "messages" : "chat";
}

function bodyOf(alias: string, { stream, text, speech }: ChatOptions): object {
  const asked = { model: alias, messages: [{ role: "user", content: text }] };
  if (speech === "messages") return { ...asked, max_tokens: TOKENS_MAX, ...(stream ? { stream } : {}) };
  return { ...asked, ...(stream ? { stream, stream_options: { include_usage: true } } : {}) };
}

export function chatPlan({ keys }: Sources, random: Random, index: number, alias: string, options: ChatOptions): Plan {
  return {
    index,
    kind: alias,
    method: "POST",
    path: options.speech === "chat" ? "/v1/chat/completions" : "/v1/messages",
    key: random.pick(keys),
    headers: {},
    body: JSON.stringify(bodyOf(alias, options)),
    stream: options.stream,
    fault: null,
    leaving: null,
    pauseMs: 0,
  };
}

export function withHeader(plan: Plan, name: string, value: string): Plan {
  return { ...plan, headers: { ...plan.headers, [name]: value } };
}

export function prose(random: Random): string {
  const words = Array.from({ length: 3 + random.below(40) }, () =>
    random.pick(["water", "gate", "river", "größe", "川", "flow"]),
  );
  return words.join(" ");
}
