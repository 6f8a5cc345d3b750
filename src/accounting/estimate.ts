/**
 * Usage that nobody has reported: bounds for holds, and our own count where the provider's is missing.
 *
 * The bound for input. Tokenisers in use work on bytes or on text with a fallback to bytes, so a token stands for at
 * least one byte of the text, and the text stands in the body, where JSON only makes it longer. What a provider adds
 * (role markers, the instructions that come with tools: Anthropic documents up to some hundred tokens) is covered by
 * `addedTokens`. Media sent inline is far longer in base64 than in tokens; media sent by reference is not, and each is
 * covered by `imageTokens` or `documentTokens`. Searches and tools that a provider uses by itself and bills apart are
 * covered by `callsMax` of each: the one bound here that is not proven.
 *
 * The bound for output is what the caller allowed, for each of the answers asked for; reasoning counts towards it. Both
 * numbers are the caller's own, so both are cut at what no model exceeds: the products stay far within the exact range.
 *
 * Our own count of input takes the body's bytes, except for media: see `meterInput`.
 */
import type { Operation } from "../dialects/dialect.ts";
import { emptyUsage, type Usage } from "../kernel/usage.ts";

export interface RequestSize {
  /** Of the request's body. */
  readonly inputBytes: number;
  /** The caller's bound or the model's own; `null` if neither is known. */
  readonly maxOutputTokens: number | null;
  /** How many answers one call produces. */
  readonly choices: number;
  readonly operation: Operation;
  /** Images that the body has or refers to. Default 0. */
  readonly images?: number;
  /** The same of sounds, videos and documents. Default 0. */
  readonly documents?: number;
  /** Whether the provider may search or use tools of its own on the way. Default false. */
  readonly ownTools?: boolean;
}

const addedTokens = 1024;
/** Twice what the largest image counts in detail at the providers that say it (OpenAI, Anthropic, Google). */
const imageTokens = 8192;
const documentTokens = 65_536;
/** Providers' own searches and tool calls of one request: what deep research is documented and seen to make. */
const callsMax = 32;
/** The most that current models write in one answer (https://platform.claude.com/docs/en/models/overview). */
const unboundedOutputTokens = 128_000;
/** Above what any model writes in one answer, and what any provider takes for `n` (OpenAI: 128). */
const outputTokensMax = 1_000_000;
const choicesMax = 1024;

/**
 * Text of the languages models are mostly used in has about four bytes a token (OpenAI, "What are tokens and how to
 * count them": a token is about four characters in English). A body's JSON around the text makes the count of input
 * rather too high; text in other scripts makes both too low. Metered entries are flagged as estimated for that reason.
 */
const bytesPerToken = 4;

/** The most that an attempt can use, all input in one bucket and all output in another: rate it by `worstCost`. */
export function worstUsage(size: RequestSize): Usage {
  const usage = emptyUsage();
  const media = (size.images ?? 0) * imageTokens + (size.documents ?? 0) * documentTokens;
  usage.inputTokens = size.inputBytes + addedTokens + media;
  if (size.operation === "chat") {
    const answerTokens = Math.min(size.maxOutputTokens ?? unboundedOutputTokens, outputTokensMax);
    usage.outputTokens = answerTokens * Math.min(size.choices, choicesMax);
    if (size.ownTools === true) {
      usage.searchUnits = callsMax;
      usage.toolUnits = callsMax;
    }
  }
  return usage;
}

/**
 * What one inline image, sound or document counts at most: about the largest image at Anthropic
 * (https://platform.claude.com/docs/en/build-with-claude/vision). By its bytes a photograph would be a million tokens.
 */
const inlineMediaTokens = 1600;
/** So many characters of base64 without a break are media; text has breaks, and identifiers are shorter. */
const mediaCharsMin = 1024;

/** Both alphabets (RFC 4648), and `\` since JSON may write `/` as `\/`. */
const base64Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\\";
/** By byte: 1 for those characters. */
const base64Bytes = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(base64Characters.includes(String.fromCharCode(byte))),
);

/** Tokens of a request, by the bytes of its body; each inline medium counts up to `inlineMediaTokens`. */
export function meterInput(body: Uint8Array): number {
  let bytes = body.byteLength;
  let start = 0;
  for (let at = 0; at <= body.byteLength; at++) {
    if (at < body.byteLength && base64Bytes[body[at] ?? 0] === 1) continue;
    const length = at - start;
    if (length >= mediaCharsMin) bytes -= Math.max(0, length - inlineMediaTokens * bytesPerToken);
    start = at + 1;
  }
  return Math.ceil(bytes / bytesPerToken);
}

/**
 * Tokens of generated text, reasoning and tool arguments, by their bytes; in a stream at least one for each event that
 * carried some, since tokens can be shorter than on average: digits, punctuation, rare scripts.
 */
export function meterOutput(outputBytes: number, outputEvents: number): number {
  return Math.max(Math.ceil(outputBytes / bytesPerToken), outputEvents);
}
