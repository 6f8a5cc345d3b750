/** Constructors for the kinds of options and arguments that commands have. */
import type { Parameter } from "./command.ts";

/** On or off. */
export function flag(syntax: string, doc: string): Parameter<boolean> {
  return {
    syntax,
    doc,
    absent: false,
    take: () => true,
    expected: "left without a value",
    choices: [],
    required: false,
  };
}

/** Text that must be given. */
export function text(syntax: string, doc: string): Parameter<string> {
  return { syntax, doc, absent: "", take: nonEmpty, expected: "text that is not empty", choices: [], required: true };
}

/** Text that may be left out. */
export function optionalText(syntax: string, doc: string): Parameter<string | null> {
  return { ...text(syntax, doc), absent: null, take: nonEmpty, required: false };
}

/** One of a few words. */
export function choice<const Word extends string>(
  syntax: string,
  doc: string,
  choices: readonly Word[],
): Parameter<Word | null> {
  const take = (given: string): Word | undefined => choices.find((word) => word === given);
  return { syntax, doc, absent: null, take, expected: `one of ${choices.join(", ")}`, choices, required: false };
}

/** A whole number within bounds. */
export function whole(syntax: string, doc: string, min: number, max: number, absent: number): Parameter<number> {
  const take = (given: string): number | undefined => {
    const number = /^[0-9]{1,15}$/.test(given) ? Number(given) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
  };
  return { syntax, doc, absent, take, expected: `a whole number from ${min} to ${max}`, choices: [], required: false };
}

/** A value with a notation of its own; `parse` gives `undefined` for what it cannot read. */
export function parsed<Value>(
  syntax: string,
  doc: string,
  expected: string,
  parse: (text: string) => Value | undefined,
): Parameter<Value | null> {
  return { syntax, doc, absent: null, take: (given) => parse(given), expected, choices: [], required: false };
}

/** Words separated by commas, or the option given several times; each once. */
export function words<const Word extends string>(
  syntax: string,
  doc: string,
  choices: readonly Word[],
  absent: readonly Word[],
): Parameter<readonly Word[]> {
  const take = (given: string, previous: readonly Word[]): readonly Word[] | undefined => {
    const parts = given.split(",").map((part) => choices.find((word) => word === part.trim()));
    const known = parts.filter((part) => part !== undefined);
    if (known.length < parts.length) return undefined;
    return [...new Set([...(previous === absent ? [] : previous), ...known])];
  };
  return { syntax, doc, absent, take, expected: `one or more of ${choices.join(", ")}`, choices, required: false };
}

function nonEmpty(given: string): string | undefined {
  return given === "" ? undefined : given;
}
