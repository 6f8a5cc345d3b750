/** What simulated providers make of a request: it says in its text how many words they are to answer with. */
import type { UpstreamRequest } from "../../../src/providers/transport.ts";
import type { Random } from "../../simulation/world/random.ts";
import type { Answer } from "./wire.ts";

/** What a provider reads in a request. */
export interface HeardAsk {
  readonly stream: boolean;
  readonly words: number;
  readonly wordsMax: number;
  /** What every answer to it begins its words with; `null`: each answer differs. */
  readonly text: string | null;
  /** The beginning of the answer, as the request gives it. */
  readonly given: string;
  readonly inputTokens: number;
}

/** Requests of the simulation say in their text what is to be answered: `ask 17 words 30 repeatable`. */
const askText = /ask (\d+) words (\d+)( repeatable)?/;

export function readAsk({ body }: UpstreamRequest): HeardAsk {
  const text = Buffer.from(body ?? []).toString("utf8");
  const json = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const [, id = "", words = "1", repeatable] = askText.exec(text) ?? [];
  const bound = Number(json["max_tokens"] ?? json["max_completion_tokens"] ?? Infinity);
  return {
    stream: json["stream"] === true,
    words: Number(words),
    wordsMax: bound,
    text: repeatable === undefined ? null : `ask${id}`,
    given: readGiven(json["messages"] as readonly Message[]),
    inputTokens: Math.ceil(text.length / 5),
  };
}

interface Message {
  readonly role: string;
  readonly content: string | readonly { readonly text: string }[];
}

function readGiven(messages: readonly Message[]): string {
  const last = messages.at(-1);
  if (last?.role !== "assistant") return "";
  return typeof last.content === "string" ? last.content : last.content.map(({ text }) => text).join("");
}

const oddWords = ["é", "日本", "🌍", "\\", '"'];

/** `reportsUsage`: whether it says what it used. */
export function composeAnswer(
  plan: Pick<Answer, "dialect" | "model">,
  ask: HeardAsk,
  number: number,
  random: Random,
  reportsUsage: boolean,
): Answer {
  const words = wordsAfter(ask.given, wordsOf(ask.text ?? `c${number}`, ask.words)).slice(0, ask.wordsMax);
  const cacheRead = random.chance(0.3) ? Math.floor(ask.inputTokens / 2) : 0;
  const tokens = {
    input: ask.inputTokens - cacheRead,
    cacheRead,
    cacheWrite5m: 0,
    cacheWrite1h: 0,
    output: words.length,
    reasoning: random.chance(0.2) ? random.between(1, 20) : 0,
  };
  const { dialect, model } = plan;
  const finish = words.length === ask.wordsMax ? "length" : "stop";
  return { dialect, id: `answer-${number}`, model, given: ask.given, words, finish, tokens, reportsUsage };
}

function wordsOf(stem: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${stem}.${at}${oddWords[at % 11] ?? ""} `);
}

/** What is left to say of a text that begins so; a text that does not begin so goes on with a space. */
function wordsAfter(given: string, words: readonly string[]): readonly string[] {
  if (given === "") return words;
  const text = words.join("");
  return text.startsWith(given) ? text.slice(given.length).split(/(?<= )/) : [" ", ...words];
}
