import { asArray, asObject, asText } from "../../wire-values.ts";

/** `content` is text, or a list of parts where Mistral's `thinking` parts are reasoning. */
export function readContentText(content: unknown): { readonly text: string; readonly reasoning: string } {
  if (typeof content === "string") return { text: content, reasoning: "" };
  let text = "";
  let reasoning = "";
  for (const part of asArray(content) ?? []) {
    const fields = asObject(part);
    text += asText(fields?.["text"]) ?? "";
    reasoning += asText(fields?.["thinking"]) ?? "";
    for (const inner of asArray(fields?.["thinking"]) ?? []) reasoning += asText(asObject(inner)?.["text"]) ?? "";
  }
  return { text, reasoning };
}

/** Arguments are JSON text; some servers send the object itself. */
export function readArguments(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : "";
}
