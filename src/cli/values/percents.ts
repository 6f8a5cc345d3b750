import type { Parameter } from "../command.ts";

/** `--alert 80,100`, also several times; `none` for none; `null` when not given. */
export function percents(syntax: string, doc: string): Parameter<readonly number[] | null> {
  const take = (text: string, previous: readonly number[] | null): readonly number[] | undefined => {
    if (text === "none") return [];
    const given = text.split(",").map((part) => /^\s*([0-9]{1,4}) ?%?\s*$/.exec(part)?.[1]);
    return given.includes(undefined) ? undefined : [...(previous ?? []), ...given.map(Number)];
  };
  const expected = "whole percents separated by commas, such as 80,100, or none";
  return { syntax, doc, absent: null, take, expected, choices: [], required: false };
}
