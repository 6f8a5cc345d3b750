/** The words that an allowance is written with, each list complete: a record below does not compile when one is missing. */
import type { Operation } from "../../dialects/dialect.ts";
import { nearest } from "../../kernel/nearest.ts";
import type { AllowanceMode, AllowanceScope, AllowanceWindow, EstimatePolicy, Meter } from "../allowance.ts";
import { refuse } from "./refusals.ts";

export const scopeKinds: readonly AllowanceScope["kind"][] = wordsOf({
  tenant: true,
  project: true,
  key: true,
  "end-user": true,
});
export const meters: readonly Meter[] = wordsOf({ money: true, tokens: true, requests: true, slots: true });
export const windows: readonly AllowanceWindow[] = wordsOf({
  minute: true,
  hour: true,
  day: true,
  week: true,
  month: true,
  lifetime: true,
});
export const modes: readonly AllowanceMode[] = wordsOf({ enforce: true, soft: true, shadow: true });
export const policies: readonly EstimatePolicy[] = wordsOf({ expected: true, strict: true });
export const operations: readonly Operation[] = wordsOf({ chat: true, embeddings: true });

/** `param` is what the person calls it. Throws `invalid_argument` with the words there are. */
export function checkWord(param: string, word: string, words: readonly string[]): void {
  if (words.includes(word)) return;
  const near = nearest(word, words, 1);
  const hint = near.length > 0 ? `Did you mean ${near.join()}?` : `It is one of ${words.join(", ")}.`;
  throw refuse(param, `${param} cannot be ${JSON.stringify(word)}. ${hint}`);
}

function wordsOf<Word extends string>(presence: Readonly<Record<Word, true>>): readonly Word[] {
  return Object.keys(presence) as Word[];
}
