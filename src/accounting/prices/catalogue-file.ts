/**
 * A price catalogue as a file: the one pinned with the release, and one that an operator has taken since. It is checked
 * as a whole before it is used, because a rate that cannot be read, or a list that is missing, would change what calls
 * cost without anyone deciding it.
 */
import { z } from "zod";
import { HeadgateError } from "../../kernel/errors.ts";
import { parseUsd } from "../../kernel/money.ts";
import type { CatalogueList } from "./catalogue.ts";

export interface CatalogueSource {
  readonly package: string;
  readonly version: string;
  readonly license: string;
  readonly copyright: string;
  /** The day it was taken, `2026-11-21`. */
  readonly date: string;
}

export interface CatalogueFile {
  readonly source: CatalogueSource;
  readonly lists: Readonly<Record<string, CatalogueList>>;
}

const dollars = z.string().refine((text) => parseUsd(text) !== null, "is not an amount of dollars");
const tier = z.tuple([z.int().min(0), dollars]);
const rate = z.union([dollars, z.tuple([dollars], tier).refine(isRising, "has thresholds that do not rise")]);
const rates = z.strictObject({
  input: rate.optional(),
  cacheRead: rate.optional(),
  cacheWrite5m: rate.optional(),
  cacheWrite1h: rate.optional(),
  output: rate.optional(),
  reasoning: rate.optional(),
  audioInput: rate.optional(),
  audioOutput: rate.optional(),
  imageInput: rate.optional(),
  imageOutput: rate.optional(),
  tool: rate.optional(),
  search: rate.optional(),
  request: rate.optional(),
});
const time = z.string().regex(/^\d{2}:\d{2}:\d{2}Z$/);
const variant = z.strictObject({
  from: z.iso.date().optional(),
  daily: z.tuple([time, time]).optional(),
  rates: rates.refine(({ input, output }) => input !== undefined || output !== undefined, "prices no tokens"),
});
/** A source's pattern runs on names that callers choose: nothing in it may take long on any of them. */
const pattern = z.string().max(200).refine(isPlainPattern, "is not a pattern that can be used");
const rule: z.ZodType = z.lazy(() =>
  z.union([
    z.strictObject({ equals: z.string() }),
    z.strictObject({ starts_with: z.string() }),
    z.strictObject({ ends_with: z.string() }),
    z.strictObject({ contains: z.string() }),
    z.strictObject({ regex: pattern }),
    z.strictObject({ or: z.array(rule) }),
    z.strictObject({ and: z.array(rule) }),
  ]),
);
const model = z.strictObject({
  id: z.string().regex(/^\S{1,200}$/),
  match: rule,
  context: z.int().min(1).optional(),
  prices: z.array(variant).min(1),
});
const list = z.strictObject({
  fallback: z.array(z.string()),
  models: z.array(model).min(1).refine(hasUniqueIds, "names a model twice"),
  unpriced: z.array(z.string()),
});
const file = z.strictObject({
  source: z.strictObject({
    package: z.string(),
    version: z.string().regex(/^[0-9A-Za-z.+-]{1,64}$/),
    license: z.string(),
    copyright: z.string(),
    date: z.iso.date(),
  }),
  lists: z.record(z.string(), list),
});

const PROBLEMS_SHOWN_MAX = 5;

/** Throws `invalid_argument` with what is wrong and where. `required`: lists that must be there. */
export function checkCatalogueFile(json: unknown, required: readonly string[]): CatalogueFile {
  const checked = file.safeParse(json);
  const problems = checked.success
    ? required.filter((name) => !Object.hasOwn(checked.data.lists, name)).map((name) => `lists.${name} is missing`)
    : checked.error.issues.map((issue) => `${issue.path.map(String).join(".") || "it"}: ${issue.message}`);
  if (checked.success && problems.length === 0) return checked.data as CatalogueFile;
  const more = problems.length > PROBLEMS_SHOWN_MAX ? `; and ${problems.length - PROBLEMS_SHOWN_MAX} more` : "";
  throw new HeadgateError(
    "invalid_argument",
    `This is not a price catalogue that can be used: ${problems.slice(0, PROBLEMS_SHOWN_MAX).join("; ")}${more}.`,
  );
}

/** One line per model, lists in order of their names: what a review or `diff` can be read from. */
export function renderCatalogueFile({ source, lists }: CatalogueFile): string {
  const sections = Object.entries(lists)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => renderList(name, each));
  return `{\n  "source": ${JSON.stringify(source)},\n  "lists": {\n${sections.join(",\n")}\n  }\n}\n`;
}

function renderList(name: string, { fallback, models, unpriced }: CatalogueList): string {
  const lines = models.map((each) => `        ${JSON.stringify(each)}`).join(",\n");
  return `    ${JSON.stringify(name)}: {\n      "fallback": ${JSON.stringify(fallback)},\n      "unpriced": ${JSON.stringify(unpriced)},\n      "models": [\n${lines}\n      ]\n    }`;
}

function isRising([, ...tiers]: readonly [string, ...(readonly [number, string])[]]): boolean {
  return tiers.every(([above], index) => index === 0 || above > (tiers[index - 1]?.[0] ?? 0));
}

function hasUniqueIds(models: readonly { readonly id: string }[]): boolean {
  return new Set(models.map(({ id }) => id)).size === models.length;
}

/** Valid, and without what makes matching take long: repeated groups and references to what was matched. */
function isPlainPattern(text: string): boolean {
  if (/\)[*+{]|\\[1-9k]/.test(text)) return false;
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
