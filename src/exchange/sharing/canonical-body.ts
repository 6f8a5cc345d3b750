/**
 * A caller's body as canonical JSON: names in order, no white space, every number with its own digits. It is made once for
 * all that a request is looked for by, member by member, since some leave members out.
 */
import { readExactBody } from "../../dialects/exact-json.ts";
import type { JsonDocument } from "../../kernel/json-document.ts";

export interface CanonicalMember {
  readonly name: string;
  readonly value: unknown;
  /** Of name and value. */
  readonly text: string;
}

export class CanonicalBody {
  readonly #document: JsonDocument;
  #members: readonly CanonicalMember[] | null = null;

  constructor(document: JsonDocument) {
    this.#document = document;
  }

  /** Of the top level, by name. */
  get members(): readonly CanonicalMember[] {
    this.#members ??= membersOf(readExactBody(this.#document));
    return this.#members;
  }
}

/** Of an object. */
function membersOf(value: object): readonly CanonicalMember[] {
  return sortedNames(value).map((name) => canonicalMember(name, (value as Record<string, unknown>)[name]));
}

export function canonicalMember(name: string, value: unknown): CanonicalMember {
  return { name, value, text: `${JSON.stringify(name)}:${canonicalJson(value)}` };
}

export function canonicalObject(members: readonly CanonicalMember[]): string {
  let text = "{";
  for (const member of members) text += text.length === 1 ? member.text : `,${member.text}`;
  return `${text}}`;
}

interface JsonWithSources {
  isRawJSON(value: unknown): boolean;
}

/** Missing from TypeScript's library: see exact-json.ts. */
const json = JSON as unknown as JsonWithSources;

/** Nested no deeper than `limits.jsonDepth`. */
function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null || json.isRawJSON(value)) return JSON.stringify(value);
  if (!Array.isArray(value)) return canonicalObject(membersOf(value));
  let text = "[";
  for (const element of value as readonly unknown[]) text += (text.length === 1 ? "" : ",") + canonicalJson(element);
  return `${text}]`;
}

function sortedNames(value: object): readonly string[] {
  return Object.keys(value).sort();
}
