/** How a row of the price catalogue says which model names it is for. */
export type MatchRule =
  | { readonly equals: string }
  | { readonly starts_with: string }
  | { readonly ends_with: string }
  | { readonly contains: string }
  | { readonly regex: string }
  | { readonly or: readonly MatchRule[] }
  | { readonly and: readonly MatchRule[] };

/** Tells whether a name fits. The name must be in lower case; texts of rules are compared without regard to case. */
export type ModelMatcher = (name: string) => boolean;

export function compileMatchRule(rule: MatchRule): ModelMatcher {
  if ("equals" in rule) return compileText(rule.equals, (name, text) => name === text);
  if ("starts_with" in rule) return compileText(rule.starts_with, (name, text) => name.startsWith(text));
  if ("ends_with" in rule) return compileText(rule.ends_with, (name, text) => name.endsWith(text));
  if ("contains" in rule) return compileText(rule.contains, (name, text) => name.includes(text));
  if ("regex" in rule) {
    const pattern = new RegExp(rule.regex);
    return (name) => pattern.test(name);
  }
  if ("or" in rule) {
    const any = rule.or.map(compileMatchRule);
    return (name) => any.some((matches) => matches(name));
  }
  const all = rule.and.map(compileMatchRule);
  return (name) => all.every((matches) => matches(name));
}

function compileText(text: string, compare: (name: string, text: string) => boolean): ModelMatcher {
  const lower = text.toLowerCase();
  return (name) => compare(name, lower);
}

const compactDate = /-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)/g;

/**
 * `model-20250807` → `model-2025-08-07`: vendors write the release date of a model both ways, the catalogue one way.
 * `null` if the name has no such date.
 */
export function withDashedDate(name: string): string | null {
  const dashed = name.replace(compactDate, "-$1-$2-$3");
  return dashed === name ? null : dashed;
}
