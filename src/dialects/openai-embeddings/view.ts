import type { JsonDocument } from "../../kernel/json-document.ts";
import type { Needs, RequestView } from "../dialect.ts";
import { readEndUser } from "../request-fields/end-user.ts";
import { readPositive, readText } from "../request-fields/fields.ts";
import { invalid, missing } from "../request-fields/refusals.ts";

const noNeeds: Needs = {
  tools: false,
  parallelTools: false,
  images: false,
  audio: false,
  documents: false,
  jsonSchema: false,
  reasoning: false,
  logprobs: false,
  choices: false,
};

const INPUT = "a non-empty string, or a non-empty array of strings, of token numbers or of arrays of token numbers";

/** Wire facts: openai-node, `EmbeddingCreateParams`. Throws `missing_field` or `invalid_value` naming the field. */
export function viewRequest(document: JsonDocument): RequestView {
  const root = document.root;
  const model = readText(root, "model");
  if (model === null) throw missing("model");
  if (model === "") throw invalid("model", "the name of a model, not an empty string");
  checkInput(root["input"]);
  const format = readText(root, "encoding_format");
  if (format !== null && format !== "float" && format !== "base64") throw invalid("encoding_format", "float or base64");
  readPositive(root, "dimensions");
  return {
    document,
    model,
    stream: false,
    endUser: readEndUser(root, "user"),
    maxOutputTokens: null,
    choices: 1,
    wantsStreamUsage: false,
    serviceTier: null,
    needs: noNeeds,
  };
}

function checkInput(input: unknown): void {
  if (input === undefined) throw missing("input");
  if (typeof input === "string" && input !== "") return;
  if (!Array.isArray(input) || input.length === 0) throw invalid("input", INPUT);
  const kind = kindOf(input[0]);
  for (let index = 0; index < input.length; index++) {
    if (kind === null || kindOf(input[index]) !== kind) throw invalid(`input[${index}]`, INPUT);
  }
}

function kindOf(element: unknown): "text" | "token" | "tokens" | null {
  if (typeof element === "string") return element === "" ? null : "text";
  if (isToken(element)) return "token";
  return Array.isArray(element) && element.length > 0 && element.every(isToken) ? "tokens" : null;
}

function isToken(element: unknown): boolean {
  return typeof element === "number" && Number.isSafeInteger(element) && element >= 0;
}
