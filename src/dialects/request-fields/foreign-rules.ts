/**
 * What an encoder does with the fields of other dialects that the canonical form has no place for: `refuse` what changes
 * the answer, `report` what does not, `carry` what its own dialect has by the same name and meaning. A value that asks
 * for nothing (`null`, or the field's own default) is none of these. A field without a rule is refused by name, because
 * nobody can say what leaving it out would do. Rules are for kinds of fields, `tools[].cache_control`, and what is
 * reported is reported once for all places, so that the report does not grow with the request.
 */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { Loss } from "../dialect.ts";

export interface ForeignRule {
  readonly action: "carry" | "refuse" | "report";
  /** Values, as JSON, that ask for nothing. */
  readonly neutral: readonly string[];
}

export function carry(): ForeignRule {
  return { action: "carry", neutral: [] };
}

export function refuse(...neutral: readonly string[]): ForeignRule {
  return { action: "refuse", neutral };
}

export function report(...neutral: readonly string[]): ForeignRule {
  return { action: "report", neutral };
}

/** Returns what is carried. Throws what `refusal` makes of the first field that must not be left out. */
export function judgeForeignFields(
  foreign: Readonly<Record<string, unknown>>,
  rules: ReadonlyMap<string, ForeignRule>,
  losses: Set<Loss>,
  refusal: (name: string, value: unknown) => HeadgateError,
): Readonly<Record<string, unknown>> {
  const carried: Record<string, unknown> = {};
  for (const name of Object.keys(foreign)) {
    const value = foreign[name];
    if (value === null || value === undefined) continue;
    const kind = name.replaceAll(/\[\d+\]/g, "[]");
    const rule = rules.get(kind);
    if (rule?.neutral.includes(JSON.stringify(value)) === true) continue;
    if (rule?.action === "carry") carried[name] = value;
    else if (rule?.action === "report") losses.add(kind);
    else throw refusal(name, value);
  }
  return carried;
}
