/** Lists and maps given in options. */
import type { Parameter } from "../command.ts";

/** `--models 'gpt-*,claude-*'`, also several times; `null` when not given. */
export function patterns(syntax: string, doc: string): Parameter<readonly string[] | null> {
  const take = (text: string, previous: readonly string[] | null): readonly string[] | undefined => {
    const given = text.split(",").map((part) => part.trim());
    return given.includes("") ? undefined : [...(previous ?? []), ...given];
  };
  const expected = "one or more names separated by commas";
  return { syntax, doc, absent: null, take, expected, choices: [], required: false };
}

/** `--metadata team=search`, several times for several. */
export function pairs(syntax: string, doc: string): Parameter<Readonly<Record<string, string>>> {
  const take = (text: string, previous: Readonly<Record<string, string>>): Record<string, string> | undefined => {
    const split = text.indexOf("=");
    const name = text.slice(0, split).trim();
    return split < 1 || name === "" || name === "__proto__"
      ? undefined
      : { ...previous, [name]: text.slice(split + 1) };
  };
  return { syntax, doc, absent: {}, take, expected: "name=value", choices: [], required: false };
}
