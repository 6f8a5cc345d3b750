/** Pairs of prompts with the judgement whether one's answer would do for the other, from a file of JSON lines. */
import { readFileSync } from "node:fs";
import { HeadgateError } from "../../../kernel/errors.ts";
import { CliFailure } from "../../failure.ts";

export interface Pair {
  readonly a: string;
  readonly b: string;
  readonly isSame: boolean;
}

/** `{"a": "…", "b": "…", "label": "same"}` or `"different"` on each line; empty lines are passed over. Throws `file_unusable`, `invalid_argument`. */
export function readPairs(path: string): readonly Pair[] {
  const pairs = read(path)
    .split("\n")
    .flatMap((line, index) => readLine(line.trim(), `${path}:${index + 1}`));
  if (pairs.some(({ isSame }) => isSame) && pairs.some(({ isSame }) => !isSame)) return pairs;
  throw wrong(`${path} needs pairs of both labels: "same" and "different".`);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (reason) {
    const why = (reason as NodeJS.ErrnoException).code === "ENOENT" ? "There is no such file" : String(reason);
    throw new CliFailure("file_unusable", `${path} cannot be read. ${why}.`, { file: path }, reason);
  }
}

function readLine(line: string, place: string): readonly Pair[] {
  if (line === "") return [];
  const { a, b, label } = (parse(line) ?? {}) as {
    readonly a?: unknown;
    readonly b?: unknown;
    readonly label?: unknown;
  };
  if (typeof a !== "string" || typeof b !== "string" || a.trim() === "" || b.trim() === "")
    throw wrong(
      `${place} is no pair: it must be {"a": "…", "b": "…", "label": "same" or "different"}, without empty texts.`,
    );
  if (label !== "same" && label !== "different") throw wrong(`${place}: "label" must be "same" or "different".`);
  return [{ a, b, isSame: label === "same" }];
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}

function wrong(message: string): HeadgateError {
  return new HeadgateError("invalid_argument", message, { param: "--pairs" });
}
