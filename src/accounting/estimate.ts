/**
 * Usage that nobody has reported: bounds for holds, and our own count where the provider's is missing.
 *
 * The bound for input. Tokenisers in use work on bytes or on text with a fallback to bytes, so a token stands for at
 * least one byte of the text, and the text stands in the body, where JSON only makes it longer. What a provider adds
 * (role markers, the instructions that come with tools: Anthropic documents up to some hundred tokens) is covered by
 * `addedTokens`, an image by what a model's largest one counts. Neither documents, of which a few bytes or a reference can
 * stand for hundreds of pages, nor what tools of the provider's own bring in have a bound of that kind. Each turn that
 * the model takes reads its context window at the most, and that is their bound in the worst case; what is expected is
 * less. The number of calls of such tools is the one bound here that is not proven, unless the request states it.
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
  /** Images that the body has or refers to. */
  readonly images: number;
  /** What one of them counts at the most. */
  readonly tokensPerImage: number;
  /** The same of videos and documents. */
  readonly documents: number;
  /** Calls of the provider's own searches and tools, of each kind. 0: it has none to call. */
  readonly ownCalls: number;
  /** How often the provider may have a model read, and so charge for, a full context window. */
  readonly turns: number;
  /** Answers besides those asked for, as long at the most: summaries of what came before, say. */
  readonly summaries: number;
  /** The model's context window in tokens; `null`: unknown. */
  readonly contextTokens: number | null;
}

const addedTokens = 1024;
/** Some thirty pages, by what Anthropic counts for one. */
const documentTokens = 65_536;
/** Where it is not known: what most of the large models read (https://platform.claude.com/docs/en/models/overview). */
const unknownContextTokens = 1_048_576;
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

/**
 * What an attempt may use: the most for text and images, the usual for documents, and nothing for what a provider's own
 * tools bring in. All input is in one bucket and all output in another: rate it by `worstCost`.
 */
export function expectedUsage(size: RequestSize): Usage {
  const usage = emptyUsage();
  const media = size.images * size.tokensPerImage + size.documents * documentTokens;
  usage.inputTokens = size.inputBytes + addedTokens + media;
  if (size.operation === "chat") {
    usage.outputTokens = answerTokens(size) * Math.min(size.choices, choicesMax);
    usage.searchUnits = size.ownCalls;
    usage.toolUnits = size.ownCalls;
  }
  return usage;
}

/** The most that an attempt can use, in the same buckets. `expected` itself, where that is the most already. */
export function worstUsage(size: RequestSize, expected: Usage): Usage {
  const { operation, turns, summaries, documents, contextTokens } = size;
  if (operation !== "chat" || (turns === 1 && summaries === 0 && documents === 0)) return expected;
  const windows = turns * (contextTokens ?? unknownContextTokens);
  return {
    ...expected,
    inputTokens: Math.max(expected.inputTokens, windows),
    outputTokens: expected.outputTokens + answerTokens(size) * summaries,
  };
}

function answerTokens({ maxOutputTokens }: RequestSize): number {
  return Math.min(maxOutputTokens ?? unboundedOutputTokens, outputTokensMax);
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
