/** What simulated providers make of a request: it says in its text how many words they are to answer with. */
import type { UpstreamRequest } from "../../../src/providers/transport.ts";
import type { Random } from "../../simulation/world/random.ts";
import type { Tokens } from "../../../src/simulator/prices.ts";
import type { Phrase } from "../callers/wording.ts";
import { meaningOf } from "./meaning.ts";
import type { Answer, WireDialect } from "./wire.ts";

/** What a provider reads in a request. */
export interface HeardAsk {
  readonly model: string;
  /** Of what is to be turned into a vector; `null`: it is to be answered. */
  readonly vector: readonly number[] | null;
  readonly stream: boolean;
  readonly words: number;
  readonly wordsMax: number;
  /** What every answer to it begins its words with; `null`: each answer differs. */
  readonly text: string | null;
  /** The beginning of the answer, as the request gives it. */
  readonly given: string;
  readonly inputTokens: number;
}

/** Requests of the simulation say in their text what is to be answered: `ask 17 words 30 repeatable politely`. */
const askText = /ask (\d+) words (\d+)( repeatable)?(?: (politely|otherwise))?/;

export function readAsk({ body, path }: UpstreamRequest): HeardAsk {
  const text = Buffer.from(body ?? []).toString("utf8");
  const json = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const [, id = "", words = "1", repeatable, phrase = "plain"] = askText.exec(text) ?? [];
  const isEmbeddings = path.endsWith("/embeddings");
  const bound = Number(json["max_tokens"] ?? json["max_completion_tokens"] ?? Infinity);
  return {
    model: String(json["model"]),
    vector: isEmbeddings ? meaningOf(Number(id), phrase as Phrase) : null,
    stream: json["stream"] === true,
    words: Number(words),
    wordsMax: bound,
    text: repeatable === undefined ? null : `ask${id}`,
    given: isEmbeddings ? "" : readGiven(json["messages"] as readonly Message[]),
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

const noTokens: Tokens = { input: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 0, reasoning: 0 };

const oddWords = ["é", "日本", "🌍", "\\", '"'];

/** `reportsUsage`: whether it says what it used. */
export function composeAnswer(
  dialect: WireDialect,
  ask: HeardAsk,
  number: number,
  random: Random,
  reportsUsage: boolean,
): Answer {
  const { model, vector } = ask;
  const common = { dialect, id: `answer-${number}`, model, reportsUsage };
  if (vector !== null) {
    const tokens = { ...noTokens, input: ask.inputTokens };
    return { ...common, given: "", words: [], vector, finish: null, tokens };
  }
  const words = wordsAfter(ask.given, wordsOf(ask.text ?? `c${number}`, ask.words)).slice(0, ask.wordsMax);
  const cacheRead = random.chance(0.3) ? Math.floor(ask.inputTokens / 2) : 0;
  const tokens = {
    ...noTokens,
    input: ask.inputTokens - cacheRead,
    cacheRead,
    output: words.length,
    reasoning: random.chance(0.2) ? random.between(1, 20) : 0,
  };
  const finish = words.length === ask.wordsMax ? "length" : "stop";
  return { ...common, given: ask.given, words, vector: null, finish, tokens };
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
