/**
 * The ids that answers carry, in the providers' shapes: `chatcmpl-` and 29 characters (OpenAI), `msg_01` and 22
 * (Anthropic). They end in the request's number, so that an id can be made again from the number and looked up
 * without an index.
 */
import { Random } from "./answer/random.ts";

export type Endpoint = "chat" | "messages" | "embeddings";

export interface AnswerIds {
  idOf(number: number, endpoint: Endpoint): string;
  /** `x-request-id` or `request-id` of the response. */
  requestIdOf(number: number): string;
  /** `call_…` (OpenAI) or `toolu_…` (Anthropic). */
  callIdOf(number: number, endpoint: Endpoint, call: number): string;
  /** The request's number in an id of ours; some other number or NaN for foreign ids. */
  numberOf(id: string): number;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const NUMBER_CHARS = 8;

export function createAnswerIds(seed: number): AnswerIds {
  const random = new Random(seed);
  const tag = Array.from({ length: 21 }, () => ALPHABET[random.below(ALPHABET.length)]).join("");
  const short = tag.slice(0, 14);
  const prefixes: Readonly<Record<Endpoint, string>> = {
    chat: `chatcmpl-${tag}`,
    messages: `msg_01${short}`,
    embeddings: `embd-${tag}`,
  };
  const spell = (number: number): string => number.toString(36).padStart(NUMBER_CHARS, "0");
  return {
    idOf: (number, endpoint) => prefixes[endpoint] + spell(number),
    requestIdOf: (number) => `req_${short}${spell(number)}`,
    callIdOf: (number, endpoint, call) =>
      (endpoint === "messages" ? `toolu_01${short}` : `call_${short}`) +
      spell(number) +
      call.toString(36).padStart(2, "0"),
    numberOf: (id) => Number.parseInt(id.slice(-NUMBER_CHARS), 36),
  };
}
