/**
 * Turns what the schema found into complaints of our own: one per place, with line and column, saying what the
 * declaration expects there. The schema's wording is not used; values that could be secret are not quoted.
 */
import type { z } from "zod";
import { nearest } from "../../kernel/nearest.ts";
import { expectation, isQuotable } from "../options/expectation.ts";
import type { OptionNode, ScalarNode } from "../options/option.ts";
import { optionAt } from "../options/options.ts";
import type { ConfigDocument, Position } from "./document.ts";
import { type ConfigProblem, formatPath } from "./problem.ts";

type Issue = z.core.$ZodIssue;
type Steps = readonly PropertyKey[];

/** `value` is what the schema was given. */
export function explainIssues(issues: readonly Issue[], value: unknown, document: ConfigDocument): ConfigProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [explainIssue(issue, value, document)];
    return issue.keys.map((key) => explainUnknownKey([...issue.path, key], document));
  });
}

/** A complaint about the value at a path, or, where the file has none, about the nearest section around it. */
export function problemAt(
  document: ConfigDocument,
  steps: Steps,
  message: string,
  suggestion: string | null,
  of: "value" | "key" = "value",
): ConfigProblem {
  const position = positionOf(document, steps, of);
  const place = { line: position?.line ?? null, column: position?.column ?? null };
  return { source: document.source, path: formatPath(steps), ...place, message, suggestion };
}

/** `must be …, not …` for a scalar; the value is left out where it could be secret. */
export function mismatch(option: ScalarNode, value: unknown): string {
  if (value === null) return "has no value";
  const quoted = isQuotable(option) ? `, not ${shown(value)}` : "";
  return `must be ${expectation(option)}${quoted}`;
}

function explainIssue(issue: Issue, root: unknown, document: ConfigDocument): ConfigProblem {
  const option = optionAt(issue.path);
  const value = valueAt(root, issue.path);
  if (value === undefined) return problemAt(document, issue.path, "is missing", option?.doc ?? null);
  switch (option?.node) {
    case "scalar":
      return explainScalar(option, value, issue.path, document);
    case "list":
      return problemAt(document, issue.path, listMessage(value, option.min), null);
    default:
      return problemAt(document, issue.path, sectionMessage(option), null);
  }
}

function explainScalar(option: ScalarNode, value: unknown, steps: Steps, document: ConfigDocument): ConfigProblem {
  if (option.type === "secret" && typeof value === "string") {
    return problemAt(
      document,
      steps,
      "is a key written into the file itself; a key is only referred to",
      "Put it into an environment variable and write `env:NAME`, or into a file of its own and write `file:PATH`.",
    );
  }
  const suggestion = value === null ? `Give one, or leave the line out. It must be ${expectation(option)}.` : null;
  const near = option.type === "choice" && typeof value === "string" ? nearest(value, option.choices, 1) : [];
  return problemAt(document, steps, mismatch(option, value), suggestion ?? didYouMean(near));
}

function explainUnknownKey(steps: Steps, document: ConfigDocument): ConfigProblem {
  const section = optionAt(steps.slice(0, -1));
  const known = section?.node === "group" ? Object.keys(section.fields).filter((key) => key !== "$schema") : [];
  const suggestion = didYouMean(nearest(String(steps.at(-1)), known, 1)) ?? `Known here: ${known.join(", ")}.`;
  return problemAt(document, steps, "is not a known key", suggestion, "key");
}

/** A complaint about a key of a dictionary. */
export function explainName(steps: Steps, document: ConfigDocument): ConfigProblem {
  const dictionary = optionAt(steps.slice(0, -1));
  const suggestion = dictionary?.node === "dictionary" ? `Use ${dictionary.keyDoc}.` : null;
  return problemAt(document, steps, "has a name that cannot be used", suggestion, "key");
}

function listMessage(value: unknown, min: number): string {
  return Array.isArray(value) ? `must have at least ${min} item` : "must be a list, each item on a line with `- `";
}

function sectionMessage(option: OptionNode | null): string {
  if (option?.node === "group" && option.shorthand !== null)
    return `must be a section of keys, or its ${option.shorthand}`;
  return "must be a section of keys, each on a line with `key: value`";
}

export function didYouMean(near: readonly string[]): string | null {
  return near.length === 0 ? null : `Did you mean ${near.map((name) => `"${name}"`).join(" or ")}?`;
}

function positionOf(document: ConfigDocument, steps: Steps, of: "value" | "key"): Position | null {
  for (let length = steps.length; length >= 0; length--) {
    const path = formatPath(steps.slice(0, length));
    const inner = length === steps.length;
    // A section that lacks something is shown by its key, a wrong value by itself.
    const first = inner && of === "value" ? document.values : document.keys;
    const second = inner && of === "value" ? document.keys : document.values;
    const found = first.get(path) ?? second.get(path);
    if (found !== undefined) return found;
  }
  return null;
}

function valueAt(root: unknown, steps: Steps): unknown {
  let value = root;
  for (const step of steps) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[step];
  }
  return value;
}

function shown(value: unknown): string {
  if (typeof value === "object") return Array.isArray(value) ? "a list" : "a section";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
