/**
 * `POST /v1/embeddings`. Vectors are unit length and follow from the text's words alone: texts of the same words are
 * equal, texts that share some are near, and others about orthogonal. `encoding_format: "base64"` gives little-endian 32-bit floats, as OpenAI's SDK asks for.
 */
import { countText } from "../answer/answer.ts";
import { hashText, Random } from "../answer/random.ts";
import { encodeOpenAiError } from "./openai.ts";
import { Refusal, type Reading, type Wire } from "./wire.ts";

const DIMENSIONS_DEFAULT = 1536;
const DIMENSIONS_MAX = 4096;
const INPUTS_MAX = 2048;

interface EmbeddingsReading extends Reading {
  readonly inputs: readonly string[];
  readonly dimensions: number;
  readonly base64: boolean;
}

export function createEmbeddingsWire(responseHeaders: (requestId: string) => string[]): Wire {
  return {
    endpoint: "embeddings",
    read: readEmbeddings,
    encodeWhole(marks, _answer, tokens, reading) {
      const { inputs, dimensions, base64 } = reading as EmbeddingsReading;
      const data = inputs.map((input, index) => {
        const vector = embed(input, dimensions);
        const embedding = base64 ? Buffer.from(vector.buffer).toString("base64") : Array.from(vector);
        return { object: "embedding", index, embedding };
      });
      const usage = tokens ? { usage: { prompt_tokens: tokens.input, total_tokens: tokens.input } } : {};
      return JSON.stringify({ object: "list", data, model: marks.model, ...usage });
    },
    createStreamEncoder() {
      throw new Refusal(400, "Embeddings are not streamed.", { param: "stream" });
    },
    encodeRefusal: encodeOpenAiError,
    responseHeaders,
  };
}

function readEmbeddings(json: Readonly<Record<string, unknown>>): Reading {
  const inputs = readInputs(json["input"]);
  const dimensions = json["dimensions"] ?? DIMENSIONS_DEFAULT;
  if (
    typeof dimensions !== "number" ||
    !Number.isInteger(dimensions) ||
    dimensions < 1 ||
    dimensions > DIMENSIONS_MAX
  ) {
    throw new Refusal(400, `Invalid 'dimensions': an integer from 1 to ${DIMENSIONS_MAX}.`, { param: "dimensions" });
  }
  const reading: EmbeddingsReading = {
    ask: {
      userText: "",
      toolResults: [],
      tools: [],
      toolUse: "none",
      parallelTools: false,
      schema: null,
      maxTokens: null,
      choices: 1,
      inputTokens: inputs.reduce((sum, input) => sum + Math.max(1, countInput(input)), 0),
      thinking: false,
    },
    stream: false,
    streamUsage: false,
    padding: false,
    showReasoning: false,
    inputs: inputs.map((input) => (typeof input === "string" ? input : input.join(","))),
    dimensions,
    base64: json["encoding_format"] === "base64",
  };
  return reading;
}

type Input = string | readonly number[];

/** A text, a list of texts, a list of token numbers, or a list of those. */
function readInputs(value: unknown): readonly Input[] {
  const list: readonly unknown[] = Array.isArray(value) && typeof value[0] !== "number" ? value : [value];
  if (value === undefined || list.length === 0 || list.length > INPUTS_MAX || !list.every(isInput)) {
    throw new Refusal(
      400,
      `'input' must be a string, an array of at most ${INPUTS_MAX} strings, or arrays of token numbers, none of them empty.`,
      { param: "input" },
    );
  }
  return list;
}

function isInput(value: unknown): value is Input {
  if (typeof value === "string") return value !== "";
  return Array.isArray(value) && value.length > 0 && value.every((token) => typeof token === "number");
}

function countInput(input: Input): number {
  return typeof input === "string" ? countText(input) : input.length;
}

/** Words beyond these say nothing more. */
const WORDS_MAX = 4096;
/** Of the dimensions, each word has a share in so many. */
const DIMENSIONS_PER_WORD = 8;

/** The sum of the words' directions: the more words two texts share, whatever their order and case, the nearer they are. */
function embed(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  const vector = new Float32Array(dimensions);
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text];
  for (const word of words.slice(0, WORDS_MAX)) {
    const random = new Random(hashText(word));
    for (let count = 0; count < DIMENSIONS_PER_WORD; count++) {
      const index = random.below(dimensions);
      vector[index] = (vector[index] ?? 0) + random.next() - 0.5;
    }
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
