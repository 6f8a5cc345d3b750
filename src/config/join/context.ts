import type { ConfigDocument } from "../file/document.ts";
import { problemAt } from "../file/issues.ts";
import { type ConfigProblem, formatPath } from "../file/problem.ts";
import type { KnownProvider } from "../known-provider.ts";
import type { Environment } from "../overrides.ts";

/** What the sections of one file are joined with, and where complaints about them are collected. */
export interface JoinContext {
  readonly document: ConfigDocument;
  readonly env: Environment;
  /** Absolute; relative references of the file start here. */
  readonly folder: string;
  readonly knownProviders: readonly KnownProvider[];
  /** Whether keys of providers, and the secret of the webhook, must be there. */
  readonly keysRequired: boolean;
  /** Path of a value that a variable or flag sets → which one. */
  readonly overridden: ReadonlyMap<string, string>;
  readonly problems: ConfigProblem[];
  readonly warnings: ConfigProblem[];
}

type Steps = readonly PropertyKey[];

export function refuse(
  context: JoinContext,
  steps: Steps,
  message: string,
  suggestion: string | null,
  of: "value" | "key" = "value",
): void {
  context.problems.push(complain(context, steps, message, suggestion, of));
}

export function warn(context: JoinContext, steps: Steps, message: string, suggestion: string | null): void {
  context.warnings.push(complain(context, steps, message, suggestion, "value"));
}

function complain(
  { document, overridden }: JoinContext,
  steps: Steps,
  message: string,
  suggestion: string | null,
  of: "value" | "key",
): ConfigProblem {
  const origin = overridden.get(formatPath(steps));
  const inFile = problemAt(document, steps, message, suggestion, of);
  return origin === undefined ? inFile : { ...inFile, source: origin, line: null, column: null };
}

/** The fields of a section that the schema may yet have refused: none if it is no section. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
